//! One seed, from its uploads to the moment when nothing is left to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll, Waker},
};

use dropcast_domain::ids::{JobId, RunId};
use dropcast_store::{Models as _, memory::MemoryStore};
use dropcast_test_support::samples;
use serde_json::json;

use crate::{
    caller::Caller,
    clock,
    faults::{Fault, Faults, Strike},
    functions::{Answer, Consumer, Functions, Invocation},
    invariants,
    machine::Definition,
    queue::Queue,
    random::Random,
    settings::{Campaign, Settings},
    stream::Stream,
    table::{Table, at_once},
    trace::Trace,
    world::{Shared, World, lock},
};

/// More steps than any seed needs: the pipeline is going round in circles.
const MAX_STEPS: u64 = 400_000;

/// How often the schedule invokes repair-runs, in milliseconds.
const REPAIR_EVERY_MS: i64 = 5 * 60_000;

/// What a seed came to.
#[derive(Debug)]
pub struct Outcome {
    /// The invariants that did not hold, each in a sentence.
    pub violations: Vec<String>,
    /// The faults that struck.
    pub struck: Vec<Strike>,
    /// How many steps were taken.
    pub steps: u64,
    /// What happened, if it was asked for.
    pub trace: Vec<String>,
}

/// Simulates one seed. Faults whose numbers are in `left_out` do not strike.
pub fn simulate(seed: u64, campaign: &Campaign, left_out: &BTreeSet<u32>, traced: bool) -> Outcome {
    clock::set(0);
    let mut simulation = Simulation::new(seed, campaign, left_out, traced);
    let mut steps = 0;
    while simulation.step() {
        steps += 1;
        if steps == MAX_STEPS {
            let what = "the pipeline never comes to rest".to_owned();
            lock(&simulation.world).violated(what);
            break;
        }
    }
    invariants::at_rest(&mut lock(&simulation.world), campaign);
    let Simulation { world, .. } = simulation;
    let mut world = lock(&world);
    let trace = std::mem::take(&mut world.trace).into_lines();
    Outcome {
        violations: std::mem::take(&mut world.violations),
        struck: world.faults.struck().to_vec(),
        steps,
        trace,
    }
}

struct Simulation {
    world: Shared,
    functions: Functions,
    running: Vec<Running>,
    invocations: u64,
}

/// An invocation under way.
struct Running {
    caller: Caller,
    function: String,
    invocation: Invocation,
    /// When it goes on, after a stall.
    resumes_at: i64,
    /// When Lambda ends it.
    ends_at: i64,
    /// Whether its caller gave up on it.
    abandoned: bool,
}

/// Something that can happen now.
enum Next {
    Poll(usize),
    Receive(Consumer),
    Changes,
    Repair,
    Attempt(RunId),
    Job(JobId),
    TimeLimit(RunId),
    Cancel(RunId),
}

fn definition() -> Arc<Definition> {
    static DEFINITION: OnceLock<Arc<Definition>> = OnceLock::new();
    Arc::clone(DEFINITION.get_or_init(|| Arc::new(Definition::load())))
}

fn queue_of(consumer: Consumer) -> fn(&mut World) -> &mut Queue {
    match consumer {
        Consumer::StartRun => |world| &mut world.intake,
        Consumer::TrackJob => |world| &mut world.job_events,
        Consumer::Notify => |world| &mut world.notices,
    }
}

impl Simulation {
    fn new(seed: u64, campaign: &Campaign, left_out: &BTreeSet<u32>, traced: bool) -> Self {
        let mut random = Random::new(seed);
        let settings = Settings::draw(&mut random);
        let budget = random.below(u64::from(campaign.max_faults) + 1);
        let faults = Faults::draw(
            &mut random,
            campaign.faults,
            u32::try_from(budget).unwrap_or(0),
            settings.fault_per_mille,
            left_out.clone(),
        );
        let world = World {
            faults,
            random,
            settings,
            trace: Trace::new(traced),
            definition: definition(),
            executions: BTreeMap::new(),
            jobs: BTreeMap::new(),
            intake: Queue::new("intake", 90, 8),
            job_events: Queue::new("job-events", 120, 8),
            notices: Queue::new("notices", 180, 12),
            stream: Stream::default(),
            uploads: Vec::new(),
            cancel_at: BTreeMap::new(),
            repair_at: REPAIR_EVERY_MS,
            records: BTreeMap::new(),
            due_mails: Vec::new(),
            published: BTreeMap::new(),
            mails: Vec::new(),
            violations: Vec::new(),
        };
        let world = Arc::new(Mutex::new(world));
        let store = MemoryStore::default();
        at_once(store.register(&samples::version_spec(samples::MODEL))).unwrap();
        let table = Table {
            store,
            world: Arc::clone(&world),
        };
        let functions = Functions {
            table,
            world: Arc::clone(&world),
        };
        let simulation = Self {
            world,
            functions,
            running: Vec::new(),
            invocations: 0,
        };
        simulation.upload(campaign);
        simulation
    }

    fn upload(&self, campaign: &Campaign) {
        let mut world = lock(&self.world);
        for number in 1..=campaign.uploads {
            let kind = if world.random.chance(100) {
                "faulty"
            } else {
                "plan"
            };
            let upload = samples::upload(samples::MODEL, &format!("{kind}-{number}.json"));
            let event = json!({
                "time": upload.at,
                "detail": {
                    "bucket": { "name": upload.bucket },
                    "object": {
                        "key": upload.key,
                        "size": upload.bytes,
                        "version-id": upload.version_id,
                        "sequencer": upload.sequencer,
                    },
                },
            });
            // Nothing is drawn where nobody cancels: seeds that were kept stay what they were.
            let cancelled = campaign.cancelled_per_mille;
            if cancelled > 0 && world.random.chance(cancelled) {
                let within = 4 * world.settings.job_step_ms + 1_000;
                let at = world.random.milliseconds(within);
                world.cancel_at.insert(upload.run_id(), at);
            }
            world.uploads.push(upload);
            if !world.strikes(Fault::UploadEventLost, "an upload") {
                world.deliver(|world| &mut world.intake, &event);
            }
        }
    }

    /// Lets one of the things that can happen now happen; false when nothing is left.
    fn step(&mut self) -> bool {
        let mut ready = self.ready();
        if ready.is_empty() {
            return match self.next_at() {
                Some(at) => {
                    clock::set(at);
                    true
                }
                None => false,
            };
        }
        let index = lock(&self.world)
            .random
            .below(u64::try_from(ready.len()).unwrap_or(1));
        match ready.swap_remove(usize::try_from(index).unwrap_or(0)) {
            Next::Poll(index) => self.poll(index),
            Next::Receive(consumer) => self.receive(consumer),
            Next::Changes => self.receive_changes(),
            Next::Repair => {
                lock(&self.world).repair_at = clock::milliseconds() + REPAIR_EVERY_MS;
                let invocation = self.functions.repair();
                self.run(Caller::Schedule, "repair-runs", 240, invocation);
            }
            Next::Attempt(run) => self.begin_attempt(&run),
            Next::Job(job) => lock(&self.world).step_job(&job),
            Next::Cancel(run) => {
                lock(&self.world).cancel_at.insert(run.clone(), i64::MAX);
                let invocation = self.functions.cancel(run.clone());
                self.run(Caller::Person(run), "dropcast cancel", 60, invocation);
            }
            Next::TimeLimit(run) => {
                let world = &mut *lock(&self.world);
                if let Some(execution) = world.executions.get_mut(&run) {
                    world
                        .trace
                        .note(|| format!("Step Functions: {run}: States.Timeout"));
                    execution.time_out(&world.definition, &mut world.random);
                }
            }
        }
        true
    }

    fn ready(&self) -> Vec<Next> {
        let now = clock::milliseconds();
        let mut ready = Vec::new();
        for (index, running) in self.running.iter().enumerate() {
            if running.resumes_at <= now {
                // Calls take less time than jobs and deliveries.
                ready.extend([Next::Poll(index), Next::Poll(index), Next::Poll(index)]);
            }
        }
        let mut world = lock(&self.world);
        for consumer in Consumer::ALL {
            let next_at = queue_of(consumer)(&mut world).next_at();
            if next_at.is_some_and(|at| at <= now) {
                ready.push(Next::Receive(consumer));
            }
        }
        if world.stream.is_due() {
            ready.push(Next::Changes);
        }
        if world.repair_at <= now && world.repair_is_wanted() {
            ready.push(Next::Repair);
        }
        let cancelled = world.cancel_at.iter().filter(|(_, at)| **at <= now);
        ready.extend(cancelled.map(|(run, _)| Next::Cancel(run.clone())));
        for (run, execution) in &world.executions {
            if execution.outcome.is_some() {
                continue;
            }
            if execution.next_attempt_at.is_some_and(|at| at <= now) {
                ready.push(Next::Attempt(run.clone()));
            }
            if execution.deadline.is_some_and(|at| at <= now) {
                ready.push(Next::TimeLimit(run.clone()));
            }
        }
        let jobs = world.jobs.values();
        ready.extend(
            jobs.filter(|job| job.end.is_none() && job.next_at <= now)
                .map(|job| Next::Job(job.id.clone())),
        );
        ready
    }

    fn next_at(&self) -> Option<i64> {
        let resumed = self.running.iter().map(|running| running.resumes_at).min();
        resumed.into_iter().chain(lock(&self.world).next_at()).min()
    }

    fn run(
        &mut self,
        caller: Caller,
        function: &str,
        timeout_seconds: i64,
        invocation: Invocation,
    ) {
        self.invocations += 1;
        lock(&self.world)
            .trace
            .note(|| format!("Lambda: {function} is invoked"));
        self.running.push(Running {
            caller,
            function: function.to_owned(),
            invocation,
            resumes_at: 0,
            ends_at: clock::milliseconds() + timeout_seconds * 1_000,
            abandoned: false,
        });
    }

    fn receive(&mut self, consumer: Consumer) {
        let received = {
            let world = &mut *lock(&self.world);
            let from = world.random.below(1 << 16);
            let at_most = world.settings.batch_size;
            queue_of(consumer)(world).receive(from, at_most)
        };
        if let Some((ids, event)) = received {
            let invocation = self.functions.consume(consumer, &event);
            let caller = Caller::Queue(consumer, ids);
            self.run(
                caller,
                consumer.name(),
                consumer.timeout_seconds(),
                invocation,
            );
        }
    }

    fn receive_changes(&mut self) {
        let event = {
            let world = &mut *lock(&self.world);
            world.stream.receive(world.settings.batch_size)
        };
        let delivered = event["Records"].as_array().map_or(0, Vec::len);
        let invocation = self.functions.announce(&event);
        self.run(Caller::Stream(delivered), "announce-run", 30, invocation);
    }

    fn begin_attempt(&mut self, run: &RunId) {
        let id = self.invocations;
        let attempt = {
            let world = &mut *lock(&self.world);
            let execution = world.executions.get_mut(run);
            execution.and_then(|execution| execution.begin_attempt(&world.definition, id))
        };
        if let Some(attempt) = attempt {
            let invocation = self.functions.task(&attempt.function, attempt.payload);
            let caller = Caller::Task(run.clone(), attempt.id);
            let timeout = timeout_seconds(&attempt.function);
            self.run(caller, &attempt.function, timeout, invocation);
        }
    }

    /// An invocation goes on by one call, stalls, or meets a fault of its own.
    fn poll(&mut self, index: usize) {
        let now = clock::milliseconds();
        let running = &mut self.running[index];
        if now >= running.ends_at {
            lock(&self.world)
                .trace
                .note(|| format!("Lambda: {} timed out", running.function));
            self.end(index, "Sandbox.Timedout");
            return;
        }
        {
            let world = &mut *lock(&self.world);
            if world.random.chance(world.settings.stall_per_mille) {
                let stall = 1 + world.random.milliseconds(world.settings.stall_ms);
                running.resumes_at = now + stall;
                return;
            }
        }
        if lock(&self.world).strikes(Fault::Stall, &running.function) {
            running.resumes_at = now + lock(&self.world).random.milliseconds(60_000);
            return;
        }
        if !running.abandoned {
            if lock(&self.world).strikes(Fault::Crash, &running.function) {
                self.end(index, "Sandbox.Timedout");
                return;
            }
            if matches!(running.caller, Caller::Task(..))
                && lock(&self.world).strikes(Fault::CallerGivesUp, &running.function)
            {
                running.abandoned = true;
                // It was given up because it is slow.
                running.resumes_at = now + lock(&self.world).random.milliseconds(60_000);
                let error = "Lambda.ClientExecutionTimeoutException";
                running.caller.fail_task(&self.world, error);
            }
        }
        let mut context = Context::from_waker(Waker::noop());
        let running = &mut self.running[index];
        if let Poll::Ready(answer) = running.invocation.as_mut().poll(&mut context) {
            let running = self.running.swap_remove(index);
            self.answered(&running, answer);
        }
        let pause = lock(&self.world).random.milliseconds(30);
        clock::set(clock::milliseconds() + pause);
    }

    /// An invocation ends without an answer.
    fn end(&mut self, index: usize, error: &str) {
        let running = self.running.swap_remove(index);
        if !running.abandoned {
            running.caller.lose_answer(&self.world, error);
        }
    }

    fn answered(&self, running: &Running, answer: Answer) {
        if running.abandoned {
            return;
        }
        if lock(&self.world).strikes(Fault::ResultLost, &running.function) {
            running.caller.lose_answer(&self.world, "Lambda.Unknown");
            return;
        }
        let world = &mut *lock(&self.world);
        match (&running.caller, answer) {
            (Caller::Queue(consumer, ids), Answer::Messages(failed)) => {
                let handled: Vec<String> = ids
                    .iter()
                    .filter(|id| !failed.contains(id))
                    .cloned()
                    .collect();
                queue_of(*consumer)(world).delete(&handled);
            }
            (Caller::Schedule, Answer::Repaired) => {}
            (Caller::Person(run), Answer::Cancelled(answered)) => {
                if answered {
                    world.cancel_at.remove(run);
                } else {
                    world.cancel_again(run);
                }
            }
            (Caller::Stream(delivered), Answer::Changes(failed)) => {
                world.stream.handled(*delivered, failed);
            }
            (Caller::Task(run, attempt), Answer::Task(Ok(payload))) => {
                if let Some(execution) = world.executions.get_mut(run) {
                    execution.succeed(&world.definition, *attempt, &payload);
                }
            }
            (Caller::Task(run, attempt), Answer::Task(Err((error, cause)))) => {
                if let Some(execution) = world.executions.get_mut(run) {
                    world
                        .trace
                        .note(|| format!("Step Functions: {run}: {error}"));
                    let World {
                        definition, random, ..
                    } = world;
                    execution.fail(definition, random, *attempt, &error, &cause);
                }
            }
            _ => unreachable!("an invocation answers its caller"),
        }
    }
}

/// The timeout of a task's function, in seconds.
fn timeout_seconds(function: &str) -> i64 {
    match function {
        "${ValidateInputsArn}" => 600,
        "${SubmitJobArn}" => 30,
        "${TrackJobArn}" => 20,
        "${IndexOutputsArn}" => 900,
        _ => 15,
    }
}
