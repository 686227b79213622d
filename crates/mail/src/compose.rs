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
    CHART_BYTES, ChartRow, InputSummary, MAX_LOG_LINES, MailContent, MailInput, MarkedCopy,
    OutputRow, ProblemRow,
    lengths::{
        LOG_LINE_LENGTH, NAME_LENGTH, PLACE_LENGTH, PROBLEM_LENGTH, SENTENCE_LENGTH, TITLE_LENGTH,
    },
};

/// Composes the mail about a run that ended.
///
/// `kind` is what [`MailKind::of`] says of it: the caller already knows that there is a mail.
pub fn compose(kind: MailKind, input: &MailInput) -> MailContent {
    RunMail::new(kind, input).content()
}

/// The mail about one run: what is known about the run, and the sort of news that it is.
pub(crate) struct RunMail<'a> {
    pub(crate) kind: MailKind,
    pub(crate) input: &'a MailInput<'a>,
    /// The error code of a run that did not succeed.
    pub(crate) code: Option<ErrorCode>,
    title: String,
    /// The problems of a rejected input, if there are any.
    problems: Option<&'a ProblemList>,
}

impl<'a> RunMail<'a> {
    fn new(kind: MailKind, input: &'a MailInput<'a>) -> Self {
        let failure = input.run.failure.as_ref();
        Self {
            kind,
            input,
            code: failure
                .filter(|_| kind != MailKind::Succeeded)
                .map(|failure| failure.code),
            title: one_line_or(&input.run.title, TITLE_LENGTH, "Untitled run"),
            problems: input
                .problems
                .filter(|list| kind == MailKind::Rejected && !list.is_empty()),
        }
    }

    fn content(self) -> MailContent {
        let copy = self.input.copy.filter(|_| self.kind == MailKind::Rejected);
        MailContent {
            kind: self.kind,
            topic: MailTopic::Run(self.input.run.id.clone()),
            subject: self.subject(),
            headline: self.headline().to_owned(),
            lead: self.lead(),
            advice: self.advice(),
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
            happened: self.happened(),
            problems: self
                .problems
                .map(|list| list.problems.iter().map(ProblemRow::from).collect())
                .unwrap_or_default(),
            more_problems: self.problems.map_or(0, |list| list.more),
            log: if self.kind == MailKind::Failed {
                last_lines(self.input.log)
            } else {
                Vec::new()
            },
            chart: self.chart(),
            input: self.input_summary(),
            model: self.versioned_model(),
            facts: self.facts(),
            notes: self.notes(),
            outputs: self.outputs(),
            title: self.title,
        }
    }

    fn subject(&self) -> String {
        let (label, title, model) = (self.kind.label(), &self.title, self.model());
        if model.is_empty() {
            format!("{label}: {title}")
        } else {
            format!("{label}: {title} ({model})")
        }
    }

    fn headline(&self) -> &'static str {
        if self.input.run.kind == RunKind::Refresh {
            return match self.kind {
                MailKind::Rejected => "The refresh was not started",
                _ => "The model's data was not refreshed",
            };
        }
        match (self.kind, self.code) {
            (MailKind::Succeeded, _) => "Your results are ready",
            (MailKind::Failed, _) => "Your run did not finish",
            (MailKind::Cancelled, _) => "Your run was cancelled",
            (MailKind::Rejected, Some(ErrorCode::InputRejected) | None) => {
                "Please correct your file"
            }
            (MailKind::Rejected, Some(_)) => "Your file was not accepted",
        }
    }

    fn lead(&self) -> String {
        let run = self.input.run;
        let (title, took) = (&self.title, text::duration(run.elapsed(self.input.now)));
        match (self.kind, self.problems.map_or(0, ProblemList::total)) {
            (MailKind::Succeeded, _) => {
                let files = match self.outputs().len() {
                    0 => "It published no files.".to_owned(),
                    1 => "1 file is ready to open.".to_owned(),
                    many => format!("{} files are ready to open.", text::grouped(many as u64)),
                };
                format!("“{title}” took {took}. {files}")
            }
            (MailKind::Failed, _) if run.kind == RunKind::Refresh => {
                format!(
                    "“{title}” stopped after {took}. Runs keep using the data of the last successful refresh."
                )
            }
            (MailKind::Failed, _) => {
                format!("“{title}” stopped after {took}. There are no results.")
            }
            (MailKind::Cancelled, _) if run.kind == RunKind::Refresh => {
                format!(
                    "“{title}” was cancelled after {took}. Runs keep using the data of the last successful refresh."
                )
            }
            (MailKind::Cancelled, _) => {
                format!("“{title}” was cancelled after {took}. There are no results.")
            }
            (MailKind::Rejected, 0) => format!("“{title}” was not started."),
            (MailKind::Rejected, total) => {
                let needs =
                    text::count(total, "thing in your file has", "things in your file have");
                format!("“{title}” was not started. {needs} to be corrected.")
            }
        }
    }

    fn advice(&self) -> Option<String> {
        let otherwise = match self.kind {
            MailKind::Succeeded => return None,
            MailKind::Rejected => ErrorCode::InputRejected,
            MailKind::Failed => ErrorCode::Internal,
            MailKind::Cancelled => ErrorCode::Cancelled,
        };
        let code = self.code.unwrap_or(otherwise);
        Some(code.advice_on(self.input.run.kind).to_owned())
    }

    /// The failure as a sentence, unless there are problems that say it better.
    fn happened(&self) -> Option<String> {
        if self.kind == MailKind::Succeeded || self.problems.is_some() {
            return None;
        }
        let failure = self.input.run.failure.as_ref()?;
        Some(one_line_or(
            &failure.message,
            SENTENCE_LENGTH,
            "The reason is unknown.",
        ))
    }

    fn input_summary(&self) -> Option<InputSummary> {
        if self.kind == MailKind::Rejected {
            return None;
        }
        let run = self.input.run;
        let accepted = run.input.as_ref();
        if let Some(reading) = accepted.and_then(|input| input.table.as_ref()) {
            let file = run.upload.file_name();
            return Some(InputSummary::from_table(&file, reading));
        }
        let defaults = accepted.map_or(&[][..], |input| &input.defaults);
        let document = self.input.inputs?;
        Some(InputSummary::from_document(
            document,
            self.input.schema,
            defaults,
        ))
    }

    /// The outputs that the mail lists; none unless the run succeeded.
    pub(crate) fn outputs(&self) -> Vec<OutputRow> {
        if self.kind != MailKind::Succeeded {
            return Vec::new();
        }
        let outputs = self.input.run.outputs.iter();
        outputs
            .take(MAX_HEADLINE_OUTPUTS)
            .map(|output| self.output(output))
            .collect()
    }

    fn output(&self, output: &Output) -> OutputRow {
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
            link: self.link(output),
            file,
        }
    }

    /// The first chart of a type that mail programs show, if it is small enough.
    fn chart(&self) -> Option<ChartRow> {
        if self.kind != MailKind::Succeeded {
            return None;
        }
        let mut charts = self
            .input
            .run
            .outputs
            .iter()
            .filter(|output| output.kind == OutputKind::Chart);
        let (chart, media_type) =
            charts.find_map(|chart| Some((chart, shown_type(&chart.media_type)?)))?;
        (chart.bytes < CHART_BYTES).then(|| ChartRow {
            key: chart.key.clone(),
            version_id: chart.version_id.clone(),
            title: one_line_or(&chart.title, TITLE_LENGTH, "Chart"),
            media_type,
            link: self.link(chart),
        })
    }

    /// The link of one output, unless it is something that no browser should follow from a mail.
    fn link(&self, output: &Output) -> Option<String> {
        web_link(self.input.links.get(&output.path)?)
    }
}

/// The image types that every common mail program shows; SVG is none of them.
fn shown_type(media_type: &str) -> Option<&'static str> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    ["image/png", "image/jpeg", "image/gif"]
        .into_iter()
        .find(|shown| essence.eq_ignore_ascii_case(shown))
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

pub(crate) fn one_line_or(text: &str, max_chars: usize, otherwise: &str) -> String {
    match text::one_line(text, max_chars) {
        line if line.is_empty() => otherwise.to_owned(),
        line => line,
    }
}

#[cfg(test)]
mod tests;
