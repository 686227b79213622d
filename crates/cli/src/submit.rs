//! `dropcast submit`.

use std::time::Duration;

use dropcast_api_types::{RunSummary, Submitted, SubmittedRun};
use dropcast_domain::run::Run;

use crate::{
    args::Submit,
    clock,
    exit::{Exit, Stop},
    screen::{Paint, Screen},
    show,
    stack::Stack,
    upload::{self, FileUpload, UploadedObject},
    wait, words,
};

/// How long a fresh upload's run is looked for without `--wait`. On AWS an
/// upload's event takes a second or two to become a record.
const LOOKED_FOR: Duration = Duration::from_secs(10);

/// How long it is looked for with `--wait`: EventBridge and SQS deliver a
/// durable event within minutes even on a bad day.
const LOOKED_FOR_WAITING: Duration = Duration::from_mins(5);

/// Uploads a file, and waits for its run if asked to.
pub async fn run(args: &Submit, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    upload::check_recipients(&args.notify)?;
    let upload = FileUpload {
        file: &args.file,
        model: &args.model,
        version: args.version,
        notify: &args.notify,
        title: args.title.as_deref(),
    };
    let uploaded = upload.put(stack, clock::now()).await?;
    follow(stack, &uploaded, args.wait, args.timeout, screen).await
}

/// Shows the run of an upload; waits for its end if asked to.
pub async fn follow(
    stack: &Stack,
    uploaded: &UploadedObject,
    wait: bool,
    timeout: Option<Duration>,
    screen: Screen,
) -> anyhow::Result<Exit> {
    if wait {
        screen.note(&format!("Dropped as {}.", uploaded.uri()));
        let run = wait::for_record(stack, uploaded, timeout.unwrap_or(LOOKED_FOR_WAITING))
            .await?
            .ok_or_else(|| not_seen(uploaded))?;
        let run = wait::until_over(stack, &run, timeout, screen).await?;
        let detail = show::detail(stack, &run, show::DEFAULT_LINKS, clock::now()).await?;
        let exit = Exit::of(run.status());
        let document = document(stack, uploaded, Some(SubmittedRun::Over(Box::new(detail))));
        screen.show(&document, |paint| match &document.run {
            Some(SubmittedRun::Over(detail)) => show::text(detail, paint),
            _ => String::new(),
        })?;
        return Ok(exit);
    }
    let run = wait::for_record(stack, uploaded, LOOKED_FOR).await?;
    let summary = run
        .as_ref()
        .map(|run| SubmittedRun::Begun(Box::new(RunSummary::of(run, clock::now()))));
    screen.show(&document(stack, uploaded, summary), |paint| {
        text(uploaded, run.as_ref(), stack, paint)
    })?;
    Ok(Exit::Done)
}

fn document(stack: &Stack, uploaded: &UploadedObject, run: Option<SubmittedRun>) -> Submitted {
    Submitted {
        stack: stack.name.clone(),
        bucket: uploaded.bucket.clone(),
        key: uploaded.key.clone(),
        version_id: uploaded.version_id.clone(),
        run,
    }
}

fn not_seen(uploaded: &UploadedObject) -> Stop {
    Stop::new(
        Exit::TookTooLong,
        format!("The file lies in {}, but no run of it has begun yet.", uploaded.uri()),
    )
    .advice(format!(
        "Look again with `dropcast runs -m {}`. If it never appears, the stack's intake queue has stopped: ask the operator.",
        uploaded.model
    ))
}

fn text(uploaded: &UploadedObject, run: Option<&Run>, stack: &Stack, paint: Paint) -> String {
    let command = stack.command();
    let Some(run) = run else {
        return format!(
            "Dropped as {}.\nIts run has not begun yet; look for it with `{command} runs -m {}`.\n",
            uploaded.uri(),
            uploaded.model
        );
    };
    let facts = paint.facts(&[
        ("Run", run.id.to_string()),
        ("Title", words::printable(&run.title)),
        ("File", uploaded.uri()),
        ("Status", paint.status(run.status())),
    ]);
    format!(
        "{facts}\n{}\n",
        paint.dim(&format!("Follow it with `{command} wait {}`.", run.id))
    )
}
