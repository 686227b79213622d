//! The functions' own durations, from the REPORT lines that Lambda writes into their logs.

use anyhow::Context as _;
use aws_sdk_cloudwatchlogs::Client;
use dropcast_local_stack::Connection;

use crate::numbers::Nanos;

/// One invocation of a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Invocation {
    /// When it had ended, to the millisecond.
    pub(crate) ended: Nanos,
    /// How long it took, in whole milliseconds: handing over the event, the function, its answer,
    /// and fetching what it printed.
    pub(crate) millis: f64,
}

/// Every invocation of a function so far, the oldest first.
pub(crate) async fn invocations(
    stack: &Connection,
    function: &str,
) -> anyhow::Result<Vec<Invocation>> {
    let client = Client::new(&stack.sdk_config());
    let mut pages = client
        .filter_log_events()
        .log_group_name(format!("/aws/lambda/{}-{function}", stack.stack_name))
        .filter_pattern("REPORT")
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.with_context(|| format!("the log of {function} cannot be read"))?;
        for event in page.events() {
            let message = event.message().unwrap_or_default();
            let Some(millis) = duration(message) else {
                continue;
            };
            let ended = Nanos::from(event.timestamp().unwrap_or_default()) * 1_000_000;
            found.push(Invocation { ended, millis });
        }
    }
    found.sort_by_key(|invocation| invocation.ended);
    Ok(found)
}

/// The last invocation that ended within a span of time.
pub(crate) fn last_within(all: &[Invocation], from: Nanos, to: Nanos) -> Option<Invocation> {
    let within = |invocation: &&Invocation| (from..=to).contains(&invocation.ended);
    all.iter().rfind(within).copied()
}

/// `REPORT RequestId: …  Duration: 12 ms  Billed Duration: …`
fn duration(message: &str) -> Option<f64> {
    let rest = message
        .strip_prefix("REPORT ")?
        .split_once("\tDuration: ")?
        .1;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_report_line_tells_the_duration() {
        let line = "REPORT RequestId: 5e0f\tDuration: 12 ms\tBilled Duration: 12 ms\tMemory";
        assert_eq!(duration(line), Some(12.0));
        assert_eq!(duration("START RequestId: 5e0f"), None);
    }
}
