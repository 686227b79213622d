//! Step Functions as the functions see it: an execution per name, one answer per token.
//!
//! It lets others have a turn before it answers, so that calls at the same time interleave.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Arc, Mutex},
};

use dropcast_aws::{
    CallError,
    ports::{ResumeExecutions, StartExecutions},
};
use dropcast_domain::{
    ids::{JobId, RunId},
    job::JobEnd,
};
use tokio::task::yield_now;

use crate::unavailable;

/// Executions that were started and resumed; clones share them.
#[derive(Debug, Clone, Default)]
pub struct FakeExecutions(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    started: BTreeSet<RunId>,
    resumed: BTreeMap<String, (JobId, JobEnd)>,
    unavailable: bool,
}

impl FakeExecutions {
    /// Whether every call fails from now on.
    pub fn set_unavailable(&self, unavailable: bool) {
        self.0.lock().unwrap().unavailable = unavailable;
    }

    /// The runs whose execution was started, in order of their ids.
    pub fn started(&self) -> Vec<RunId> {
        self.0.lock().unwrap().started.iter().cloned().collect()
    }

    /// The job and its end by task token; a second answer to one token changes nothing.
    pub fn resumed(&self) -> BTreeMap<String, (JobId, JobEnd)> {
        self.0.lock().unwrap().resumed.clone()
    }
}

impl StartExecutions for FakeExecutions {
    async fn start(&self, run: &RunId) -> Result<(), CallError> {
        yield_now().await;
        let mut state = self.0.lock().unwrap();
        if state.unavailable {
            return Err(unavailable("states:StartExecution"));
        }
        state.started.insert(run.clone());
        Ok(())
    }
}

impl ResumeExecutions for FakeExecutions {
    async fn resume(&self, token: &str, job: &JobId, end: &JobEnd) -> Result<bool, CallError> {
        yield_now().await;
        let mut state = self.0.lock().unwrap();
        if state.unavailable {
            return Err(unavailable("states:SendTaskSuccess"));
        }
        let answer = state.resumed.entry(token.to_owned());
        let first = matches!(answer, Entry::Vacant(_));
        answer.or_insert_with(|| (job.clone(), end.clone()));
        Ok(first)
    }
}
