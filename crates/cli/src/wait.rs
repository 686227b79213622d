//! `dropcast wait`, and following a run wherever else that is done.

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
    exit::{Exit, Stop},
    runs,
    screen::Screen,
    show,
    stack::Stack,
    upload::UploadedObject,
    words,
};

/// How often a run is looked at: often while it is fresh, then seldom enough
/// that waiting for hours costs next to nothing.
const EAGER: Duration = Duration::from_millis(250);
const PATIENT: Duration = Duration::from_secs(2);
const EAGER_FOR: Duration = Duration::from_secs(20);

/// Waits for a run and shows it.
pub async fn run(args: &Wait, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let run = runs::find(stack, &args.run).await?;
    let run = until_over(stack, &run, args.timeout, screen).await?;
    let detail = show::detail(stack, &run, show::DEFAULT_LINKS, clock::now()).await?;
    screen.show(&detail, |paint| show::text(&detail, paint))?;
    Ok(Exit::of(run.status()))
}

/// Waits until an upload's run has a record; none if the time was over first.
pub async fn for_record(
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
        interruptible(tokio::time::sleep(pause(started)), None).await?;
    }
}

/// Follows a run on stderr until it is over: live on a terminal, else one line per change.
pub async fn until_over(
    stack: &Stack,
    run: &Run,
    limit: Option<Duration>,
    screen: Screen,
) -> anyhow::Result<Run> {
    let mut line = StatusLine::begin(screen);
    follow(stack, run, limit, &mut |step, run| line.step(step, run)).await
}

/// Follows a run until it is over, and tells every step once, in order.
pub async fn follow(
    stack: &Stack,
    run: &Run,
    limit: Option<Duration>,
    tell: &mut (dyn FnMut(&Transition, &Run) + Send),
) -> anyhow::Result<Run> {
    let started = Instant::now();
    let mut told: Option<Progress> = None;
    let mut run = run.clone();
    loop {
        if told != Some(run.current.progress) {
            let timeline = in_order(stack.store.timeline(&run.id).await?);
            for step in new_steps(told, &timeline, &run) {
                tell(&step, &run);
            }
            told = Some(run.current.progress);
        }
        if run.is_over() {
            return Ok(run);
        }
        if limit.is_some_and(|limit| started.elapsed() >= limit) {
            return Err(Stop::new(
                Exit::TookTooLong,
                format!(
                    "Run {} was still {} after {}.",
                    run.id,
                    run.status(),
                    words::whole(limit.unwrap_or_default())
                ),
            )
            .advice(format!(
                "It goes on: `{} wait {}`.",
                stack.command(),
                run.id
            ))
            .into());
        }
        interruptible(tokio::time::sleep(pause(started)), Some((stack, &run.id))).await?;
        run = runs::find(stack, &run.id).await?;
    }
}

/// The steps after those that were told, the record's own last. The timeline
/// may be ahead of the record that was read before it; what is ahead is told
/// when the record says so too.
fn new_steps(told: Option<Progress>, timeline: &[Transition], run: &Run) -> Vec<Transition> {
    let from = told.map(Progress::order);
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

fn pause(started: Instant) -> Duration {
    if started.elapsed() < EAGER_FOR {
        EAGER
    } else {
        PATIENT
    }
}

/// Awaits something unless Ctrl-C comes first.
async fn interruptible<T>(
    work: impl Future<Output = T>,
    waiting_for: Option<(&Stack, &RunId)>,
) -> Result<T, Stop> {
    tokio::select! {
        done = work => Ok(done),
        _ = tokio::signal::ctrl_c() => {
            let stop = Stop::new(Exit::Interrupted, "Stopped waiting.");
            Err(match waiting_for {
                Some((stack, run)) => stop.advice(format!("The run goes on: `{} wait {run}`.", stack.command())),
                None => stop,
            })
        }
    }
}

/// One line on stderr that says where a run stands.
struct StatusLine {
    screen: Screen,
    bar: Option<ProgressBar>,
}

impl StatusLine {
    fn begin(screen: Screen) -> Self {
        let bar = screen.live.then(|| {
            let bar = ProgressBar::new_spinner();
            // The template is a constant; should it be refused, the plain spinner does.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { screen, bar }
    }

    fn step(&mut self, step: &Transition, run: &Run) {
        let since = words::length(step.at.duration_since(run.upload.at));
        let attempt = match words::attempt(step.progress) {
            attempt if attempt.is_empty() => attempt,
            attempt => format!("  {attempt}"),
        };
        let status = step.progress.status;
        match &self.bar {
            Some(bar) => bar.set_message(format!(
                "{}{attempt}  {}",
                self.screen.stderr_paint.status(status),
                words::printable(&run.title)
            )),
            None => self.screen.note(&format!(
                "{}  +{since:<9}  {status}{attempt}",
                words::time_of_day(step.at)
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
    fn every_step_is_told_once_and_in_order() {
        let timeline = [
            step(0, Status::Received),
            step(0, Status::Validating),
            step(0, Status::Running),
            step(1, Status::Waiting),
        ];
        let first = new_steps(None, &timeline, &run_at(step(0, Status::Validating)));
        assert_eq!(first, timeline[..2]);
        let then = new_steps(
            Some(Progress::first(Status::Validating)),
            &timeline,
            &run_at(step(1, Status::Waiting)),
        );
        assert_eq!(then, timeline[2..]);
    }

    #[test]
    fn a_record_whose_timeline_lags_is_told_all_the_same() {
        let steps = new_steps(None, &[], &run_at(step(0, Status::Received)));
        assert_eq!(steps, [step(0, Status::Received)]);
    }
}
