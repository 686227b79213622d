//! What the mail about a run says.

use dropcast_domain::{
    failure::ErrorCode,
    mail::{MailKind, MailTopic},
    model::OutputKind,
    output::Output,
    problem::{Problem, ProblemList},
    run::MAX_HEADLINE_OUTPUTS,
    text,
    upload::RunKind,
};

use crate::{
    Asked, CHART_BYTES, ChartRow, MAX_LOG_LINES, MailContent, MailInput, MarkedCopy, OutputRow,
    ProblemRow, facts,
    lengths::{
        LOG_LINE_LENGTH, NAME_LENGTH, PLACE_LENGTH, PROBLEM_LENGTH, SENTENCE_LENGTH, TITLE_LENGTH,
    },
};

/// Composes the mail about a run that ended.
///
/// `kind` is what [`MailKind::of`] says of it: whoever asks for a mail
/// knows already that there is one.
pub fn compose(kind: MailKind, known: &MailInput) -> MailContent {
    let run = known.run;
    let title = one_line_or(&run.title, TITLE_LENGTH, "Untitled run");
    let failure = run.failure.as_ref().filter(|_| kind != MailKind::Succeeded);
    let code = failure.map(|failure| failure.code);
    let problems = known
        .problems
        .filter(|list| kind == MailKind::Rejected && !list.is_empty());
    let copy = known.copy.filter(|_| kind == MailKind::Rejected);
    let outputs = if kind == MailKind::Succeeded {
        outputs(known)
    } else {
        Vec::new()
    };
    let advice = code.unwrap_or(match kind {
        MailKind::Rejected => ErrorCode::InputRejected,
        MailKind::Succeeded | MailKind::Failed => ErrorCode::Internal,
    });
    MailContent {
        kind,
        topic: MailTopic::Run(run.id.clone()),
        subject: subject(kind, &title, &facts::model(known)),
        headline: headline(kind, run.kind, code).to_owned(),
        lead: lead(kind, known, &title, problems, outputs.len()),
        advice: (kind != MailKind::Succeeded).then(|| advice.advice_on(run.kind).to_owned()),
        copy: copy.map(|copy| {
            let where_it_is = match copy {
                MarkedCopy::Attached => "The attached workbook",
                MarkedCopy::Linked(_) => "The workbook at the link below",
            };
            format!("{where_it_is} shows what to correct: the faulty cells are marked, each with a note that says what is allowed. Make the corrections in your original file.")
        }),
        copy_link: copy.and_then(|copy| match copy {
            MarkedCopy::Attached => None,
            MarkedCopy::Linked(link) => web_link(link),
        }),
        happened: failure
            .filter(|_| problems.is_none())
            .map(|failure| one_line_or(&failure.message, SENTENCE_LENGTH, "The reason is unknown.")),
        problems: problems
            .map(|list| list.problems.iter().map(ProblemRow::from).collect())
            .unwrap_or_default(),
        more_problems: problems.map_or(0, |list| list.more),
        log: if kind == MailKind::Failed {
            last_lines(known.log)
        } else {
            Vec::new()
        },
        chart: if kind == MailKind::Succeeded {
            chart(known)
        } else {
            None
        },
        asked: asked(kind, known),
        model: facts::versioned(known),
        facts: facts::facts(kind, known, code),
        notes: facts::notes(kind, known, code, outputs.len()),
        title,
        outputs,
    }
}

fn asked(kind: MailKind, known: &MailInput) -> Option<Asked> {
    if kind == MailKind::Rejected {
        return None;
    }
    let input = known.run.input.as_ref();
    if let Some(reading) = input.and_then(|input| input.table.as_ref()) {
        let file = known.run.upload.file_name();
        return Some(Asked::from_table(&file, reading));
    }
    let defaults = input.map_or(&[][..], |input| &input.defaults);
    let document = known.inputs?;
    Some(Asked::from_document(document, known.schema, defaults))
}

fn subject(kind: MailKind, title: &str, model: &str) -> String {
    let label = kind.label();
    if model.is_empty() {
        format!("{label}: {title}")
    } else {
        format!("{label}: {title} ({model})")
    }
}

fn headline(kind: MailKind, what: RunKind, code: Option<ErrorCode>) -> &'static str {
    if what == RunKind::Refresh {
        return match kind {
            MailKind::Rejected => "The refresh was not started",
            MailKind::Succeeded | MailKind::Failed => "The model's data was not refreshed",
        };
    }
    match (kind, code) {
        (MailKind::Succeeded, _) => "Your results are ready",
        (MailKind::Failed, _) => "Your run did not finish",
        (MailKind::Rejected, Some(ErrorCode::InputRejected) | None) => "Please correct your file",
        (MailKind::Rejected, Some(_)) => "Your file was not accepted",
    }
}

fn lead(
    kind: MailKind,
    known: &MailInput,
    title: &str,
    problems: Option<&ProblemList>,
    outputs: usize,
) -> String {
    let took = text::duration(known.run.elapsed(known.now));
    match (kind, problems.map_or(0, ProblemList::total)) {
        (MailKind::Succeeded, _) => {
            let files = match outputs {
                0 => "It published no files.".to_owned(),
                1 => "1 file is ready to open.".to_owned(),
                many => format!("{} files are ready to open.", text::grouped(many as u64)),
            };
            format!("“{title}” took {took}. {files}")
        }
        (MailKind::Failed, _) if known.run.kind == RunKind::Refresh => {
            format!(
                "“{title}” stopped after {took}. Runs keep using the data of the last successful refresh."
            )
        }
        (MailKind::Failed, _) => format!("“{title}” stopped after {took}. There are no results."),
        (MailKind::Rejected, 0) => format!("“{title}” was not started."),
        (MailKind::Rejected, total) => {
            let needs = text::count(total, "thing in your file has", "things in your file have");
            format!("“{title}” was not started. {needs} to be corrected.")
        }
    }
}

fn outputs(known: &MailInput) -> Vec<OutputRow> {
    let row = |output: &Output| {
        let file = one_line_or(&output.path, NAME_LENGTH, "file");
        OutputRow {
            title: one_line_or(&output.title, TITLE_LENGTH, &file),
            kind: match output.kind {
                OutputKind::Table => "Table",
                OutputKind::Chart => "Chart",
                OutputKind::Document => "Document",
                OutputKind::Data => "Data",
            },
            size: text::size(output.bytes),
            link: link(known, output),
            file,
        }
    };
    known
        .run
        .outputs
        .iter()
        .take(MAX_HEADLINE_OUTPUTS)
        .map(row)
        .collect()
}

/// The first chart of a type that mail programs show, if it is small enough.
fn chart(known: &MailInput) -> Option<ChartRow> {
    let mut charts = known
        .run
        .outputs
        .iter()
        .filter(|output| output.kind == OutputKind::Chart);
    let (chart, media_type) =
        charts.find_map(|chart| Some((chart, shown_type(&chart.media_type)?)))?;
    (chart.bytes < CHART_BYTES).then(|| ChartRow {
        key: chart.key.clone(),
        title: one_line_or(&chart.title, TITLE_LENGTH, "Chart"),
        media_type,
        link: link(known, chart),
    })
}

/// The image types that every common mail program shows; SVG is none of them.
fn shown_type(media_type: &str) -> Option<&'static str> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    ["image/png", "image/jpeg", "image/gif"]
        .into_iter()
        .find(|shown| essence.eq_ignore_ascii_case(shown))
}

/// The link of one output, unless it is something that no browser should follow from a mail.
fn link(known: &MailInput, output: &Output) -> Option<String> {
    web_link(known.links.get(&output.path)?)
}

fn web_link(link: &str) -> Option<String> {
    let is_web = ["https://", "http://"]
        .iter()
        .any(|scheme| link.starts_with(scheme));
    (is_web && link.bytes().all(|byte| byte.is_ascii_graphic())).then(|| link.to_owned())
}

pub(crate) fn last_lines(log: &[String]) -> Vec<String> {
    let lines: Vec<_> = log
        .iter()
        .skip(log.len().saturating_sub(MAX_LOG_LINES))
        .map(|line| text::log_line(line, LOG_LINE_LENGTH))
        .collect();
    // Empty lines between others tell paragraphs apart; before and after them they tell nothing.
    let first = lines
        .iter()
        .position(|line| !line.is_empty())
        .unwrap_or(lines.len());
    let last = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(first, |last| last + 1);
    lines
        .get(first..last)
        .map(<[String]>::to_vec)
        .unwrap_or_default()
}

impl From<&Problem> for ProblemRow {
    fn from(problem: &Problem) -> Self {
        // A sentence that only repeats the row's parts adds nothing but the hint behind it.
        let repeated = Problem::new(&problem.at, &problem.found, &problem.allowed).message;
        let hint = problem
            .message
            .strip_prefix(&repeated)
            .unwrap_or(&problem.message);
        let place = match problem.at.strip_prefix('/') {
            Some(pointer) => pointer
                .split('/')
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .collect::<Vec<_>>()
                .join(" › "),
            None if problem.at.is_empty() => "The whole file".to_owned(),
            None => problem.at.clone(),
        };
        let mut place = one_line_or(&place, PLACE_LENGTH, "An unnamed field");
        if problem.count > 1 {
            let more = text::grouped(problem.count - 1);
            place = format!("{place} and {more} more");
        }
        Self {
            place,
            found: text::one_line(&problem.found, PROBLEM_LENGTH),
            allowed: text::one_line(&problem.allowed, PROBLEM_LENGTH),
            hint: text::one_line(hint, 2 * PROBLEM_LENGTH),
        }
    }
}

pub(crate) fn one_line_or(text: &str, most: usize, otherwise: &str) -> String {
    match text::one_line(text, most) {
        line if line.is_empty() => otherwise.to_owned(),
        line => line,
    }
}

#[cfg(test)]
mod tests;
