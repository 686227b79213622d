use std::str::FromStr;

use dropcast_lambda_kit::config::{ConfigError, Settings};
use thiserror::Error;

#[derive(Debug, Clone)]
pub struct Config {
    pub runs_table: String,
    pub models_bucket: String,
    /// The results bucket's name, which models' roles may use parts of.
    pub results_bucket: String,
    /// The `CodeBuild` project whose builds are models.
    pub build_project: String,
    /// The log group that its builds write to.
    pub build_log_group: String,
    /// The repository that images have to come from.
    pub image_repository: String,
    /// What jobs are given.
    pub jobs: JobSettings,
}

/// What the jobs of every model are given.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// The stack's name, which job definitions are named and tagged with.
    pub stack: String,
    /// The role by which a job's image, log and secrets are reached.
    pub execution_role: String,
    /// The boundary of every model's own role, by ARN.
    pub boundary: String,
    /// The path of every model's own role, with a slash at both ends.
    pub role_path: String,
    /// How the names of models' secrets begin.
    pub secret_prefix: String,
    /// The log group that jobs write to.
    pub log_group: String,
    pub platform: Platform,
    /// Whether a job on Fargate gets a public address: it needs one where no NAT is.
    pub assign_public_ip: PublicIp,
    /// The processor that images are built for.
    pub architecture: Architecture,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Platform {
    #[default]
    Fargate,
    Ec2,
}

/// Whether a job on Fargate gets a public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PublicIp {
    Enabled,
    #[default]
    Disabled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Architecture {
    #[default]
    X86_64,
    Arm64,
}

/// A setting that is none of the words it may be.
#[derive(Debug, Error)]
#[error("“{given}” is neither {one} nor {other}")]
pub struct ParseChoiceError {
    given: String,
    one: &'static str,
    other: &'static str,
}

fn choice<T>(
    given: &str,
    one: (&'static str, T),
    other: (&'static str, T),
) -> Result<T, ParseChoiceError> {
    if given == one.0 {
        Ok(one.1)
    } else if given == other.0 {
        Ok(other.1)
    } else {
        Err(ParseChoiceError {
            given: given.to_owned(),
            one: one.0,
            other: other.0,
        })
    }
}

impl FromStr for Platform {
    type Err = ParseChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        choice(text, ("FARGATE", Self::Fargate), ("EC2", Self::Ec2))
    }
}

impl FromStr for PublicIp {
    type Err = ParseChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        choice(
            text,
            ("ENABLED", Self::Enabled),
            ("DISABLED", Self::Disabled),
        )
    }
}

impl FromStr for Architecture {
    type Err = ParseChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        choice(text, ("X86_64", Self::X86_64), ("ARM64", Self::Arm64))
    }
}

impl Config {
    /// Reads the settings, and reports all problems at once.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let config = Self {
            runs_table: settings.text("RUNS_TABLE"),
            models_bucket: settings.text("MODELS_BUCKET"),
            results_bucket: settings.text("RESULTS_BUCKET"),
            build_project: settings.text("BUILD_PROJECT"),
            build_log_group: settings.text("BUILD_LOG_GROUP"),
            image_repository: settings.text("IMAGE_REPOSITORY"),
            jobs: JobSettings {
                stack: settings.text("STACK_NAME"),
                execution_role: settings.text("JOB_EXECUTION_ROLE_ARN"),
                boundary: settings.text("JOB_BOUNDARY_ARN"),
                role_path: settings.text("JOB_ROLE_PATH"),
                secret_prefix: settings.text("SECRET_PREFIX"),
                log_group: settings.text("JOB_LOG_GROUP"),
                platform: settings.parsed("JOB_PLATFORM"),
                assign_public_ip: settings.parsed("JOB_ASSIGN_PUBLIC_IP"),
                architecture: settings.parsed("JOB_ARCHITECTURE"),
            },
        };
        settings.finish().map(|()| config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_choice_is_named_with_those_that_are() {
        assert_eq!("EC2".parse::<Platform>().unwrap(), Platform::Ec2);
        assert_eq!(
            "ARM64".parse::<Architecture>().unwrap(),
            Architecture::Arm64
        );
        assert_eq!("ENABLED".parse::<PublicIp>().unwrap(), PublicIp::Enabled);
        assert_eq!(
            "SPOT".parse::<Platform>().unwrap_err().to_string(),
            "“SPOT” is neither FARGATE nor EC2"
        );
    }
}
