//! The topic and kind of a mail; `dropcast-mail` composes the mail itself.

use serde::{Deserialize, Serialize};

use crate::{
    ids::RunId,
    registry::BuildId,
    run::Run,
    status::{Status, TerminalStatus},
    upload::RunKind,
};

/// What a mail is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailTopic {
    /// A run that ended.
    Run(RunId),
    /// A build that ended.
    Build(BuildId),
}

impl MailTopic {
    /// The id of the run or build.
    pub fn id(&self) -> &str {
        match self {
            Self::Run(run) => run.as_str(),
            Self::Build(build) => build.as_str(),
        }
    }

    /// The word for it: `run` or `build`.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Build(_) => "build",
        }
    }

    /// The name of a mail of this kind, in the table, in message ids and in SES's tags.
    pub fn mail_name(&self, kind: MailKind) -> &'static str {
        match (self, kind) {
            (Self::Run(_), kind) => kind.as_str(),
            (Self::Build(_), MailKind::Succeeded) => "build-registered",
            (Self::Build(_), _) => "build-failed",
        }
    }
}

/// The kind of a mail; there is one mail per run or build, kind and recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailKind {
    /// The results are available.
    Succeeded,
    /// The run ended without results.
    Failed,
    /// The input was rejected.
    Rejected,
    /// The run was cancelled.
    Cancelled,
}

impl MailKind {
    /// The kind of mail to send about a run; none while it is open, and none for a successful
    /// refresh, for which nobody waits.
    pub fn of(run: &Run) -> Option<Self> {
        Self::about(run.kind, run.status())
    }

    /// The kind of mail to send about a run of this kind that ends with this status.
    pub fn at_end(kind: RunKind, status: TerminalStatus) -> Option<Self> {
        Self::about(kind, status.into())
    }

    fn about(kind: RunKind, status: Status) -> Option<Self> {
        match status {
            Status::Succeeded => kind.is_run().then_some(Self::Succeeded),
            Status::Failed => Some(Self::Failed),
            Status::Rejected => Some(Self::Rejected),
            Status::Cancelled => Some(Self::Cancelled),
            _ => None,
        }
    }

    /// The name of a mail of this kind about a run.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }

    /// The name as shown to users.
    pub fn label(self) -> &'static str {
        match self {
            Self::Succeeded => "Ready",
            Self::Failed => "Failed",
            Self::Rejected => "Not accepted",
            Self::Cancelled => "Cancelled",
        }
    }
}
