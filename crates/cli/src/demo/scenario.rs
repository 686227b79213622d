//! The steps of the demo, in order.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use dropcast_api_types::{Demo, MailView, ReportedRun, RunDetail};
use dropcast_domain::{
    ids::Version,
    model::ModelName,
    run::Run,
    status::{Status, Transition},
};
use dropcast_local_stack::Registry;
use dropcast_store::Models as _;

use super::{Printer, check_status, demo_failed, links};
use crate::{
    clock, mail, messages, model_folder,
    progress::StepReporter,
    screen::Style,
    show,
    stack::Stack,
    upload::{FileUpload, UploadedObject},
    wait,
};

/// The recipient of the demo's mails. `.example` is reserved (RFC 2606).
const RECIPIENT: &str = "ana@corp.example";

/// The example model, below the repository.
const MODEL: &str = "models/revenue-forecast";

/// The output whose first lines are shown.
const TABLE: &str = "forecast.csv";

/// A valid file and an invalid one, below the model's folder.
const VALID_FILE: &str = "examples/plan-2027.json";
const INVALID_FILE: &str = "examples/rejected/misspelt-and-out-of-range.json";

/// The time limit of each step.
const TIMEOUT: Duration = Duration::from_mins(3);

/// How often the mailbox is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The heading of the part of the second mail that is not shown.
const FACTS_HEADING: &str = "ABOUT THIS RUN";

/// How many lines of the forecast are shown.
const MAX_LINES: usize = 6;

/// Registers the model, submits two files, and opens the links of the first one's mail.
pub(super) async fn play(
    stack: &Stack,
    repository: &Path,
    started_stack: bool,
    printer: Printer,
) -> anyhow::Result<Demo> {
    let connection = stack
        .local
        .as_ref()
        .context("the demo runs on the local stack")?;
    let folder = connection.state.join("demo");
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;

    printer.print_heading(2, "The model");
    let model = Box::pin(register(stack, repository, printer)).await?;

    printer.print_heading(3, "Submitting a file");
    let accepted = submit_file(
        stack,
        &repository.join(MODEL).join(VALID_FILE),
        &model,
        "Plan 2027",
        printer,
    )
    .await?;
    check_status(&accepted, Status::Succeeded)?;

    printer.print_heading(
        4,
        &format!("The mail to {RECIPIENT}, as it was handed to SES"),
    );
    let accepted = wait_for_mail(stack, accepted).await?;
    printer.print(&quote_mail(&accepted.mail, false, printer.style()));
    let html = folder.join("mail.html");
    std::fs::write(&html, &accepted.mail.html)
        .with_context(|| format!("writing {}", html.display()))?;

    printer.print_heading(5, "Opening the links in the mail");
    let downloads = links::open_all(&accepted, &folder, printer).await?;
    if let Some(table) = downloads.iter().find(|one| one.path == TABLE) {
        printer.print(&read_first_lines(&table.file)?);
    }

    printer.print_heading(6, "Submitting a file with mistakes");
    let rejected = submit_file(
        stack,
        &repository.join(MODEL).join(INVALID_FILE),
        &model,
        "Plan with mistakes",
        printer,
    )
    .await?;
    check_status(&rejected, Status::Rejected)?;
    let rejected = wait_for_mail(stack, rejected).await?;
    printer.print(&quote_mail(&rejected.mail, true, printer.style()));

    printer.print_heading(7, "Done");
    Ok(Demo {
        started_stack,
        folder,
        accepted,
        downloads,
        rejected,
    })
}

/// A model, and the version to pin where another one is the default.
type Registered = (ModelName, Option<Version>);

async fn register(
    stack: &Stack,
    repository: &Path,
    printer: Printer,
) -> anyhow::Result<Registered> {
    let connection = stack
        .local
        .as_ref()
        .context("the demo runs on the local stack")?;
    let steps = StepReporter::new(printer.screen).indented();
    let registry = Registry::of(connection)?;
    let folder = repository.join(MODEL);
    let register = dropcast_local_stack::register(&folder, &registry, clock::now(), &steps);
    let registered = Box::pin(register)
        .await
        .map_err(model_folder::explain_folder_error)?;
    let version = registered.version;
    printer.print(&format!(
        "   {} ({}), version {}.\n",
        version.model, version.spec.manifest.title, version.version
    ));
    let default = stack.store.model(&version.model).await?;
    let is_default = default.is_some_and(|model| model.default_version == version.version);
    Ok((version.model, (!is_default).then_some(version.version)))
}

/// Submits a file and prints each step of its run.
async fn submit_file(
    stack: &Stack,
    file: &Path,
    (model, version): &Registered,
    title: &str,
    printer: Printer,
) -> anyhow::Result<RunDetail> {
    let upload = FileUpload {
        file,
        model,
        version: *version,
        notify: &[RECIPIENT.to_owned()],
        title: Some(title),
    };
    let uploaded = upload.upload(stack, clock::now()).await?;
    let style = printer.style();
    printer.print(&format!(
        "   {}\n   {}\n",
        style.dim(&uploaded.uri()),
        style.dim(&format!("title “{title}”, notify {RECIPIENT}"))
    ));
    let run = follow(stack, &uploaded, printer).await?;
    printer.print("");
    show::load_detail(stack, &run, show::DEFAULT_LINK_LIFETIME, clock::now()).await
}

async fn follow(stack: &Stack, uploaded: &UploadedObject, printer: Printer) -> anyhow::Result<Run> {
    let run = wait::wait_for_record(stack, uploaded, TIMEOUT)
        .await?
        .ok_or_else(|| demo_failed("No run was started for the uploaded file.", None))?;
    wait::follow_run(stack, &run, Some(TIMEOUT), &mut |step, run| {
        printer.print(&format_step(step, run, printer.style()));
    })
    .await
}

fn format_step(step: &Transition, run: &Run, style: Style) -> String {
    let status = step.progress.status;
    let pad = " ".repeat(12_usize.saturating_sub(status.as_str().len()));
    format!(
        "   {:>8}  {}{pad}{}",
        format!(
            "+{}",
            messages::format_duration(step.at.duration_since(run.upload.at))
        ),
        style.status(status),
        style.dim(explain_status(status))
    )
}

/// What happens while a run has a status, and which part does it.
fn explain_status(status: Status) -> &'static str {
    match status {
        Status::Received => {
            "S3 sent an event to EventBridge and SQS; start-run starts an execution"
        }
        Status::Validating => "validate-inputs checks the file against the model's schema",
        Status::Submitted => "submit-job submits the job to Batch; the execution waits",
        Status::Waiting => "Batch is looking for capacity",
        Status::Starting => "the model's image is being pulled",
        Status::Running => "the model runs",
        Status::Collecting => {
            "track-job has resumed the execution; index-outputs lists the outputs"
        }
        Status::Succeeded => {
            "finish-run has closed the record; announce-run publishes it, notify sends the mail"
        }
        Status::Failed => "the run ended without outputs",
        Status::Rejected => "finish-run has closed the record; no compute was used",
        Status::Cancelled => "the run was cancelled",
    }
}

/// Waits for the mail about a run that has ended.
async fn wait_for_mail(stack: &Stack, run: RunDetail) -> anyhow::Result<ReportedRun> {
    let connection = stack
        .local
        .as_ref()
        .context("the demo runs on the local stack")?;
    let started = Instant::now();
    loop {
        let mail = connection
            .mailbox()
            .await?
            .into_iter()
            .map(mail::to_mail_view)
            .find(|mail| mail.run_id.as_ref() == Some(&run.summary.id));
        if let Some(mail) = mail {
            if !mail.to.iter().any(|to| to.contains(RECIPIENT)) {
                let what = format!(
                    "The mail was sent to {} instead of {RECIPIENT}.",
                    mail.to.join(", ")
                );
                return Err(demo_failed(&what, Some(&run)));
            }
            let after = mail.at.duration_since(run.summary.changed_at);
            return Ok(ReportedRun {
                mail_after_ms: i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
                run,
                mail,
            });
        }
        if started.elapsed() > TIMEOUT {
            return Err(demo_failed("No mail about the run was sent.", Some(&run)));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// A mail with a vertical bar on the left; if `brief`, without the section about the run.
fn quote_mail(mail: &MailView, brief: bool, style: Style) -> String {
    let rule = style.dim("   │ ");
    let whole = crate::mail::render(mail, style);
    let lines = whole
        .lines()
        .take_while(|line| !brief || !line.starts_with(FACTS_HEADING))
        .map(|line| format!("{rule}{line}").trim_end().to_owned());
    messages::join_lines(lines)
}

fn read_first_lines(file: &Path) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let shown = text
        .lines()
        .take(MAX_LINES)
        .map(|line| format!("   {}", messages::sanitize(line)));
    let rest = text.lines().count().saturating_sub(MAX_LINES);
    let more = format!("   … {}", messages::format_count(rest as u64, "more line"));
    Ok(messages::join_lines(shown.chain([more])))
}
