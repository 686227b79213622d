//! The keys of the results bucket: what belongs to a model's runs, and its cache.
//!
//! Every key begins with a segment for the model, at which the role of the model's jobs ends.

use crate::{
    ids::{JobId, RunId},
    model::ModelName,
    output::MARKED_FILE,
    run::Run,
    upload::Request,
};

/// The segment of runs whose upload names no valid model. A name begins with a letter,
/// so that no model's role ends here, and whatever an uploader writes leads to no other prefix.
const NO_MODEL: &str = "_";

/// The keys of one run's objects, all of them below `runs/<model>/<run>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunKeys {
    prefix: String,
}

impl RunKeys {
    /// The keys of the run that an upload starts, from what its key asks for.
    pub fn of(request: &Request, run: &RunId) -> Self {
        let prefix = match request.model.parse::<ModelName>() {
            Ok(model) => format!("{}{run}/", runs_prefix(&model)),
            Err(_) => format!("runs/{NO_MODEL}/{run}/"),
        };
        Self { prefix }
    }

    /// What all of them begin with: `runs/<model>/<run>/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where the run's jobs write: `…/outputs/`.
    pub fn outputs(&self) -> String {
        format!("{}outputs/", self.prefix)
    }

    /// Where one attempt of one job writes: `…/outputs/<job>/<attempt>/`.
    pub fn attempt(&self, job: &JobId, attempt: u32) -> String {
        format!("{}outputs/{job}/{attempt}/", self.prefix)
    }

    /// Where the job's runner lists what it wrote, one JSON object a line, sorted
    /// by path: beside the attempt's folder, so that no output can be named so.
    pub fn listing(&self, job: &JobId, attempt: u32) -> String {
        format!("{}outputs/{job}/{attempt}.files.jsonl", self.prefix)
    }

    /// Where the published outputs are listed.
    pub fn manifest(&self) -> String {
        format!("{}manifest.json", self.prefix)
    }

    /// Where a rejected input's problems are kept.
    pub fn problems(&self) -> String {
        format!("{}problems.json", self.prefix)
    }

    /// Where the copy of a rejected table is kept in which its faults are marked.
    pub fn marked(&self) -> String {
        format!("{}{MARKED_FILE}", self.prefix)
    }

    /// Where the accepted input is kept as it was.
    pub fn input(&self, file: &str) -> String {
        format!("{}input/{file}", self.prefix)
    }

    /// Where the input is kept as the model reads it: UTF-8, defaults filled in.
    pub fn prepared(&self, file: &str) -> String {
        format!("{}prepared/{file}", self.prefix)
    }

    /// Where a table is kept as the model reads it: one clean CSV, whatever the file was.
    pub fn prepared_table(&self, file: &str) -> String {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        format!("{}prepared/{stem}.csv", self.prefix)
    }
}

impl Run {
    /// The keys of this run's objects in the results bucket.
    pub fn keys(&self) -> RunKeys {
        RunKeys::of(&self.request, &self.id)
    }
}

/// The prefix of all runs of one model: `runs/<model>/`.
pub fn runs_prefix(model: &ModelName) -> String {
    format!("runs/{model}/")
}

/// The prefix below which one model keeps files between runs: `cache/<model>/`.
pub fn cache_prefix(model: &ModelName) -> String {
    format!("cache/{model}/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(model: &str) -> RunKeys {
        let request = Request {
            model: model.to_owned(),
            version: None,
        };
        RunKeys::of(&request, &run())
    }

    fn run() -> RunId {
        "mfrggzdfmztwq2lknnwg23tpoa".parse().unwrap()
    }

    #[test]
    fn a_runs_objects_lie_below_its_model() {
        let (keys, job) = (keys("churn"), "4f0f3c1e".parse().unwrap());
        let run = "runs/churn/mfrggzdfmztwq2lknnwg23tpoa";
        assert_eq!(keys.input("a.xlsx"), format!("{run}/input/a.xlsx"));
        assert_eq!(keys.prepared("a.json"), format!("{run}/prepared/a.json"));
        assert_eq!(
            keys.prepared_table("a.b.xlsx"),
            format!("{run}/prepared/a.b.csv")
        );
        assert_eq!(keys.outputs(), format!("{run}/outputs/"));
        assert_eq!(keys.attempt(&job, 2), format!("{run}/outputs/4f0f3c1e/2/"));
        assert_eq!(
            keys.listing(&job, 2),
            format!("{run}/outputs/4f0f3c1e/2.files.jsonl")
        );
        assert_eq!(keys.manifest(), format!("{run}/manifest.json"));
        assert_eq!(keys.problems(), format!("{run}/problems.json"));
        assert_eq!(keys.marked(), format!("{run}/marked.xlsx"));
    }

    #[test]
    fn what_is_no_models_name_leads_to_a_segment_that_no_model_can_have() {
        assert!(NO_MODEL.parse::<ModelName>().is_err());
        for asked in ["", "_", "..", "Churn", "churn ", "chürn", "churn\n", "*"] {
            assert_eq!(
                keys(asked).prefix(),
                "runs/_/mfrggzdfmztwq2lknnwg23tpoa/",
                "{asked}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_leads_to_its_own_model_or_to_none(asked in any::<String>()) {
            let keys = keys(&asked);
            let segments: Vec<&str> = keys.prefix().split('/').collect();
            let [root, model, id, rest] = segments.as_slice() else {
                panic!("{segments:?}");
            };
            let run = run();
            prop_assert_eq!((*root, *id, *rest), ("runs", run.as_str(), ""));
            prop_assert!(*model == NO_MODEL || *model == asked);
        }
    }
}
