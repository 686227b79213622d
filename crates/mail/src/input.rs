//! What is known about a run when a mail about it is composed.

use std::collections::BTreeMap;

use dropcast_domain::{problem::ProblemList, run::Run};
use jiff::Timestamp;
use serde_json::Value;

/// Everything that is known about a run that ended; what is not known is left out of the mail.
#[derive(Debug, Clone, Copy)]
pub struct MailInput<'a> {
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
    /// How the reader gets the copy of a rejected table in which the problems are marked.
    pub copy: Option<MarkedCopy<'a>>,
    /// The job's last lines, oldest first.
    pub log: &'a [String],
    /// Links by output path; anything but http and https is dropped.
    pub links: &'a BTreeMap<String, String>,
    /// When the links expire.
    pub links_until: Option<Timestamp>,
    /// Addresses that the deployment does not mail.
    pub refused: &'a [String],
    /// Whether the operator is mailed because nobody else could be.
    pub operator_only: bool,
    /// The present time.
    pub now: Timestamp,
}

/// The copy of a rejected table in which the problems are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkedCopy<'a> {
    /// It is attached to the mail.
    Attached,
    /// It is behind this link.
    Linked(&'a str),
}
