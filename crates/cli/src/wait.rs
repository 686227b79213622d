//! `dropcast wait`, and waiting for runs in other commands.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use dropcast_domain::{
    ids::RunId,
    run::Run,
    status::{Progress, Transition, in_order},
};
use dropcast_store::History as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    args::Wait,
    clock,
    exit::{CliError, Exit},
    messages, runs,
    screen::Screen,
    show,
    stack::Stack,
    upload::UploadedObject,
};

/// How often a run is polled: at first often, then seldom enough that waiting for hours costs
/// almost nothing.
const SHORT_POLL_INTERVAL: Duration = Duration::from_millis(250);
const LONG_POLL_INTERVAL: Duration = Duration::from_secs(2);
const SHORT_POLL_PERIOD: Duration = Duration::from_secs(20);

/// Waits for a run and shows it.
pub async fn run(args: &Wait, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let run = runs::find_run(stack, &args.run).await?;
    let run = wait_until_over(stack, &run, args.timeout, screen).await?;
    let detail = show::load_detail(stack, &run, show::DEFAULT_LINK_LIFETIME, clock::now()).await?;
    screen.show(&detail, |style| show::render(&detail, style))?;
    Ok(Exit::of(run.status()))
}

/// Waits until an upload's run has a record; none if the limit is reached first.
pub async fn wait_for_record(
    stack: &Stack,
    uploaded: &UploadedObject,
    limit: Duration,
) -> anyhow::Result<Option<Run>> {
    let started = Instant::now();
    loop {
        if let Some(run) = uploaded.find_run(stack).await? {
            return Ok(Some(run));
        }
        if started.elapsed() >= limit {
            return Ok(None);
        }
        interruptible(tokio::time::sleep(choose_poll_interval(started)), None).await?;
    }
}

/// Follows a run on stderr until it has ended: live on a terminal, otherwise one line per change.
pub async fn wait_until_over(
    stack: &Stack,
    run: &Run,
    limit: Option<Duration>,
    screen: Screen,
) -> anyhow::Result<Run> {
    let mut line = StatusLine::new(screen);
    follow_run(stack, run, limit, &mut |step, run| line.show(step, run)).await
}

/// Follows a run until it has ended, and reports every step once, in order.
pub async fn follow_run(
    stack: &Stack,
    run: &Run,
    limit: Option<Duration>,
    on_step: &mut (dyn FnMut(&Transition, &Run) + Send),
) -> anyhow::Result<Run> {
    let started = Instant::now();
    let mut reported: Option<Progress> = None;
    let mut run = run.clone();
    loop {
        if reported != Some(run.current.progress) {
            let timeline = in_order(stack.store.timeline(&run.id).await?);
            for step in find_new_steps(reported, &timeline, &run) {
                on_step(&step, &run);
            }
            reported = Some(run.current.progress);
        }
        if run.is_over() {
            return Ok(run);
        }
        if limit.is_some_and(|limit| started.elapsed() >= limit) {
            return Err(CliError::new(
                Exit::TimedOut,
                format!(
                    "Run {} still had the status {} after {}.",
                    run.id,
                    run.status(),
                    messages::format_whole_duration(limit.unwrap_or_default())
                ),
            )
            .advice(format!(
                "The run continues. Wait for it with `{} wait {}`.",
                stack.command(),
                run.id
            ))
            .into());
        }
        interruptible(
            tokio::time::sleep(choose_poll_interval(started)),
            Some((stack, &run.id)),
        )
        .await?;
        run = runs::find_run(stack, &run.id).await?;
    }
}

/// The steps that have not been reported yet, the record's own last. The timeline is read after the
/// record and may be ahead of it; steps beyond the record are reported when it has reached them.
fn find_new_steps(
    reported: Option<Progress>,
    timeline: &[Transition],
    run: &Run,
) -> Vec<Transition> {
    let from = reported.map(Progress::order);
    let to = run.current.progress.order();
    let mut steps: Vec<Transition> = timeline
        .iter()
        .filter(|step| {
            let order = step.progress.order();
            from.is_none_or(|from| order > from) && order < to
        })
        .copied()
        .collect();
    steps.sort_by_key(|step| step.progress.order());
    steps.push(run.current);
    steps
}

fn choose_poll_interval(started: Instant) -> Duration {
    if started.elapsed() < SHORT_POLL_PERIOD {
        SHORT_POLL_INTERVAL
    } else {
        LONG_POLL_INTERVAL
    }
}

/// Awaits a future, unless Ctrl-C is pressed first.
pub(crate) async fn interruptible<T>(
    work: impl Future<Output = T>,
    waiting_for: Option<(&Stack, &RunId)>,
) -> Result<T, CliError> {
    tokio::select! {
        done = work => Ok(done),
        _ = tokio::signal::ctrl_c() => {
            let error = CliError::new(Exit::Interrupted, "Interrupted while waiting.");
            Err(match waiting_for {
                Some((stack, run)) => error.advice(format!("The run continues. Wait for it with `{} wait {run}`.", stack.command())),
                None => error,
            })
        }
    }
}

/// A line on stderr with the status of a run.
struct StatusLine {
    screen: Screen,
    bar: Option<ProgressBar>,
}

impl StatusLine {
    fn new(screen: Screen) -> Self {
        let bar = screen.live.then(|| {
            let bar = ProgressBar::new_spinner();
            // The template is a constant; if it were invalid, the default style would be used.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { screen, bar }
    }

    fn show(&mut self, step: &Transition, run: &Run) {
        let since = messages::format_duration(step.at.duration_since(run.upload.at));
        let attempt = match messages::describe_attempt(step.progress) {
            attempt if attempt.is_empty() => attempt,
            attempt => format!("  {attempt}"),
        };
        let status = step.progress.status;
        match &self.bar {
            Some(bar) => bar.set_message(format!(
                "{}{attempt}  {}",
                self.screen.stderr_style.status(status),
                messages::sanitize(&run.title)
            )),
            None => self.screen.note(&format!(
                "{}  +{since:<9}  {status}{attempt}",
                messages::format_time_of_day(step.at)
            )),
        }
    }
}

impl std::ops::Drop for StatusLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use dropcast_domain::{status::Status, upload::Upload};
    use jiff::Timestamp;

    use super::*;

    fn step(attempts: u32, status: Status) -> Transition {
        Transition {
            progress: Progress { attempts, status },
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn run_at(current: Transition) -> Run {
        let upload = Upload {
            bucket: "in".into(),
            key: "inputs/m/a.json".into(),
            version_id: None,
            sequencer: Some("1".into()),
            bytes: 1,
            at: Timestamp::UNIX_EPOCH,
        };
        Run {
            current,
            ..Run::received(upload, Timestamp::UNIX_EPOCH)
        }
    }

    #[test]
    fn every_step_is_reported_once_and_in_order() {
        let timeline = [
            step(0, Status::Received),
            step(0, Status::Validating),
            step(0, Status::Running),
            step(1, Status::Waiting),
        ];
        let first = find_new_steps(None, &timeline, &run_at(step(0, Status::Validating)));
        assert_eq!(first, timeline[..2]);
        let then = find_new_steps(
            Some(Progress::first(Status::Validating)),
            &timeline,
            &run_at(step(1, Status::Waiting)),
        );
        assert_eq!(then, timeline[2..]);
    }

    #[test]
    fn a_record_whose_timeline_lags_is_reported_all_the_same() {
        let steps = find_new_steps(None, &[], &run_at(step(0, Status::Received)));
        assert_eq!(steps, [step(0, Status::Received)]);
    }
}
