//! What one mail says, as its templates are given it.

use dropcast_domain::mail::{MailKind, MailTopic};

use crate::InputSummary;

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
    /// A summary of the input; absent if the input is unknown.
    pub input: Option<InputSummary>,
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
    /// The version of the object that was published, if it was recorded.
    pub version_id: Option<String>,
    /// Its title, which is also its text for those who do not see it.
    pub title: String,
    /// Its media type: PNG, JPEG or GIF.
    pub media_type: &'static str,
    /// The link that opens it.
    pub link: Option<String>,
}
