//! What `CodeBuild` says of a build, and what is to be done about it.

use jiff::Timestamp;

use super::{BuildCode, BuildFailure, BuildId, BuildPhase, Requester, phase};
use crate::text;

/// The longest text of `CodeBuild`'s that a message repeats, in characters.
const CONTEXT_LENGTH: usize = 400;

/// A build as `CodeBuild` reports it, in an event or in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildReport {
    /// The build.
    pub build: BuildId,
    /// The project that it belongs to.
    pub project: String,
    /// Its status.
    pub state: BuildState,
    /// Its phases up to now, in order.
    pub phases: Vec<PhaseReport>,
    /// The stream of its log, in the project's log group.
    pub log_stream: Option<String>,
    /// What its requester said.
    pub requester: Requester,
    /// When that was so.
    pub at: Timestamp,
}

/// One phase of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseReport {
    /// The phase.
    pub phase: BuildPhase,
    /// How it ended; nothing while it lasts.
    pub state: Option<BuildState>,
    /// What `CodeBuild` says about how it ended.
    pub context: Vec<String>,
}

/// The status of a build or a phase.
///
/// See <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildState {
    /// It has not ended.
    InProgress,
    /// All went well.
    Succeeded,
    /// Something failed.
    Failed,
    /// `CodeBuild` broke.
    Fault,
    /// Somebody stopped it.
    Stopped,
    /// It took too long.
    TimedOut,
    /// One that is not known here.
    Unknown,
}

impl BuildState {
    /// The state of this name.
    pub fn from_name(name: &str) -> Self {
        match name {
            // Phases know the last two beside it.
            "IN_PROGRESS" | "QUEUED" => Self::InProgress,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" | "CLIENT_ERROR" => Self::Failed,
            "FAULT" => Self::Fault,
            "STOPPED" => Self::Stopped,
            "TIMED_OUT" => Self::TimedOut,
            _ => Self::Unknown,
        }
    }

    fn code(self) -> Option<BuildCode> {
        match self {
            Self::InProgress | Self::Succeeded | Self::Unknown => None,
            Self::Failed => Some(BuildCode::BuildFailed),
            Self::Fault => Some(BuildCode::BuildBroke),
            Self::Stopped => Some(BuildCode::BuildStopped),
            Self::TimedOut => Some(BuildCode::BuildTimedOut),
        }
    }
}

/// What is to be done about a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildDecision {
    /// What it made is to become a version.
    Register,
    /// It is to be recorded as failed.
    Fail(BuildFailure),
    /// Nothing.
    Ignore(BuildIgnored),
}

/// Why nothing is to be done about a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildIgnored {
    /// It belongs to another project.
    NotOurs,
    /// It has not ended.
    InProgress,
    /// A status that Dropcast does not know.
    UnknownState,
}

impl BuildIgnored {
    /// The reason as a log line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotOurs => "the build belongs to another project",
            Self::InProgress => "the build has not ended",
            Self::UnknownState => "the build has an unknown status",
        }
    }
}

/// Decides about a build; `project` is the one whose builds are models.
pub fn decide(report: &BuildReport, project: &str) -> BuildDecision {
    if report.project != project {
        return BuildDecision::Ignore(BuildIgnored::NotOurs);
    }
    match (report.state, report.state.code()) {
        (BuildState::Succeeded, _) => BuildDecision::Register,
        (BuildState::InProgress, _) => BuildDecision::Ignore(BuildIgnored::InProgress),
        (_, Some(code)) => BuildDecision::Fail(failure(report, code)),
        _ => BuildDecision::Ignore(BuildIgnored::UnknownState),
    }
}

/// The first phase that did not end well is the cause: `CodeBuild` goes on to the phase after
/// the build's commands even where those failed.
fn failure(report: &BuildReport, code: BuildCode) -> BuildFailure {
    let ended_badly = |phase: &&PhaseReport| {
        phase
            .state
            .is_some_and(|state| state.code().is_some() || state == BuildState::Unknown)
    };
    let last = || {
        let before_the_end = |phase: &&PhaseReport| phase.phase != BuildPhase::Completed;
        report.phases.iter().rfind(before_the_end)
    };
    let cause = report.phases.iter().find(ended_badly).or_else(last);
    let phase = cause.map_or(BuildPhase::Unknown, |cause| cause.phase);
    let mut message = phase::happened(code, phase);
    let context = cause.map(|cause| cause.context.join(" "));
    let context = text::clean_line(context.as_deref().unwrap_or_default());
    // A phase that has nothing to say says ": ".
    if context.chars().any(char::is_alphanumeric) {
        let context = text::shorten(&context, CONTEXT_LENGTH);
        message = format!("{message} The build said: “{context}”");
    }
    BuildFailure::new(code, phase, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = "dropcast-models";

    fn report(state: &str, phases: &[(&str, &str, &str)]) -> BuildReport {
        BuildReport {
            build: "5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20".parse().unwrap(),
            project: PROJECT.to_owned(),
            state: BuildState::from_name(state),
            phases: phases
                .iter()
                .map(|(phase, state, context)| PhaseReport {
                    phase: BuildPhase::from_codebuild(phase),
                    state: (!state.is_empty()).then(|| BuildState::from_name(state)),
                    context: vec![(*context).to_owned()],
                })
                .collect(),
            log_stream: None,
            requester: Requester::default(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn failed(report: &BuildReport) -> BuildFailure {
        match decide(report, PROJECT) {
            BuildDecision::Fail(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn builds_of_other_projects_and_unfinished_builds_are_ignored() {
        let done = report("SUCCEEDED", &[]);
        assert_eq!(decide(&done, PROJECT), BuildDecision::Register);
        assert_eq!(
            decide(&done, "another"),
            BuildDecision::Ignore(BuildIgnored::NotOurs)
        );
        for (state, why) in [
            ("IN_PROGRESS", BuildIgnored::InProgress),
            ("DREAMING", BuildIgnored::UnknownState),
        ] {
            assert_eq!(
                decide(&report(state, &[]), PROJECT),
                BuildDecision::Ignore(why)
            );
        }
    }

    #[test]
    fn the_first_phase_that_failed_is_the_cause() {
        let failure = failed(&report(
            "FAILED",
            &[
                ("INSTALL", "SUCCEEDED", ": "),
                (
                    "BUILD",
                    "FAILED",
                    "COMMAND_EXECUTION_ERROR: docker build\nexit 1",
                ),
                ("POST_BUILD", "FAILED", "no image"),
                ("COMPLETED", "", ""),
            ],
        ));
        assert_eq!(
            (failure.code, failure.phase),
            (BuildCode::BuildFailed, BuildPhase::Build)
        );
        assert_eq!(
            failure.message,
            "The image could not be built, or the model did not run on its own examples. The build said: “COMMAND_EXECUTION_ERROR: docker build exit 1”"
        );
    }

    #[test]
    fn every_phase_can_fail_and_every_way_to_end_has_its_code() {
        for phase in BuildPhase::ALL {
            for (state, code) in [
                ("FAILED", BuildCode::BuildFailed),
                ("FAULT", BuildCode::BuildBroke),
                ("STOPPED", BuildCode::BuildStopped),
                ("TIMED_OUT", BuildCode::BuildTimedOut),
            ] {
                let failure = failed(&report(state, &[(phase.as_str(), state, ": ")]));
                assert_eq!((failure.code, failure.phase), (code, phase));
                assert!(failure.message.ends_with('.'), "{}", failure.message);
            }
        }
        let bare = failed(&report("FAILED", &[]));
        assert_eq!(bare.phase, BuildPhase::Unknown);
    }

    #[test]
    fn a_build_that_was_stopped_ended_in_the_last_phase_it_came_to() {
        let failure = failed(&report(
            "STOPPED",
            &[
                ("QUEUED", "SUCCEEDED", ""),
                ("BUILD", "", ""),
                ("COMPLETED", "", ""),
            ],
        ));
        assert_eq!(failure.phase, BuildPhase::Build);
    }
}
