//! Publishes an event for every status change of a run, and for every build that ended.
//!
//! The table is the outbox: functions that change a record publish nothing, and every written
//! change is announced, though perhaps late (invariant 5).

mod bus;
mod config;
mod error;
mod event;

use std::convert::Infallible;

use dropcast_domain::event::Announcement;
use dropcast_lambda_kit::telemetry;

pub use bus::{Announcements, EventBus};
pub use config::Config;
pub use error::Error;
pub use event::{Change, FailedChanges, TableChanges};

/// Announces a batch of the table's changes, in their order.
///
/// It stops at the first that cannot be announced, where Lambda starts again. A change that still
/// fails after the retries that the template allows goes to the dead-letter queue, which has an
/// alarm.
pub async fn handle<A: Announcements>(
    announcements: &A,
    changes: TableChanges,
) -> Result<FailedChanges, Infallible> {
    tracing::info!(changes = changes.records.len(), "processing stream records");
    for change in changes.records {
        let number = change.sequence_number().to_owned();
        match announce(announcements, change).await {
            Ok(()) => {}
            Err(error) => {
                telemetry::log_failure(&error, "will be retried from this record on");
                return Ok(FailedChanges::from(number));
            }
        }
    }
    Ok(FailedChanges::none())
}

async fn announce<A: Announcements>(announcements: &A, change: Change) -> Result<(), Error> {
    let table = change.table().to_owned();
    let Some(event) = change.into_announcement()? else {
        return Ok(());
    };
    announcements.publish(&table, &event).await?;
    match event {
        Announcement::Run(run) => {
            tracing::info!(run.id = %run.run_id, status = %run.status, "announced");
        }
        Announcement::Build(build) => {
            tracing::info!(build.id = %build.build_id, status = build.status.as_str(), "announced");
        }
    }
    Ok(())
}
