//! `dropcast logs`: what the job wrote.

use std::time::Duration;

use dropcast_api_types::{LoggedLine, RunLog};
use dropcast_app::logs::{LogReader, find_log};
use dropcast_aws::{CallError, logs::LogGroup, ports::LogLine};
use dropcast_domain::run::Run;

use crate::{
    args::Logs,
    exit::{CliError, Exit, REACH_ADVICE, join_causes},
    messages, runs,
    screen::Screen,
    stack::Stack,
    wait::interruptible,
};

/// How often the log is read while it may grow. CloudWatch Logs needs about as long to show a line.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Prints a run's log.
pub async fn run(args: &Logs, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    if args.follow && screen.json {
        let message = "--follow prints lines as they come, and cannot be used with --json.";
        return Err(CliError::new(Exit::Usage, message).into());
    }
    let group = stack.output("JobLogGroup")?;
    let logs = LogGroup::new(aws_sdk_cloudwatchlogs::Client::new(&stack.config), group);
    let run = runs::find_run(stack, &args.run).await?;
    if args.follow {
        return follow(stack, &logs, run, screen).await;
    }
    let stream = find_log(&stack.jobs(), &run)
        .await
        .map_err(|error| read_error(&error))?;
    let mut reader = LogReader::new(stream.ok_or_else(|| no_log_error(&run, stack))?);
    if !screen.json {
        print_new_lines(&mut reader, &logs, screen).await?;
        return Ok(Exit::Done);
    }
    let mut document = RunLog {
        stack: stack.name.clone(),
        run: run.id.clone(),
        lines: Vec::new(),
    };
    while let Some(lines) = next_lines(&mut reader, &logs).await? {
        document.lines.extend(lines.into_iter().map(logged));
    }
    screen.show(&document, |_| String::new())?;
    Ok(Exit::Done)
}

async fn follow(
    stack: &Stack,
    logs: &LogGroup,
    mut run: Run,
    screen: Screen,
) -> anyhow::Result<Exit> {
    let jobs = stack.jobs();
    let mut reader: Option<LogReader> = None;
    // Lines may come a little later than the end of their job.
    let mut final_reads = 2;
    loop {
        let stream = find_log(&jobs, &run)
            .await
            .map_err(|error| read_error(&error))?;
        if let Some(stream) = stream
            && reader
                .as_ref()
                .is_none_or(|reader| reader.stream() != stream)
        {
            if let Some(previous) = &mut reader {
                print_new_lines(previous, logs, screen).await?;
                screen.note("The attempt failed; AWS Batch started another.");
            }
            reader = Some(LogReader::new(stream));
        }
        if let Some(reader) = &mut reader {
            print_new_lines(reader, logs, screen).await?;
        }
        if run.is_over() || run.job_end.is_some() {
            if reader.is_none() {
                return Err(no_log_error(&run, stack).into());
            }
            final_reads -= 1;
            if final_reads == 0 {
                return Ok(Exit::Done);
            }
        }
        interruptible(tokio::time::sleep(POLL_INTERVAL), Some((stack, &run.id))).await?;
        run = runs::find_run(stack, &run.id).await?;
    }
}

/// Prints the lines that have come since the last time.
async fn print_new_lines(
    reader: &mut LogReader,
    logs: &LogGroup,
    screen: Screen,
) -> anyhow::Result<()> {
    while let Some(lines) = next_lines(reader, logs).await? {
        print(&lines, screen)?;
    }
    Ok(())
}

async fn next_lines(
    reader: &mut LogReader,
    logs: &LogGroup,
) -> Result<Option<Vec<LogLine>>, CliError> {
    let lines = reader.next(logs).await;
    lines.map_err(|error| read_error(&error))
}

fn logged(LogLine { at, message }: LogLine) -> LoggedLine {
    LoggedLine { at, message }
}

fn print(lines: &[LogLine], screen: Screen) -> anyhow::Result<()> {
    let lines = lines.iter().map(|line| messages::sanitize(&line.message));
    screen.write(&messages::join_lines(lines))
}

fn no_log_error(run: &Run, stack: &Stack) -> CliError {
    let why = match (run.is_over(), &run.job) {
        (true, None) => "no job was started for it",
        (true, Some(_)) => "its job did not start, or AWS Batch no longer knows it",
        (false, _) => "its job has not started yet",
    };
    let message = format!("Run {} has no log: {why}.", run.id);
    let advice = if run.is_over() {
        format!("See it with `{} show {}`.", stack.command(), run.id)
    } else {
        let command = stack.command();
        format!("Wait for it with `{command} logs --follow {}`.", run.id)
    };
    CliError::new(Exit::NotFound, message).advice(advice)
}

fn read_error(error: &CallError) -> CliError {
    let message = format!("The log cannot be read: {}.", join_causes(error));
    CliError::new(Exit::NoStack, message).advice(REACH_ADVICE)
}
