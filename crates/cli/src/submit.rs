//! `dropcast submit`.

use std::time::Duration;

use dropcast_api_types::{RunSummary, Submitted, SubmittedRun};
use dropcast_domain::run::Run;

use crate::{
    args::Submit,
    clock,
    exit::{CliError, Exit},
    messages,
    screen::{Screen, Style},
    show,
    stack::Stack,
    upload::{self, FileUpload, UploadedObject},
    wait,
};

/// How long to wait for the run's record without `--wait`. On AWS, this takes a second or two.
const RECORD_TIMEOUT: Duration = Duration::from_secs(10);

/// The same with `--wait`: EventBridge and SQS may need minutes to deliver an event.
const RECORD_TIMEOUT_WITH_WAIT: Duration = Duration::from_mins(5);

/// Uploads a file, and waits for its run with `--wait`.
pub async fn run(args: &Submit, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    upload::check_recipients(&args.notify)?;
    let upload = FileUpload {
        file: &args.file,
        model: &args.model,
        version: args.version,
        notify: &args.notify,
        title: args.title.as_deref(),
    };
    let uploaded = upload.upload(stack, clock::now()).await?;
    follow(stack, &uploaded, args.wait, args.timeout, screen).await
}

/// Shows the run of an upload, and waits for its end if `wait` is set.
pub async fn follow(
    stack: &Stack,
    uploaded: &UploadedObject,
    wait: bool,
    timeout: Option<Duration>,
    screen: Screen,
) -> anyhow::Result<Exit> {
    if wait {
        screen.note(&format!("Uploaded to {}.", uploaded.uri()));
        let run =
            wait::wait_for_record(stack, uploaded, timeout.unwrap_or(RECORD_TIMEOUT_WITH_WAIT))
                .await?
                .ok_or_else(|| run_not_started(uploaded))?;
        let run = wait::wait_until_over(stack, &run, timeout, screen).await?;
        let detail =
            show::load_detail(stack, &run, show::DEFAULT_LINK_LIFETIME, clock::now()).await?;
        let exit = Exit::of(run.status());
        let document = make_document(stack, uploaded, Some(SubmittedRun::Over(Box::new(detail))));
        screen.show(&document, |style| match &document.run {
            Some(SubmittedRun::Over(detail)) => show::render(detail, style),
            _ => String::new(),
        })?;
        return Ok(exit);
    }
    let run = wait::wait_for_record(stack, uploaded, RECORD_TIMEOUT).await?;
    let summary = run
        .as_ref()
        .map(|run| SubmittedRun::Begun(Box::new(RunSummary::of(run, clock::now()))));
    screen.show(&make_document(stack, uploaded, summary), |style| {
        render(uploaded, run.as_ref(), stack, style)
    })?;
    Ok(Exit::Done)
}

fn make_document(stack: &Stack, uploaded: &UploadedObject, run: Option<SubmittedRun>) -> Submitted {
    Submitted {
        stack: stack.name.clone(),
        bucket: uploaded.bucket.clone(),
        key: uploaded.key.clone(),
        version_id: uploaded.version_id.clone(),
        run,
    }
}

fn run_not_started(uploaded: &UploadedObject) -> CliError {
    CliError::new(
        Exit::TimedOut,
        format!("The file was uploaded to {}, but its run has not started yet.", uploaded.uri()),
    )
    .advice(format!(
        "Check again with `dropcast runs -m {}`. If the run does not appear, contact the operator: events may be stuck in the stack's intake queue.",
        uploaded.model
    ))
}

fn render(uploaded: &UploadedObject, run: Option<&Run>, stack: &Stack, style: Style) -> String {
    let command = stack.command();
    let Some(run) = run else {
        return format!(
            "Uploaded to {}.\nIts run has not started yet; check with `{command} runs -m {}`.\n",
            uploaded.uri(),
            uploaded.model
        );
    };
    let facts = style.format_fields(&[
        ("Run", run.id.to_string()),
        ("Title", messages::sanitize(&run.title)),
        ("File", uploaded.uri()),
        ("Status", style.status(run.status())),
    ]);
    format!(
        "{facts}\n{}\n",
        style.dim(&format!("Follow it with `{command} wait {}`.", run.id))
    )
}
