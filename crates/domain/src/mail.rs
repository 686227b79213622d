//! What a mail about a run or a build says, before it is put into HTML, text or MIME.
//!
//! [`compose`] and [`compose_build`] are the whole rule. Whatever a user, a model or a file gave
//! comes out as short single lines without control or direction-changing
//! characters, so that the templates have only escaping left to do.

mod asked;
mod build;
mod facts;
mod table;
mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use asked::{Asked, AskedGroup, AskedValue, MAX_VALUES};
pub use build::{KnownBuild, compose_build};

use crate::{
    failure::ErrorCode,
    model::OutputKind,
    output::Output,
    problem::{Problem, ProblemList},
    registry::BuildId,
    run::{MAX_HEADLINE_OUTPUTS, Run},
    run_id::RunId,
    status::Status,
    upload::RunKind,
};

/// The last lines of a failed job that a mail shows, at most.
pub const MAX_LOG_LINES: usize = 40;

/// A chart of at least so many bytes is linked and not shown inline: mail
/// systems refuse or cut large messages.
pub const CHART_BYTES: u64 = 300_000;

/// A marked copy of more bytes is linked and not attached: SES takes messages of 10 MB, and
/// attachments grow by a third on their way.
pub const ATTACHED_BYTES: u64 = 5_000_000;

/// The longest texts of each sort, in characters.
const TITLE_LENGTH: usize = crate::title::TITLE_LENGTH;
const NAME_LENGTH: usize = 160;
const SENTENCE_LENGTH: usize = 1_000;
const LOG_LINE_LENGTH: usize = 400;
const PROBLEM_LENGTH: usize = 200;
/// A problem list keeps the end of a long pointer, so the place is not cut again.
const PLACE_LENGTH: usize = 3 * PROBLEM_LENGTH;

/// What a mail is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailTopic {
    /// A run that ended.
    Run(RunId),
    /// A build that ended.
    Build(BuildId),
}

impl MailTopic {
    /// The id of what it is about.
    pub fn id(&self) -> &str {
        match self {
            Self::Run(run) => run.as_str(),
            Self::Build(build) => build.as_str(),
        }
    }

    /// What it is, in a word.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Build(_) => "build",
        }
    }

    /// The name of such a mail about it, as it stands in the table, in message ids and in SES's
    /// tags.
    pub fn mail_name(&self, kind: MailKind) -> &'static str {
        match (self, kind) {
            (Self::Run(_), kind) => kind.as_str(),
            (Self::Build(_), MailKind::Succeeded) => "build-registered",
            (Self::Build(_), MailKind::Failed | MailKind::Rejected) => "build-failed",
        }
    }
}

/// What sort of news a mail brings; one mail per run or build, kind and recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailKind {
    /// The outputs are there.
    Succeeded,
    /// The run ended without outputs.
    Failed,
    /// The input was not accepted.
    Rejected,
}

impl MailKind {
    /// The kind of mail that a run's status is worth; none while it is open, none for a
    /// cancelled one, since whoever cancelled it knows, and none for a refresh that succeeded,
    /// for which nobody waits.
    pub fn of(run: &Run) -> Option<Self> {
        match run.status() {
            Status::Succeeded => run.kind.is_run().then_some(Self::Succeeded),
            Status::Failed => Some(Self::Failed),
            Status::Rejected => Some(Self::Rejected),
            _ => None,
        }
    }

    /// The name of such a mail about a run.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
        }
    }

    /// The name as a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Succeeded => "Ready",
            Self::Failed => "Failed",
            Self::Rejected => "Not accepted",
        }
    }
}

/// Everything that is known about a run that ended; what is not known is left out of the mail.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The run's record.
    pub run: &'a Run,
    /// The model's title, where the model is known.
    pub model_title: Option<&'a str>,
    /// The input's JSON Schema, whose titles become labels.
    pub schema: Option<&'a Value>,
    /// The input as the model read it, defaults filled in.
    pub inputs: Option<&'a Value>,
    /// What is wrong with a rejected input.
    pub problems: Option<&'a ProblemList>,
    /// How the reader gets the copy of a rejected table in which the faults are marked.
    pub copy: Option<MarkedCopy<'a>>,
    /// The job's last lines, oldest first.
    pub log: &'a [String],
    /// Links by output path; anything but http and https is dropped.
    pub links: &'a BTreeMap<String, String>,
    /// When the links die.
    pub links_until: Option<Timestamp>,
    /// Addresses that the deployment does not mail.
    pub refused: &'a [String],
    /// Whether the operator is mailed because nobody else could be.
    pub operator_only: bool,
    /// The present time.
    pub now: Timestamp,
}

/// The copy of a rejected table in which the faults are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkedCopy<'a> {
    /// It is attached to the mail.
    Attached,
    /// It is behind this link.
    Linked(&'a str),
}

/// What one mail says. Every text is one safe line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailContent {
    /// The sort of news.
    pub kind: MailKind,
    /// What it is about; its id is also the first part of the message id.
    pub topic: MailTopic,
    /// The subject line.
    pub subject: String,
    /// What the run is called; of a build, the model.
    pub title: String,
    /// The model with its version; empty when the upload names none.
    pub model: String,
    /// The news in one line.
    pub headline: String,
    /// The news in one or two sentences; also what a phone shows beside the subject.
    pub lead: String,
    /// What to do, unless all is well.
    pub advice: Option<String>,
    /// What is said of the marked copy.
    pub copy: Option<String>,
    /// The link that opens the marked copy, unless it is attached.
    pub copy_link: Option<String>,
    /// The failure in words, unless `problems` says it better.
    pub happened: Option<String>,
    /// What is wrong with the input.
    pub problems: Vec<ProblemRow>,
    /// How many more problems there are.
    pub more_problems: u64,
    /// The job's last lines; empty unless it failed.
    pub log: Vec<String>,
    /// The outputs that can be opened.
    pub outputs: Vec<OutputRow>,
    /// The output that may be shown inline.
    pub chart: Option<ChartRow>,
    /// What was asked of the model; absent when that is not known.
    pub asked: Option<Asked>,
    /// The run in facts.
    pub facts: Vec<Fact>,
    /// What else the reader must know, in sentences.
    pub notes: Vec<String>,
}

/// One fact about the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// The fact.
    pub value: String,
}

/// One problem of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemRow {
    /// Where, as a path a person can follow: `growth_percent › Hardware › 2027`, or the first
    /// cell and how many more there are: `Plan!C7 and 213 more`.
    pub place: String,
    /// What was found; may be empty.
    pub found: String,
    /// What is allowed; may be empty.
    pub allowed: String,
    /// What the sentence about it says beyond that; may be empty.
    pub hint: String,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputRow {
    /// The manifest's title for it.
    pub title: String,
    /// The path below the output folder, shortened.
    pub file: String,
    /// What it is: `Table`, `Chart`.
    pub kind: &'static str,
    /// Its size in words.
    pub size: String,
    /// The link that opens it.
    pub link: Option<String>,
}

/// The first chart that a mail program can show and that is small enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartRow {
    /// Its key in the results bucket.
    pub key: String,
    /// Its title, which is also its text for those who do not see it.
    pub title: String,
    /// Its media type: PNG, JPEG or GIF.
    pub media_type: &'static str,
    /// The link that opens it.
    pub link: Option<String>,
}

/// Composes the mail about a run that ended.
///
/// `kind` is what [`MailKind::of`] says of it: whoever asks for a mail
/// knows already that there is one.
pub fn compose(kind: MailKind, known: &Known) -> MailContent {
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
                MarkedCopy::Linked(_) => "A workbook behind the link below",
            };
            format!("{where_it_is} shows what to correct: the faulty cells are marked, each with a note that says what is allowed. Correct them in your own file.")
        }),
        copy_link: copy.and_then(|copy| match copy {
            MarkedCopy::Attached => None,
            MarkedCopy::Linked(link) => web_link(link),
        }),
        happened: failure
            .filter(|_| problems.is_none())
            .map(|failure| one_line_or(&failure.message, SENTENCE_LENGTH, "No reason is known.")),
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

fn asked(kind: MailKind, known: &Known) -> Option<Asked> {
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
        (MailKind::Rejected, Some(ErrorCode::InputRejected) | None) => {
            "Your file needs a correction"
        }
        (MailKind::Rejected, Some(_)) => "Your file was not accepted",
    }
}

fn lead(
    kind: MailKind,
    known: &Known,
    title: &str,
    problems: Option<&ProblemList>,
    outputs: usize,
) -> String {
    let took = words::duration(known.run.elapsed(known.now));
    match (kind, problems.map_or(0, ProblemList::total)) {
        (MailKind::Succeeded, _) => {
            let files = match outputs {
                0 => "It published no files.".to_owned(),
                1 => "1 file is ready to open.".to_owned(),
                many => format!("{} files are ready to open.", words::grouped(many as u64)),
            };
            format!("“{title}” took {took}. {files}")
        }
        (MailKind::Failed, _) if known.run.kind == RunKind::Refresh => {
            format!("“{title}” stopped after {took}. What the model kept before stays as it was.")
        }
        (MailKind::Failed, _) => format!("“{title}” stopped after {took}. There are no results."),
        (MailKind::Rejected, 0) => format!("“{title}” was not started."),
        (MailKind::Rejected, total) => {
            let needs = words::count(
                total,
                "thing in your file needs",
                "things in your file need",
            );
            format!("“{title}” was not started. {needs} a correction.")
        }
    }
}

fn outputs(known: &Known) -> Vec<OutputRow> {
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
            size: words::size(output.bytes),
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
fn chart(known: &Known) -> Option<ChartRow> {
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
fn link(known: &Known, output: &Output) -> Option<String> {
    web_link(known.links.get(&output.path)?)
}

fn web_link(link: &str) -> Option<String> {
    let is_web = ["https://", "http://"]
        .iter()
        .any(|scheme| link.starts_with(scheme));
    (is_web && link.bytes().all(|byte| byte.is_ascii_graphic())).then(|| link.to_owned())
}

fn last_lines(log: &[String]) -> Vec<String> {
    let lines: Vec<_> = log
        .iter()
        .skip(log.len().saturating_sub(MAX_LOG_LINES))
        .map(|line| words::log_line(line, LOG_LINE_LENGTH))
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
        let mut place = one_line_or(&place, PLACE_LENGTH, "A field without a name");
        if problem.count > 1 {
            let more = words::grouped(problem.count - 1);
            place = format!("{place} and {more} more");
        }
        Self {
            place,
            found: words::one_line(&problem.found, PROBLEM_LENGTH),
            allowed: words::one_line(&problem.allowed, PROBLEM_LENGTH),
            hint: words::one_line(hint, 2 * PROBLEM_LENGTH),
        }
    }
}

fn one_line_or(text: &str, most: usize, otherwise: &str) -> String {
    match words::one_line(text, most) {
        line if line.is_empty() => otherwise.to_owned(),
        line => line,
    }
}

#[cfg(test)]
mod tests;
