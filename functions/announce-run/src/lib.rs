//! Publishes an event for every status change of a run, and for every build that ended.
//!
//! The table is the outbox: functions that change a record publish nothing, and every written
//! change is announced, though perhaps late (invariant 5).

mod config;
mod dead_letters;
mod error;
mod event;

use std::convert::Infallible;

pub use config::Config;
pub use dead_letters::{DeadLetters, Queue};
use dropcast_aws::ports::PublishEvents;
use dropcast_domain::event::Announcement;
use dropcast_lambda_kit::telemetry;
pub use error::Error;
pub use event::{Change, FailedChanges, TableChanges};

/// What the handler works with.
#[derive(Debug)]
pub struct Deps<P, D> {
    /// The event bus.
    pub events: P,
    /// Where changes go that cannot be read.
    pub dead_letters: D,
}

/// Announces a batch of the table's changes, in their order.
///
/// A change that cannot be read goes to the dead letters at once, and does not keep the others.
/// After the first that the bus does not take, the rest waits behind it: Lambda begins again there.
pub async fn handle<P: PublishEvents, D: DeadLetters>(
    deps: &Deps<P, D>,
    changes: TableChanges,
) -> Result<FailedChanges, Infallible> {
    tracing::info!(changes = changes.records.len(), "processing stream records");
    let (mut numbers, mut events, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes.records {
        let number = change.sequence_number().to_owned();
        match change.announcement() {
            Ok(Some(event)) => {
                numbers.push(number);
                events.push(event);
            }
            Ok(None) => {}
            Err(error) => unreadable.push((number, change, error)),
        }
    }
    if let Err((index, error)) = publish(&deps.events, &events).await {
        telemetry::log_failure(&error, "will be retried from this record on");
        return Ok(FailedChanges::from(numbers.swap_remove(index)));
    }
    for (number, change, error) in unreadable {
        telemetry::log_failure(&error, "goes to the dead letters");
        if let Err(error) = deps.dead_letters.send(&change).await {
            telemetry::log_failure(&error, "will be retried from this record on");
            return Ok(FailedChanges::from(number));
        }
    }
    Ok(FailedChanges::none())
}

/// Publishes events; fails with the index of the first that was not taken.
async fn publish<P: PublishEvents>(bus: &P, events: &[Announcement]) -> Result<(), (usize, Error)> {
    let refused = bus.publish(events).await;
    let refused = refused.map_err(|error| (0, error.into()))?;
    if let Some(refused) = refused.into_iter().min_by_key(|refused| refused.index) {
        return Err((refused.index, refused.into()));
    }
    for event in events {
        match event {
            Announcement::Run(run) => {
                tracing::info!(run.id = %run.run_id, status = %run.status, "announced");
            }
            Announcement::Build(build) => {
                tracing::info!(build.id = %build.build_id, status = build.status.as_str(), "announced");
            }
        }
    }
    Ok(())
}
