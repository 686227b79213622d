//! Everything outside the functions, under one lock: queues, stream, Batch, Step Functions, mails.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use dropcast_aws::CallError;
use dropcast_domain::{
    ids::{JobId, RunId},
    mail::MailKind,
    run::Run,
    upload::Upload,
};
use dropcast_store::memory::yield_once;
use serde_json::Value;

use crate::{
    batch::Job,
    clock,
    faults::{Fault, Faults},
    machine::{Definition, Execution, TOKEN_MARKER},
    queue::Queue,
    random::Random,
    settings::Settings,
    stream::Stream,
    trace::Trace,
};

/// The world, shared by the ports of all invocations.
pub(crate) type Shared = Arc<Mutex<World>>;

/// The longest that a mail may count as due after its run ended, in milliseconds.
const MAIL_SETTLED_WITHIN_MS: i64 = 60 * 60_000;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
    pub(crate) definition: Arc<Definition>,
    pub(crate) executions: BTreeMap<RunId, Execution>,
    pub(crate) jobs: BTreeMap<JobId, Job>,
    pub(crate) intake: Queue,
    pub(crate) job_events: Queue,
    pub(crate) notices: Queue,
    pub(crate) stream: Stream,
    /// The files in the inputs bucket.
    pub(crate) uploads: Vec<Upload>,
    /// The runs that somebody will cancel, each with the time of the next try.
    pub(crate) cancel_at: BTreeMap<RunId, i64>,
    /// When the schedule rings next, while there is anything to repair.
    pub(crate) repair_at: i64,
    /// The runs' records as they last were.
    pub(crate) records: BTreeMap<RunId, Run>,
    /// The runs that somebody still has to be mailed about, as the table says.
    pub(crate) due_mails: Vec<RunId>,
    /// The job whose outputs were published for a run.
    pub(crate) published: BTreeMap<RunId, JobId>,
    /// Mails that SES accepted: run, kind, recipient.
    pub(crate) mails: Vec<(String, &'static str, String)>,
    pub(crate) violations: Vec<String>,
}

/// What becomes of a call.
enum Fate {
    Served,
    Refused,
    AnswerLost,
    Repeated,
}

/// Whether a client's SDK repeats a call whose answer it did not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SdkRetries {
    On,
    Off,
}

pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, World> {
    shared.lock().unwrap()
}

/// A call of a service, which may be refused, lose its answer or take effect twice.
pub(crate) async fn call<T>(
    shared: &Shared,
    name: &'static str,
    retries: SdkRetries,
    mut apply: impl FnMut(&mut World) -> T,
) -> Result<T, CallError> {
    yield_once().await;
    let mut world = lock(shared);
    match world.fate(name, retries) {
        Fate::Served => Ok(apply(&mut world)),
        Fate::Refused => Err(failed(name)),
        Fate::AnswerLost => {
            apply(&mut world);
            Err(failed(name))
        }
        Fate::Repeated => {
            apply(&mut world);
            Ok(apply(&mut world))
        }
    }
}

fn failed(call: &'static str) -> CallError {
    CallError {
        call,
        transient: true,
        source: "simulated".into(),
    }
}

impl World {
    fn fate(&mut self, call: &'static str, retries: SdkRetries) -> Fate {
        if self.strikes(Fault::CallRefused, call) {
            Fate::Refused
        } else if self.strikes(Fault::AnswerLost, call) {
            Fate::AnswerLost
        } else if retries == SdkRetries::On && self.strikes(Fault::CallRepeated, call) {
            Fate::Repeated
        } else {
            Fate::Served
        }
    }

    /// Whether a fault strikes here; it is traced if so.
    pub(crate) fn strikes(&mut self, fault: Fault, target: &str) -> bool {
        let strikes = self.faults.strikes(&mut self.random, fault, target);
        if strikes {
            self.trace.note(|| format!("fault: {fault:?} at {target}"));
        }
        strikes
    }

    /// How often the store applies a call, and whether its answer arrives.
    pub(crate) fn fate_of_store_call(&mut self, method: &'static str) -> (u8, bool) {
        match self.fate(method, SdkRetries::On) {
            Fate::Served => (1, true),
            Fate::Refused => (0, false),
            Fate::AnswerLost => (1, false),
            Fate::Repeated => (2, true),
        }
    }

    pub(crate) fn violated(&mut self, what: String) {
        self.trace.note(|| format!("violated: {what}"));
        self.violations.push(what);
    }

    /// Nothing but the token's own users may hold a token.
    pub(crate) fn holds_no_token(&mut self, place: &str, content: &str) {
        if content.contains(TOKEN_MARKER) {
            self.violated(format!("a task token is in {place}"));
        }
    }

    /// Sends an event to a queue through EventBridge: sometimes twice, sometimes late.
    pub(crate) fn deliver(&mut self, queue: fn(&mut Self) -> &mut Queue, event: &Value) {
        let name = queue(self).name;
        self.holds_no_token(name, &event.to_string());
        let copies = if self.random.chance(200) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = self.random.milliseconds(self.settings.delivery_ms);
            queue(self).send(event.clone(), delay);
        }
    }

    /// A job takes its next step, and its event is sent.
    pub(crate) fn step_job(&mut self, id: &JobId) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        job.step(&mut self.random, &self.settings);
        let (status, event) = (job.status(), job.event());
        self.trace.note(|| format!("Batch: {id} is {status}"));
        if !self.strikes(Fault::JobEventLost, status) {
            self.deliver(|world| &mut world.job_events, &event);
        }
    }

    pub(crate) fn published(&mut self, run: &RunId, job: &JobId) {
        self.published.insert(run.clone(), job.clone());
    }

    pub(crate) fn stop_job(&mut self, id: &JobId, reason: &str) {
        if let Some(job) = self.jobs.get_mut(id) {
            job.stop(reason, &mut self.random);
            self.trace.note(|| format!("Batch: {id} is to stop"));
        }
    }

    /// A record changed, in one write.
    pub(crate) fn changed(&mut self, after: &Run) {
        let before = self.records.get(&after.id);
        if before == Some(after) {
            return;
        }
        if let Some(before) = before {
            if after.current.progress.order() < before.current.progress.order() && !after.is_over()
            {
                let what = format!(
                    "a run went back from {} to {}",
                    before.status(),
                    after.status()
                );
                self.violated(what);
            }
            if let Some(before) = self.records.get(&after.id)
                && before.is_over()
                && before != after
            {
                self.violated(format!("a run that had {} changed", before.status()));
            }
        }
        self.trace
            .note(|| format!("table: {} is {}", after.id, after.status()));
        self.stream.push(self.records.get(&after.id), after);
        self.records.insert(after.id.clone(), after.clone());
    }

    /// Somebody who was not answered tries again.
    pub(crate) fn cancel_again(&mut self, run: &RunId) {
        let at = clock::milliseconds() + 2_000;
        self.cancel_at.insert(run.clone(), at);
    }

    /// Whether a pass of the repair could still find something. The schedule never ends, but a
    /// simulation must.
    pub(crate) fn repair_is_wanted(&self) -> bool {
        let open = self.records.values().any(|run| !run.is_over());
        let useless = self.jobs.values().any(|job| job.end.is_none());
        let missed = self.records.len() < self.uploads.len();
        open || useless || missed || self.mail_is_missing() || self.mail_was_just_due()
    }

    /// Whether a mail counts as due of a run that ended less than an hour ago. A finish-run that its
    /// caller gave up on may say so after the mail was sent; the next pass settles it.
    fn mail_was_just_due(&self) -> bool {
        let ends = self
            .due_mails
            .iter()
            .filter_map(|run| self.records.get(run));
        ends.map(|run| clock::since_start(run.current.at))
            .any(|end| clock::milliseconds() - end < MAIL_SETTLED_WITHIN_MS)
    }

    /// Whether somebody has to be mailed about a run that ended, and nobody was.
    fn mail_is_missing(&self) -> bool {
        self.records.values().any(|run| {
            let mailed = || self.mails.iter().any(|(id, ..)| id == run.id.as_str());
            MailKind::of(run).is_some() && !mailed()
        })
    }

    /// The time at which something may happen next, after now.
    pub(crate) fn next_at(&self) -> Option<i64> {
        let now = clock::milliseconds();
        let queues = [&self.intake, &self.job_events, &self.notices];
        let executions = self.executions.values().filter(|run| run.outcome.is_none());
        queues
            .into_iter()
            .filter_map(Queue::next_at)
            .chain(self.stream.next_at())
            .chain(
                executions
                    .flat_map(|run| [run.next_attempt_at, run.deadline])
                    .flatten(),
            )
            .chain(self.jobs.values().map(|job| job.next_at))
            .chain(self.cancel_at.values().copied())
            .chain(self.repair_is_wanted().then_some(self.repair_at))
            .filter(|at| *at > now && *at < i64::MAX)
            .min()
    }
}
