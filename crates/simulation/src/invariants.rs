//! What must hold when nothing is left to do, whatever went wrong.

use std::collections::BTreeMap;

use dropcast_domain::{failure::ErrorCode, mail::MailKind, run::Run, status::Status};

use crate::{
    clock, faults::Fault, functions::RECIPIENT, machine::Outcome, settings::Campaign, world::World,
};

/// The longest that a run may stay open after its job ended, in milliseconds.
const MAX_LATE_MS: i64 = 15 * 60_000;

/// The longest that a job may run that nobody waits for, in milliseconds.
const MAX_WASTED_MS: i64 = 15 * 60_000;

pub(crate) fn at_rest(world: &mut World, campaign: &Campaign) {
    let mut broken = Vec::new();
    if !world.due_mails.is_empty() {
        broken.push("a mail counts as due for ever".to_owned());
    }
    let uploads = usize::try_from(campaign.uploads).unwrap_or(usize::MAX);
    if world.records.len() != uploads {
        broken.push(format!(
            "{uploads} uploads have {} records",
            world.records.len()
        ));
    }
    for run in world.records.values() {
        if run.is_over() {
            ended(world, run, &mut broken);
            mailed(world, run, &mut broken);
        } else {
            broken.push(format!("a run is open for ever: {}", run.status()));
        }
    }
    for queue in [&world.intake, &world.job_events, &world.notices] {
        if !queue.dead.is_empty() {
            broken.push(format!("dead letters in {}", queue.name));
        }
    }
    wasted(world, &mut broken);
    for what in broken {
        world.violated(what);
    }
}

/// A run says what its job and its execution say.
fn ended(world: &World, run: &Run, broken: &mut Vec<String>) {
    let code = run.failure.as_ref().map(|failure| failure.code);
    match world
        .executions
        .get(&run.id)
        .and_then(|execution| execution.outcome.as_ref())
    {
        None => broken.push("a run is over and its execution goes on".to_owned()),
        Some(Outcome::Failed(_)) if code != Some(ErrorCode::Internal) => {
            broken.push("an execution failed, and its run does not say so".to_owned());
        }
        Some(_) if code == Some(ErrorCode::Internal) => {
            broken.push("a run ended as Internal".to_owned());
        }
        Some(_) => {}
    }
    if run.status() == Status::Cancelled && run.cancellation.is_none() {
        broken.push("a run was cancelled by nobody".to_owned());
    }
    let Some(job) = run.job.as_ref().and_then(|job| world.jobs.get(job)) else {
        if run.status() == Status::Succeeded {
            broken.push("a run succeeded without a job".to_owned());
        }
        return;
    };
    let Some(end) = &job.end else {
        broken.push("a job goes on after its run".to_owned());
        return;
    };
    if run.status() == Status::Succeeded && !end.succeeded {
        broken.push("a run succeeded, and its job did not".to_owned());
    }
    if end.succeeded && run.status() != Status::Succeeded {
        broken.push(format!(
            "a job succeeded, and its run says {}",
            run.status()
        ));
    }
    if run.status() == Status::Succeeded && world.published.get(&run.id) != Some(&job.id) {
        broken.push("a run's outputs are those of another job".to_owned());
    }
    if let Some(request) = &run.cancellation {
        if end.stopped && run.status() != Status::Cancelled {
            broken.push(format!("a cancelled run says {}", run.status()));
        }
        if end.at - clock::since_start(request.at) > MAX_WASTED_MS {
            broken.push("a job of a cancelled run went on for more than 15 minutes".to_owned());
        }
    }
    if clock::since_start(run.current.at) - end.at > MAX_LATE_MS {
        broken.push("a run ended more than 15 minutes after its job".to_owned());
    }
}

/// One mail for each run and recipient; more only where SES's answer, or the note of it, was lost.
fn mailed(world: &World, run: &Run, broken: &mut Vec<String>) {
    let Some(kind) = MailKind::of(run) else {
        return;
    };
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, name, recipient) in world.mails.iter().filter(|(id, ..)| id == run.id.as_str()) {
        if *name != kind.as_str() {
            broken.push(format!("a run that {} was mailed as {name}", run.status()));
        }
        *counts.entry(recipient).or_default() += 1;
    }
    let excused = [
        Fault::AnswerLost,
        Fault::Crash,
        Fault::CallRefused,
        Fault::Stall,
    ]
    .into_iter()
    .any(|fault| world.faults.has_struck(fault));
    match counts.get(RECIPIENT) {
        None => broken.push(format!("nobody was mailed that a run {}", run.status())),
        Some(count) if *count > 1 && !excused => {
            broken.push("a mail was sent twice".to_owned());
        }
        Some(_) => {}
    }
}

/// Jobs that no run waits for are stopped.
fn wasted(world: &World, broken: &mut Vec<String>) {
    for job in world.jobs.values() {
        let end = job.end.as_ref().map_or(i64::MAX, |end| end.at);
        let run = world.records.get(&job.run);
        let useless_since = match run {
            Some(run) if run.job.as_ref() == Some(&job.id) => clock::since_start(run.current.at),
            _ => job.created_at,
        };
        if end.saturating_sub(useless_since) > MAX_WASTED_MS {
            broken.push("a job ran for more than 15 minutes for nobody".to_owned());
        }
    }
}
