//! `dropcast cancel`.

use dropcast_api_types::{CancelRequested, RunSummary};
use dropcast_app::runs::{CancelOutcome, CancelRunError, cancel_run};
use dropcast_domain::{cancellation::Cancellation, ids::RunId, run::Run, status::Status};

use crate::{
    args::Cancel,
    clock,
    exit::{CliError, Exit, REACH_ADVICE, join_causes},
    messages, runs,
    screen::{Screen, Style},
    stack::Stack,
};

/// Cancels a run.
pub async fn run(args: &Cancel, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    // A run that does not exist is reported before AWS is asked who the caller is.
    runs::find_run(stack, &args.run).await?;
    let caller = stack.caller().await?;
    let request = Cancellation::new(&caller.arn, args.reason.as_deref(), caller.now);
    let outcome = cancel_run(&stack.store, &stack.jobs(), &args.run, &request).await;
    let outcome = outcome.map_err(|error| explain(error, &args.run, stack))?;
    let (run, repeated) = match outcome {
        CancelOutcome::Requested(run) => (run, false),
        CancelOutcome::AlreadyRequested(run) => (run, true),
        CancelOutcome::TooLate(run) => return Err(too_late(&run, stack).into()),
    };
    let document = CancelRequested {
        stack: stack.name.clone(),
        already_requested: repeated,
        cancellation: run.cancellation.clone().unwrap_or(request),
        run: RunSummary::of(&run, clock::now()),
    };
    screen.show(&document, |style| {
        render(&document, run.job.is_some(), stack, style)
    })?;
    Ok(Exit::Done)
}

fn explain(error: CancelRunError, run: &RunId, stack: &Stack) -> anyhow::Error {
    match error {
        CancelRunError::Store(error) => error.into(),
        CancelRunError::Call(error) => {
            let message = format!(
                "The cancellation of run {run} is recorded, but its job could not be stopped yet: {}.",
                join_causes(&error)
            );
            let again = format!(
                "The job is stopped within a few minutes. To try now, run `{} cancel {run}` again. {REACH_ADVICE}",
                stack.command()
            );
            CliError::new(Exit::NoStack, message).advice(again).into()
        }
    }
}

fn too_late(run: &Run, stack: &Stack) -> CliError {
    let why = match run.status() {
        Status::Cancelled => "it has been cancelled already".to_owned(),
        Status::Rejected => "it was rejected".to_owned(),
        status if run.is_over() => format!("it has already {status}"),
        _ => "its job has already ended".to_owned(),
    };
    let message = format!("Run {} can no longer be cancelled: {why}.", run.id);
    let advice = format!("See it with `{} show {}`.", stack.command(), run.id);
    CliError::new(Exit::NotAccepted, message).advice(advice)
}

fn render(document: &CancelRequested, has_job: bool, stack: &Stack, style: Style) -> String {
    let summary = &document.run;
    let title = messages::sanitize(&summary.title);
    let first = if document.already_requested {
        format!(
            "“{title}” is being cancelled already, as {} requested.",
            messages::sanitize(&document.cancellation.requester())
        )
    } else if has_job {
        format!("“{title}” is being cancelled: its job is being stopped.")
    } else {
        format!("“{title}” is being cancelled: its job will not be started.")
    };
    let then = format!(
        "Wait until it has ended with `{} wait {}`.",
        stack.command(),
        summary.id
    );
    format!("{first}\n{}\n", style.dim(&then))
}
