//! What a mail is about and what sort of news it brings; the mail itself is `dropcast-mail`'s.

use serde::{Deserialize, Serialize};

use crate::{registry::BuildId, run::Run, run_id::RunId, status::Status};

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
