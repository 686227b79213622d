//! The job's environment, parsed once.

use std::ffi::OsString;

use crate::{error::JobError, s3_uri::S3Uri};

/// Looks a variable of the environment up. [`std::env::var_os`] in production.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What a job is for: `DROPCAST_RUN_KIND`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A run of the model on an input.
    Run,
    /// A refresh of what the model keeps, without an input.
    Refresh,
}

/// The input of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// `DROPCAST_INPUT_URI`: the input as the model reads it.
    pub prepared: S3Uri,
    /// `DROPCAST_ORIGINAL_URI`: the input as it was dropped.
    pub original: S3Uri,
}

/// What the submitter of the job and AWS Batch say about this attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What is run on; a refresh has none.
    pub input: Option<Input>,
    /// `DROPCAST_OUTPUT_URI`: the run's prefix for outputs; `<job>/<attempt>/` is put after it.
    pub outputs: S3Uri,
    /// `DROPCAST_CACHE_URI`: the model's prefix for what it keeps; ends with a slash.
    pub cache: S3Uri,
    /// `DROPCAST_RUN_ID`.
    pub run_id: String,
    /// `DROPCAST_MODEL`.
    pub model: String,
    /// `DROPCAST_VERSION`.
    pub version: String,
    /// `AWS_BATCH_JOB_ID`.
    pub job_id: String,
    /// `AWS_BATCH_JOB_ATTEMPT`, from 1.
    pub attempt: u32,
}

impl Config {
    /// Reads every key; the error names all that are missing or wrong in one sentence.
    pub fn from_environment(environment: Environment<'_>) -> Result<Self, JobError> {
        let mut reader = Reader {
            environment,
            missing: Vec::new(),
            wrong: Vec::new(),
        };
        let input = match reader.kind() {
            Some(Kind::Run) => {
                let prepared = reader.read("DROPCAST_INPUT_URI", object);
                let original = reader.read("DROPCAST_ORIGINAL_URI", object);
                prepared
                    .zip(original)
                    .map(|(prepared, original)| Some(Input { prepared, original }))
            }
            Some(Kind::Refresh) => Some(None),
            None => None,
        };
        let outputs = reader.read("DROPCAST_OUTPUT_URI", prefix);
        let cache = reader.read("DROPCAST_CACHE_URI", prefix);
        let run_id = reader.read("DROPCAST_RUN_ID", |text| Ok(text.to_owned()));
        let model = reader.read("DROPCAST_MODEL", |text| Ok(text.to_owned()));
        let version = reader.read("DROPCAST_VERSION", |text| Ok(text.to_owned()));
        let job_id = reader.read("AWS_BATCH_JOB_ID", |text| {
            if text.contains('/') || text.chars().any(char::is_control) {
                return Err(format!("is not a job id, found {text:?}"));
            }
            Ok(text.to_owned())
        });
        let attempt = reader.read("AWS_BATCH_JOB_ATTEMPT", |text| match text.parse::<u32>() {
            Ok(attempt) if attempt > 0 => Ok(attempt),
            _ => Err(format!("must be a whole number from 1, found {text:?}")),
        });
        match (
            input, outputs, cache, run_id, model, version, job_id, attempt,
        ) {
            (
                Some(input),
                Some(outputs),
                Some(cache),
                Some(run_id),
                Some(model),
                Some(version),
                Some(job_id),
                Some(attempt),
            ) => Ok(Self {
                input,
                outputs,
                cache,
                run_id,
                model,
                version,
                job_id,
                attempt,
            }),
            _ => Err(JobError::Usage(reader.complaint())),
        }
    }

    /// What the job is for.
    pub fn kind(&self) -> Kind {
        match self.input {
            Some(_) => Kind::Run,
            None => Kind::Refresh,
        }
    }

    /// Where this attempt's outputs go: `<outputs>/<job>/<attempt>/`.
    pub fn attempt_prefix(&self) -> S3Uri {
        self.outputs
            .join(&format!("{}/{}/", self.job_id, self.attempt))
    }

    /// Where the listing goes that publishes them: `<outputs>/<job>/<attempt>.files.jsonl`.
    pub fn listing(&self) -> S3Uri {
        self.outputs
            .join(&format!("{}/{}.files.jsonl", self.job_id, self.attempt))
    }
}

fn object(text: &str) -> Result<S3Uri, String> {
    let uri = S3Uri::parse(text)?;
    if uri.key.is_empty() || uri.key.ends_with('/') {
        return Err(format!("does not name an object, found {text:?}"));
    }
    Ok(uri)
}

/// A prefix ends with a slash, or `cache/a` would also hold what belongs to `cache/ab`.
fn prefix(text: &str) -> Result<S3Uri, String> {
    let uri = S3Uri::parse(text)?;
    if uri.key.is_empty() {
        return Err(format!("names no prefix, found {text:?}"));
    }
    Ok(uri.join(""))
}

struct Reader<'a> {
    environment: Environment<'a>,
    missing: Vec<&'static str>,
    wrong: Vec<String>,
}

impl Reader<'_> {
    fn read<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Some(value) = (self.environment)(key).filter(|value| !value.is_empty()) else {
            self.missing.push(key);
            return None;
        };
        let parsed = match value.to_str() {
            Some(text) => parse(text),
            None => Err("is not UTF-8".to_owned()),
        };
        parsed
            .map_err(|reason| self.wrong.push(format!("{key} {reason}")))
            .ok()
    }

    /// A run unless something else is said.
    fn kind(&mut self) -> Option<Kind> {
        match (self.environment)("DROPCAST_RUN_KIND")
            .as_deref()
            .map(std::ffi::OsStr::to_str)
        {
            None | Some(Some("" | "run")) => Some(Kind::Run),
            Some(Some("refresh")) => Some(Kind::Refresh),
            Some(other) => {
                let found = other.unwrap_or("what is not UTF-8");
                self.wrong.push(format!(
                    "DROPCAST_RUN_KIND must be run or refresh, found {found:?}"
                ));
                None
            }
        }
    }

    fn complaint(mut self) -> String {
        if !self.missing.is_empty() {
            let missing = format!("missing in the environment: {}", self.missing.join(", "));
            self.wrong.insert(0, missing);
        }
        self.wrong.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn whole() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            (
                "DROPCAST_INPUT_URI",
                "s3://r/runs/m/1/prepared/plan a+b.json",
            ),
            (
                "DROPCAST_ORIGINAL_URI",
                "s3://r/runs/m/1/input/plan a+b.json",
            ),
            ("DROPCAST_OUTPUT_URI", "s3://r/runs/m/1/outputs"),
            ("DROPCAST_CACHE_URI", "s3://r/cache/m/"),
            ("DROPCAST_RUN_ID", "mfrggzdfmztwq2lknnwg23tpoa"),
            ("DROPCAST_MODEL", "m"),
            ("DROPCAST_VERSION", "3"),
            ("AWS_BATCH_JOB_ID", "0b69cfd5-example"),
            ("AWS_BATCH_JOB_ATTEMPT", "2"),
        ])
    }

    fn read(variables: &BTreeMap<&str, &str>) -> Result<Config, JobError> {
        Config::from_environment(&|key| variables.get(key).map(OsString::from))
    }

    #[test]
    fn a_whole_environment_is_read_and_places_the_outputs() {
        let config = read(&whole()).unwrap();
        assert_eq!(
            config.attempt_prefix().key,
            "runs/m/1/outputs/0b69cfd5-example/2/"
        );
        assert_eq!(
            config.listing().key,
            "runs/m/1/outputs/0b69cfd5-example/2.files.jsonl"
        );
    }

    #[test]
    fn a_refresh_has_no_input() {
        let mut variables = whole();
        variables.insert("DROPCAST_RUN_KIND", "refresh");
        variables.remove("DROPCAST_INPUT_URI");
        variables.remove("DROPCAST_ORIGINAL_URI");
        let config = read(&variables).unwrap();
        assert_eq!((config.kind(), config.input), (Kind::Refresh, None));
        variables.insert("DROPCAST_RUN_KIND", "run");
        let said = read(&variables).unwrap_err().to_string();
        assert!(
            said.contains("missing in the environment: DROPCAST_INPUT_URI"),
            "{said}"
        );
        variables.insert("DROPCAST_RUN_KIND", "restore");
        let said = read(&variables).unwrap_err().to_string();
        assert!(
            said.contains("DROPCAST_RUN_KIND must be run or refresh"),
            "{said}"
        );
        assert_eq!(read(&whole()).unwrap().kind(), Kind::Run);
    }

    #[test]
    fn all_missing_keys_are_reported_together() {
        let error = read(&BTreeMap::new()).unwrap_err();
        assert_eq!(error.exit_code(), 64);
        for key in whole().keys() {
            assert!(error.to_string().contains(key), "{error}");
        }
    }

    #[test]
    fn what_is_missing_and_what_is_wrong_are_said_together() {
        let mut variables = whole();
        variables.remove("DROPCAST_MODEL");
        variables.insert("DROPCAST_RUN_ID", "");
        variables.insert("DROPCAST_INPUT_URI", "s3://r/folder/");
        variables.insert("AWS_BATCH_JOB_ATTEMPT", "0");
        variables.insert("AWS_BATCH_JOB_ID", "../x");
        let said = read(&variables).unwrap_err().to_string();
        for part in [
            "missing in the environment: DROPCAST_RUN_ID, DROPCAST_MODEL",
            "DROPCAST_INPUT_URI does not name an object",
            "AWS_BATCH_JOB_ATTEMPT must be",
            "AWS_BATCH_JOB_ID is not a job id",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn a_cache_prefix_ends_with_a_slash_so_that_it_never_reaches_another_models() {
        let mut variables = whole();
        variables.insert("DROPCAST_CACHE_URI", "s3://r/cache/m");
        assert_eq!(read(&variables).unwrap().cache.key, "cache/m/");
        variables.insert("DROPCAST_CACHE_URI", "s3://r");
        assert!(read(&variables).is_err());
    }
}
