//! One build: its phases, and how one follows another
//! (<https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html>).

use crate::codebuild::wire::requests::Variable;

/// The status of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    InProgress,
    Succeeded,
    Failed,
    Stopped,
    TimedOut,
}

impl Status {
    /// As AWS writes it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Stopped => "STOPPED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

/// The kinds of phases, in their order. Not the domain's `BuildPhase`: this service imitates AWS, so
/// the names that the functions read are checked against a second list, taken from AWS's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PhaseKind {
    Submitted,
    Queued,
    Provisioning,
    DownloadSource,
    Install,
    PreBuild,
    Build,
    PostBuild,
    UploadArtifacts,
    Finalizing,
    Completed,
}

impl PhaseKind {
    /// As AWS writes it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Queued => "QUEUED",
            Self::Provisioning => "PROVISIONING",
            Self::DownloadSource => "DOWNLOAD_SOURCE",
            Self::Install => "INSTALL",
            Self::PreBuild => "PRE_BUILD",
            Self::Build => "BUILD",
            Self::PostBuild => "POST_BUILD",
            Self::UploadArtifacts => "UPLOAD_ARTIFACTS",
            Self::Finalizing => "FINALIZING",
            Self::Completed => "COMPLETED",
        }
    }

    /// The phase that comes after this one. Only BUILD is followed by the next one when it failed.
    pub(crate) const fn next(self, well: bool) -> Self {
        match (self, well) {
            (Self::Submitted, true) => Self::Queued,
            (Self::Queued, true) => Self::Provisioning,
            (Self::Provisioning, true) => Self::DownloadSource,
            (Self::DownloadSource, true) => Self::Install,
            (Self::Install, true) => Self::PreBuild,
            (Self::PreBuild, true) => Self::Build,
            (Self::Build, _) => Self::PostBuild,
            (Self::PostBuild, _) => Self::UploadArtifacts,
            (Self::Finalizing | Self::Completed, _) => Self::Completed,
            _ => Self::Finalizing,
        }
    }
}

/// How a phase ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    /// With AWS's code for the reason, and a sentence.
    Failed(&'static str, String),
    Stopped,
    TimedOut,
}

impl Outcome {
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed(..) => "FAILED",
            Self::Stopped => "STOPPED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// The code and the sentence of a phase's context.
    pub(crate) fn context(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Failed(code, message) => Some((code, message)),
            Self::TimedOut => Some(("BUILD_TIMED_OUT", "Build has timed out. ")),
            Self::Succeeded | Self::Stopped => None,
        }
    }
}

/// One phase. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phase {
    pub(crate) kind: PhaseKind,
    pub(crate) started_at: i64,
    pub(crate) end: Option<(i64, Outcome)>,
}

/// A zip file in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

impl Source {
    /// `bucket/key`.
    pub(crate) fn location(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:s3:::{}/{}", self.bucket, self.key)
    }
}

/// One build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Build {
    pub(crate) uuid: String,
    /// `<project>:<uuid>`.
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) project: String,
    pub(crate) number: u64,
    pub(crate) source: Source,
    pub(crate) variables: Vec<Variable>,
    pub(crate) timeout_minutes: u32,
    pub(crate) token: Option<String>,
    pub(crate) started_at: i64,
    pub(crate) phases: Vec<Phase>,
    pub(crate) status: Status,
    /// Whether its events are lost: a fault.
    pub(crate) is_unheard: bool,
}

impl Build {
    /// The phase that it is in.
    pub(crate) fn current(&self) -> PhaseKind {
        self.phases
            .last()
            .map_or(PhaseKind::Submitted, |phase| phase.kind)
    }

    /// When it ended.
    pub(crate) fn ended_at(&self) -> Option<i64> {
        let completed = self.phases.last()?;
        (completed.kind == PhaseKind::Completed).then_some(completed.started_at)
    }

    /// Whether every phase so far went well.
    pub(crate) fn is_well(&self) -> bool {
        self.phases.iter().all(|phase| {
            let end = phase.end.as_ref().map(|(_, outcome)| outcome);
            end.is_none_or(|outcome| *outcome == Outcome::Succeeded)
        })
    }

    /// The value of a variable, if it has one.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|variable| variable.name == name);
        found
            .map(|variable| variable.value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn begin(&mut self, kind: PhaseKind, now: i64) {
        self.phases.push(Phase {
            kind,
            started_at: now,
            end: None,
        });
    }

    /// Ends the current phase and begins the next; the last one sets the build's status.
    pub(crate) fn end_phase(&mut self, outcome: Outcome, now: i64) {
        let kind = self.current();
        let well = outcome == Outcome::Succeeded;
        if self.status == Status::InProgress {
            self.status = match outcome {
                Outcome::Stopped => Status::Stopped,
                Outcome::TimedOut => Status::TimedOut,
                _ => Status::InProgress,
            };
        }
        let next = match self.status {
            Status::InProgress => kind.next(well),
            // After a stop, the other phases are skipped.
            _ if kind < PhaseKind::Finalizing => PhaseKind::Finalizing,
            _ => kind.next(well),
        };
        if let Some(phase) = self.phases.last_mut() {
            phase.end = Some((now, outcome));
        }
        self.begin(next, now);
        if next == PhaseKind::Completed && self.status == Status::InProgress {
            self.status = if self.is_well() {
                Status::Succeeded
            } else {
                Status::Failed
            };
        }
    }
}
