//! The phases of a build, and what a failure in each of them means.

use super::{BuildCode, BuildFailure};
use crate::variants::named_enum;

named_enum! {
    /// The phases of a build: `CodeBuild`'s, and one of Dropcast.
    ///
    /// See <https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html>.
    #[schemars(
        description = "The phases of a build, as CodeBuild names them, and REGISTER, in which its version is registered."
    )]
    pub enum BuildPhase {
        /// The build was requested.
        Submitted = "SUBMITTED",
        /// It waits for other builds.
        Queued = "QUEUED",
        /// Its machine is set up.
        Provisioning = "PROVISIONING",
        /// Its source is fetched.
        DownloadSource = "DOWNLOAD_SOURCE",
        /// Its dependencies are installed.
        Install = "INSTALL",
        /// The model's folder is checked.
        PreBuild = "PRE_BUILD",
        /// The image is built, and the model run on its own examples.
        Build = "BUILD",
        /// The image is pushed, and the result is recorded.
        PostBuild = "POST_BUILD",
        /// Files are stored.
        UploadArtifacts = "UPLOAD_ARTIFACTS",
        /// `CodeBuild` cleans up.
        Finalizing = "FINALIZING",
        /// The build has ended.
        Completed = "COMPLETED",
        /// The result is registered as a version: this phase is Dropcast's.
        Register = "REGISTER",
        /// A phase that Dropcast does not know.
        #[serde(other)]
        Unknown = "UNKNOWN",
    }
}

impl BuildPhase {
    /// The phase that `CodeBuild` names so; `Unknown` for names that Dropcast does not know.
    pub fn from_codebuild(name: &str) -> Self {
        Self::from_name(name).unwrap_or(Self::Unknown)
    }

    /// What is done in it, as the end of “while …”.
    fn doing(self) -> &'static str {
        match self {
            Self::Submitted | Self::Queued => "it was waiting to start",
            Self::Provisioning => "its machine was being provisioned",
            Self::DownloadSource => "its source was being downloaded",
            Self::Install => "its dependencies were being installed",
            Self::PreBuild => "the model's folder was being checked",
            Self::Build => "the image was being built and run on the model's examples",
            Self::PostBuild => "the image was being pushed and recorded",
            Self::UploadArtifacts => "its artifacts were being stored",
            Self::Finalizing | Self::Completed | Self::Unknown => "it was being finalized",
            Self::Register => "its version was being registered",
        }
    }

    /// What a command that fails in it means.
    pub(super) fn failed(self) -> &'static str {
        match self {
            Self::Submitted | Self::Queued => "The build did not start.",
            Self::Provisioning => "No machine could be provisioned for the build.",
            Self::DownloadSource => "The build's source could not be downloaded.",
            Self::Install => "The build's dependencies could not be installed.",
            Self::PreBuild => "The model's folder did not pass the checks before the build.",
            Self::Build => {
                "The image could not be built, or the model did not run on its own examples."
            }
            Self::PostBuild => "The image was built but could not be pushed or recorded.",
            Self::UploadArtifacts => "The build's artifacts could not be stored.",
            Self::Finalizing | Self::Completed | Self::Unknown => "The build failed.",
            Self::Register => "The build's result cannot be registered as a version.",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Submitted | Self::Queued | Self::Provisioning => {
                "Push again. If it happens twice, ask the operator to check the build project's limits and network; nothing is wrong with the model."
            }
            Self::DownloadSource => {
                "Check that the branch or the pushed archive is still there, and that the connection to the repository works; then push again."
            }
            Self::Install => {
                "Push again if a package index or a download did not respond. Otherwise, ask the operator to check the build project's buildspec."
            }
            Self::PreBuild => {
                "Correct the model's folder as described in the last log lines; `dropcast validate DIR` reports the same problems on your machine. Then push again."
            }
            Self::Build => {
                "Correct the Dockerfile, the requirements or the program as described in the last log lines; `dropcast model test DIR` runs the model on your machine as a job would. Then push again."
            }
            Self::PostBuild | Self::UploadArtifacts => {
                "Push again. If it happens twice, ask the operator whether the build may write to the image repository and the models bucket."
            }
            Self::Finalizing | Self::Completed | Self::Unknown => {
                "Read the last lines of the build's log, correct what they report, and push again."
            }
            Self::Register => "Correct the problem described here, and push again.",
        }
    }
}

/// What a build that ended badly means, in a sentence that needs no log.
pub(super) fn happened(code: BuildCode, phase: BuildPhase) -> String {
    match code {
        BuildCode::BuildFailed | BuildCode::VersionRefused => phase.failed().to_owned(),
        BuildCode::BuildTimedOut => format!(
            "The build exceeded its time limit and was stopped while {}.",
            phase.doing()
        ),
        BuildCode::BuildStopped => {
            format!("Somebody stopped the build while {}.", phase.doing())
        }
        BuildCode::BuildBroke => {
            format!("The build service itself failed while {}.", phase.doing())
        }
        BuildCode::NotRegistered => {
            "The version could not be registered; nothing is wrong with the model.".to_owned()
        }
    }
}

impl BuildFailure {
    /// What to do about it, in one or more sentences.
    pub fn advice(&self) -> &'static str {
        match self.code {
            BuildCode::BuildFailed | BuildCode::VersionRefused => self.phase.advice(),
            BuildCode::BuildTimedOut => {
                "Make the build faster, for example with fewer or prebuilt dependencies, or ask the operator to raise the build's time limit; then push again."
            }
            BuildCode::BuildStopped => "Push again if you still want this version.",
            BuildCode::BuildBroke => {
                "Push again; nothing is wrong with the model. If it happens twice, contact the operator."
            }
            BuildCode::NotRegistered => {
                "Forward this to the operator; once it is fixed, push again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_reads_back_and_says_in_sentences_what_happened_and_what_to_do() {
        for phase in BuildPhase::ALL {
            assert_eq!(BuildPhase::from_codebuild(phase.as_str()), phase);
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.as_str());
            for code in BuildCode::ALL {
                assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
                let message = happened(code, phase);
                let failure = BuildFailure::new(code, phase, &message);
                for text in [message.as_str(), failure.advice()] {
                    assert!(text.ends_with('.'), "{text}");
                    assert!(text.starts_with(char::is_uppercase), "{text}");
                }
            }
        }
        assert_eq!(BuildPhase::from_codebuild("BATCHING"), BuildPhase::Unknown);
        let other: BuildPhase = serde_json::from_str("\"BATCHING\"").unwrap();
        assert_eq!(other, BuildPhase::Unknown);
    }
}
