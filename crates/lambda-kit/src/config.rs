//! Configuration from the environment, read once, with all problems reported together.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use thiserror::Error;

/// Reads named settings and remembers what was missing or unusable.
///
/// ```
/// # use dropcast_lambda_kit::config::Settings;
/// let mut settings = Settings::from_pairs([("TABLE", "runs")]);
/// let table = settings.text("TABLE");
/// let days: u32 = settings.parsed("DAYS");
/// assert_eq!(settings.finish().unwrap_err().to_string(), "unusable configuration: DAYS is not set");
/// # let _ = (table, days);
/// ```
#[derive(Debug)]
pub struct Settings {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
}

/// Settings that are missing or unusable, all of them.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unusable configuration: {}", .0.join("; "))]
pub struct ConfigError(Vec<String>);

impl Settings {
    /// The process's environment.
    pub fn from_env() -> Self {
        // Names or values that are not UTF-8 are none of ours.
        let pairs = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Self {
            values: pairs.collect(),
            problems: Vec::new(),
        }
    }

    /// Given settings, for tests.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let values = pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Self {
            values,
            problems: Vec::new(),
        }
    }

    /// A text that must be there and not be empty.
    pub fn text(&mut self, key: &str) -> String {
        match self.values.get(key).map(|value| value.trim()) {
            Some(value) if !value.is_empty() => value.to_owned(),
            _ => {
                self.problems.push(format!("{key} is not set"));
                String::new()
            }
        }
    }

    /// A text that must be set and may be empty, which says that there is none.
    pub fn text_if_any(&mut self, key: &str) -> Option<String> {
        match self.values.get(key).map(|value| value.trim()) {
            Some("") => None,
            Some(value) => Some(value.to_owned()),
            None => {
                self.problems.push(format!("{key} is not set"));
                None
            }
        }
    }

    /// The ARNs of the deployment's job queues, of which there are one or two.
    pub fn job_queues(&mut self) -> Vec<String> {
        let usual = self.text("JOB_QUEUE_ARN");
        let large = self.text_if_any("LARGE_JOB_QUEUE_ARN");
        [usual].into_iter().chain(large).collect()
    }

    /// A value that must be there and parse; its default when it does not,
    /// which [`Settings::finish`] keeps anybody from using.
    pub fn parsed<T>(&mut self, key: &str) -> T
    where
        T: FromStr + Default,
        T::Err: Display,
    {
        let text = self.text(key);
        if text.is_empty() {
            return T::default();
        }
        text.parse().unwrap_or_else(|error| {
            self.problems.push(format!("{key}: {error}"));
            T::default()
        })
    }

    /// A list separated by commas that must be there and have an entry: an empty
    /// one could mean nothing as well as everything.
    pub fn list(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.values.get(key) else {
            self.problems.push(format!("{key} is not set"));
            return Vec::new();
        };
        let entries: Vec<String> = value
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(ToOwned::to_owned)
            .collect();
        if entries.is_empty() {
            self.problems.push(format!(
                "{key} is an empty list; it needs at least one entry"
            ));
        }
        entries
    }

    /// Fails if anything asked for was missing or unusable.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError(self.problems))
        }
    }
}
