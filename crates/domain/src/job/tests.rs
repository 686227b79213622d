use proptest::prelude::*;

use super::*;
use crate::{
    cancellation::Cancellation,
    failure::ErrorCode,
    ids::RunId,
    run::Run,
    status::{Progress, Transition},
    upload::Upload,
};

const JOB: &str = "11111111-2222-3333-4444-555555555555";

fn new_run() -> Run {
    let upload = Upload {
        bucket: "in".into(),
        key: "inputs/m/a.json".into(),
        version_id: Some("v".into()),
        sequencer: None,
        bytes: 2,
        at: Timestamp::UNIX_EPOCH,
    };
    Run::received(upload, Timestamp::UNIX_EPOCH)
}

fn attempt(exit_code: Option<i32>, reason: Option<&str>, status_reason: Option<&str>) -> Attempt {
    Attempt {
        finished: true,
        exit_code,
        container_reason: reason.map(Into::into),
        status_reason: status_reason.map(Into::into),
        log_stream: Some("m/default/1".into()),
    }
}

fn change(status: &str, attempts: Vec<Attempt>, second: i64) -> JobChange {
    JobChange {
        job: JOB.parse().unwrap(),
        status: JobStatus::from_name(status),
        status_reason: None,
        stopped_on_request: None,
        attempts,
        at: Timestamp::from_second(second).unwrap(),
    }
}

fn failed(status_reason: Option<&str>, attempts: Vec<Attempt>) -> JobChange {
    JobChange {
        status_reason: status_reason.map(Into::into),
        ..change("FAILED", attempts, 9)
    }
}

/// A job whose first attempt lost its host and whose second succeeded.
fn history_with_a_retry() -> Vec<JobChange> {
    let lost = || attempt(None, None, Some("Host EC2 (instance i-0) terminated."));
    vec![
        change("RUNNABLE", vec![], 1),
        change("STARTING", vec![], 2),
        change("RUNNING", vec![], 3),
        change("RUNNABLE", vec![lost()], 4),
        change("RUNNING", vec![lost()], 5),
        change("SUCCEEDED", vec![lost(), attempt(Some(0), None, None)], 6),
    ]
}

/// What a store and Step Functions make of the effects.
#[derive(Default)]
struct World {
    resumed: Vec<JobEnd>,
    token_spent: bool,
    timeline: std::collections::BTreeMap<u64, Timestamp>,
}

impl World {
    fn perform(&mut self, run: &mut Run, change: &JobChange) {
        for effect in decide(run, change) {
            match effect {
                Effect::AssignJob(job) => {
                    run.assign_job(job);
                    assert_eq!(run.job.as_ref(), Some(&change.job));
                }
                Effect::Advance(step) => {
                    let seen = self
                        .timeline
                        .entry(step.progress.order())
                        .or_insert(step.at);
                    *seen = (*seen).min(step.at);
                    run.advance(step);
                }
                Effect::RecordJobEnd(end) => run.record_job_end(end),
                Effect::Resume(end) if !self.token_spent => {
                    self.token_spent = true;
                    self.resumed.push(end);
                }
                Effect::Resume(_) | Effect::KeepLog(_) => {}
                Effect::Terminate(job, _) => panic!("nothing is to be stopped, least of all {job}"),
            }
        }
    }
}

fn play(changes: &[JobChange]) -> (String, usize) {
    let (mut run, mut world) = (new_run(), World::default());
    for change in changes {
        world.perform(&mut run, change);
    }
    let record = serde_json::to_string(&run).unwrap();
    (format!("{record}{:?}", world.timeline), world.resumed.len())
}

fn permutations(of: &[JobChange]) -> Vec<Vec<JobChange>> {
    if of.is_empty() {
        return vec![vec![]];
    }
    (0..of.len())
        .flat_map(|first| {
            let mut rest = of.to_vec();
            let head = rest.remove(first);
            permutations(&rest).into_iter().map(move |mut tail| {
                tail.insert(0, head.clone());
                tail
            })
        })
        .collect()
}

#[test]
fn invariant_2_every_order_of_six_events_with_a_retry_gives_the_same_record() {
    let expected = play(&history_with_a_retry());
    assert_eq!(expected.1, 1, "the execution is resumed once");
    let orders = permutations(&history_with_a_retry());
    assert_eq!(orders.len(), 720);
    for order in orders {
        assert_eq!(play(&order), expected, "{order:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]
    #[test]
    fn invariant_2_any_interleaving_of_tripled_events_gives_the_same_record(
        shuffled in Just([history_with_a_retry(), history_with_a_retry(), history_with_a_retry()].concat()).prop_shuffle()
    ) {
        prop_assert_eq!(play(&shuffled), play(&history_with_a_retry()));
    }
}

#[test]
fn invariant_3_a_second_job_of_the_run_is_stopped_and_otherwise_ignored() {
    let mut run = new_run();
    run.assign_job("the-first".parse().unwrap());
    assert!(
        matches!(&decide(&run, &change("RUNNING", vec![], 1))[..], [Effect::Terminate(job, _)] if job.as_str() == JOB)
    );
    assert_eq!(
        decide(
            &run,
            &change("SUCCEEDED", vec![attempt(Some(0), None, None)], 2)
        ),
        []
    );
    assert_eq!(decide(&run, &change("FAILED", vec![], 2)), []);
}

#[test]
fn a_job_that_outlives_its_run_is_stopped() {
    let mut run = new_run();
    run.assign_job(JOB.parse().unwrap());
    run.advance(Transition {
        progress: Progress::first(Status::Failed),
        at: Timestamp::UNIX_EPOCH,
    });
    assert!(matches!(
        &decide(&run, &change("RUNNING", vec![], 1))[..],
        [Effect::Terminate(..)]
    ));
    assert_eq!(decide(&run, &change("FAILED", vec![], 2)), []);
}

#[test]
fn the_job_of_a_cancelled_run_is_stopped_and_its_failure_is_the_cancellation() {
    let mut run = new_run();
    let request = Cancellation::new("ana", Some("wrong file"), Timestamp::UNIX_EPOCH);
    run.request_cancellation(&request);
    let effects = decide(&run, &change("RUNNING", vec![], 1));
    let stop = Effect::Terminate(JOB.parse().unwrap(), stop_reason::CANCELLED);
    assert_eq!(effects.last(), Some(&stop));

    let ended = |change: &JobChange| match decide(&run, change).last() {
        Some(Effect::Resume(end)) => end.failure.clone(),
        other => panic!("{other:?}"),
    };
    // AWS Batch says that it stopped the job, or that the job never ran.
    let killed = vec![attempt(Some(137), None, None)];
    let stopped = JobChange {
        stopped_on_request: Some(true),
        ..failed(Some(stop_reason::CANCELLED), killed)
    };
    assert_eq!(ended(&stopped), Some(request.failure()));
    assert_eq!(ended(&failed(None, vec![])), Some(request.failure()));
    // It ended by itself before it could be stopped.
    let by_itself = failed(None, vec![attempt(Some(3), None, None)]);
    assert_eq!(ended(&by_itself).unwrap().code, ErrorCode::JobFailed);
    assert_eq!(ended(&change("SUCCEEDED", vec![], 2)), None);
}

#[test]
fn a_request_to_cancel_comes_too_late_once_the_job_has_ended() {
    let mut run = new_run();
    run.record_job_end(JobEnd {
        attempts: 1,
        at: Timestamp::UNIX_EPOCH,
        failure: None,
        log_stream: None,
    });
    run.request_cancellation(&Cancellation::new("ana", None, Timestamp::UNIX_EPOCH));
    assert_eq!(run.cancellation, None);
}

#[test]
fn a_status_from_the_future_changes_nothing() {
    assert_eq!(decide(&new_run(), &change("HIBERNATING", vec![], 1)), []);
}

#[test]
fn a_success_without_listed_attempts_counts_as_the_first() {
    let effects = decide(&new_run(), &change("SUCCEEDED", vec![], 1));
    assert!(matches!(
        effects.last(),
        Some(Effect::Resume(JobEnd {
            attempts: 1,
            failure: None,
            ..
        }))
    ));
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "One row for each thing that AWS may say."
)]
fn every_failure_string_has_its_code() {
    let essential = Some("Essential container in task exited");
    let cases = [
        (
            failed(essential, vec![attempt(Some(1), None, essential)]),
            ErrorCode::JobFailed,
        ),
        (
            failed(
                essential,
                vec![attempt(
                    Some(137),
                    Some("OutOfMemoryError: Container killed due to memory usage"),
                    essential,
                )],
            ),
            ErrorCode::OutOfMemory,
        ),
        (
            failed(
                Some("Task failed to start"),
                vec![attempt(
                    None,
                    Some("CannotPullContainerError: pull access denied"),
                    Some("Task failed to start"),
                )],
            ),
            ErrorCode::Internal,
        ),
        (
            failed(
                Some("Task failed to start"),
                vec![attempt(None, None, Some("Task failed to start"))],
            ),
            ErrorCode::HostLost,
        ),
        (
            failed(
                Some("Host EC2 (instance i-0abc) terminated."),
                vec![attempt(
                    Some(143),
                    None,
                    Some("Host EC2 (instance i-0abc) terminated."),
                )],
            ),
            ErrorCode::HostLost,
        ),
        (
            failed(
                Some("Job attempt duration exceeded timeout"),
                vec![attempt(
                    Some(137),
                    None,
                    Some("Job attempt duration exceeded timeout"),
                )],
            ),
            ErrorCode::TimedOut,
        ),
        (
            failed(
                essential,
                vec![attempt(
                    None,
                    Some("CannotInspectContainerError: Could not transition to inspecting"),
                    essential,
                )],
            ),
            ErrorCode::HostLost,
        ),
        (
            failed(
                Some(
                    "ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was provided for this task.",
                ),
                vec![],
            ),
            ErrorCode::Internal,
        ),
        (
            failed(
                Some(
                    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: ResourceNotFoundException: …",
                ),
                vec![],
            ),
            ErrorCode::SecretMissing,
        ),
        (
            failed(
                Some("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - …"),
                vec![],
            ),
            ErrorCode::CapacityUnavailable,
        ),
        (
            failed(Some("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - …"), vec![]),
            ErrorCode::CapacityUnavailable,
        ),
        (
            JobChange {
                stopped_on_request: Some(true),
                ..failed(Some("Not needed any more"), vec![])
            },
            ErrorCode::Cancelled,
        ),
        (
            failed(
                Some("Not needed any more"),
                vec![attempt(Some(143), None, essential)],
            ),
            ErrorCode::Cancelled,
        ),
        (
            failed(
                Some("Not needed any more"),
                vec![attempt(Some(137), None, essential)],
            ),
            ErrorCode::Cancelled,
        ),
        (
            JobChange {
                stopped_on_request: Some(true),
                ..failed(essential, vec![attempt(Some(143), None, essential)])
            },
            ErrorCode::Cancelled,
        ),
        (
            JobChange {
                stopped_on_request: Some(false),
                ..failed(Some("Something new"), vec![])
            },
            ErrorCode::JobLost,
        ),
        (failed(essential, vec![]), ErrorCode::JobLost),
        (
            failed(
                Some("Your Spot Task was interrupted."),
                vec![attempt(
                    Some(143),
                    None,
                    Some("Your Spot Task was interrupted."),
                )],
            ),
            ErrorCode::HostLost,
        ),
        (
            failed(Some("Your Spot Task was interrupted."), vec![]),
            ErrorCode::HostLost,
        ),
        (failed(None, vec![]), ErrorCode::JobLost),
    ];
    for (change, code) in cases {
        let failure = translate(&change);
        assert_eq!(failure.code, code, "{change:#?}");
        assert!(
            failure.message.ends_with('.') || failure.message.ends_with('…'),
            "{}",
            failure.message
        );
    }
}

#[test]
fn a_run_id_is_a_job_name() {
    // Batch: up to 128 letters, numbers, hyphens and underscores, first alphanumeric.
    let id: RunId = new_run().id;
    assert!(
        id.as_str()
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    );
}

#[test]
fn a_known_exit_code_is_explained() {
    for (code, says) in [
        (126, "could not be run (exit code 126)"),
        (127, "was not found (exit code 127)"),
        (137, "too much memory"),
        (3, "with an error (exit code 3)"),
    ] {
        let said = exit_sentence(code);
        assert!(said.contains(says), "{said}");
    }
}
