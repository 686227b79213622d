//! What happens in the demo, in order.

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

use super::{Teller, did_not_happen, ended, links};
use crate::{
    clock, mail, model,
    progress::Steps,
    screen::Paint,
    show,
    stack::Stack,
    upload::{FileUpload, UploadedObject},
    wait, words,
};

/// Whom the demo's mails are for. `.example` is nobody's (RFC 2606).
const READER: &str = "ana@corp.example";

/// The example model, below the repository.
const MODEL: &str = "models/revenue-forecast";

/// The output whose first lines are shown.
const TABLE: &str = "forecast.csv";

/// The file that is right, and the file that is not, below the model.
const RIGHT: &str = "examples/plan-2027.json";
const WRONG: &str = "examples/rejected/misspelt-and-out-of-range.json";

/// Nothing in the demo takes longer than this.
const PATIENCE: Duration = Duration::from_mins(3);

/// How often the mailbox is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// The heading of the part that the second mail is shown without.
const FACTS: &str = "ABOUT THIS RUN";

/// How many lines of the forecast are shown.
const FIRST_LINES: usize = 6;

/// Registers, drops, follows, reads and opens.
pub(super) async fn tell(
    stack: &Stack,
    repository: &Path,
    started_stack: bool,
    teller: Teller,
) -> anyhow::Result<Demo> {
    let connection = stack
        .local
        .as_ref()
        .context("the demo runs on the local stack")?;
    let folder = connection.state.join("demo");
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;

    teller.chapter(2, "The model");
    let model = Box::pin(register(stack, repository, teller)).await?;

    teller.chapter(3, "A file is dropped");
    let accepted = drop_one(
        stack,
        &repository.join(MODEL).join(RIGHT),
        &model,
        "Plan 2027",
        teller,
    )
    .await?;
    ended(&accepted, Status::Succeeded)?;

    teller.chapter(4, &format!("The mail to {READER}, as SES was given it"));
    let accepted = with_mail(stack, accepted).await?;
    teller.say(&quoted(&accepted.mail, false, teller.paint()));
    let html = folder.join("mail.html");
    std::fs::write(&html, &accepted.mail.html)
        .with_context(|| format!("writing {}", html.display()))?;

    teller.chapter(5, "The links in it are opened");
    let downloads = links::open_all(&accepted, &folder, teller).await?;
    if let Some(table) = downloads.iter().find(|one| one.path == TABLE) {
        teller.say(&first_lines(&table.file)?);
    }

    teller.chapter(6, "A file with mistakes is dropped");
    let rejected = drop_one(
        stack,
        &repository.join(MODEL).join(WRONG),
        &model,
        "Plan with mistakes",
        teller,
    )
    .await?;
    ended(&rejected, Status::Rejected)?;
    let rejected = with_mail(stack, rejected).await?;
    teller.say(&quoted(&rejected.mail, true, teller.paint()));

    teller.chapter(7, "The end");
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

async fn register(stack: &Stack, repository: &Path, teller: Teller) -> anyhow::Result<Registered> {
    let connection = stack
        .local
        .as_ref()
        .context("the demo runs on the local stack")?;
    let steps = Steps::on(teller.screen).indented();
    let registry = Registry::of(connection)?;
    let folder = repository.join(MODEL);
    let register = dropcast_local_stack::register(&folder, &registry, clock::now(), &steps);
    let registered = Box::pin(register).await.map_err(model::not_accepted)?;
    let version = registered.version;
    teller.say(&format!(
        "   {} ({}), version {}.\n",
        version.model, version.spec.manifest.title, version.version
    ));
    let default = stack.store.model(&version.model).await?;
    let is_default = default.is_some_and(|model| model.default_version == version.version);
    Ok((version.model, (!is_default).then_some(version.version)))
}

/// Drops a file and tells each step of its run.
async fn drop_one(
    stack: &Stack,
    file: &Path,
    (model, version): &Registered,
    title: &str,
    teller: Teller,
) -> anyhow::Result<RunDetail> {
    let upload = FileUpload {
        file,
        model,
        version: *version,
        notify: &[READER.to_owned()],
        title: Some(title),
    };
    let dropped = upload.put(stack, clock::now()).await?;
    let paint = teller.paint();
    teller.say(&format!(
        "   {}\n   {}\n",
        paint.dim(&dropped.uri()),
        paint.dim(&format!("title “{title}”, notify {READER}"))
    ));
    let run = follow(stack, &dropped, teller).await?;
    teller.say("");
    show::detail(stack, &run, show::DEFAULT_LINKS, clock::now()).await
}

async fn follow(stack: &Stack, dropped: &UploadedObject, teller: Teller) -> anyhow::Result<Run> {
    let run = wait::for_record(stack, dropped, PATIENCE)
        .await?
        .ok_or_else(|| did_not_happen("No run began for the dropped file.", None))?;
    wait::follow(stack, &run, Some(PATIENCE), &mut |step, run| {
        teller.say(&step_line(step, run, teller.paint()));
    })
    .await
}

fn step_line(step: &Transition, run: &Run, paint: Paint) -> String {
    let status = step.progress.status;
    let pad = " ".repeat(12_usize.saturating_sub(status.as_str().len()));
    format!(
        "   {:>8}  {}{pad}{}",
        format!("+{}", words::length(step.at.duration_since(run.upload.at))),
        paint.status(status),
        paint.dim(meaning(status))
    )
}

/// What happens while a run has a status, and who does it.
fn meaning(status: Status) -> &'static str {
    match status {
        Status::Received => "S3 told EventBridge, SQS kept it, start-run began an execution",
        Status::Validating => "validate-inputs checks the file against the model's schema",
        Status::Submitted => "submit-job hands the model to Batch; the execution sleeps",
        Status::Waiting => "Batch looks for a machine",
        Status::Starting => "the machine gets the model's image",
        Status::Running => "the model runs",
        Status::Collecting => "track-job woke the execution; index-outputs lists what was written",
        Status::Succeeded => "finish-run closed the record; announce-run tells, notify mails",
        Status::Failed => "the run ended without outputs",
        Status::Rejected => "finish-run closed the record; no machine was paid for",
        Status::Cancelled => "somebody stopped the run",
    }
}

/// Waits for the mail about a run that is over.
async fn with_mail(stack: &Stack, run: RunDetail) -> anyhow::Result<ReportedRun> {
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
            .map(mail::view)
            .find(|mail| mail.run_id.as_ref() == Some(&run.summary.id));
        if let Some(mail) = mail {
            if !mail.to.iter().any(|to| to.contains(READER)) {
                let what = format!(
                    "The mail went to {} and not to {READER}.",
                    mail.to.join(", ")
                );
                return Err(did_not_happen(&what, Some(&run)));
            }
            let after = mail.at.duration_since(run.summary.changed_at);
            return Ok(ReportedRun {
                mail_after_ms: i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
                run,
                mail,
            });
        }
        if started.elapsed() > PATIENCE {
            return Err(did_not_happen(
                "No mail about the run was sent.",
                Some(&run),
            ));
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// A mail with a rule at its left; in brief, without the facts at its end.
fn quoted(mail: &MailView, brief: bool, paint: Paint) -> String {
    let rule = paint.dim("   │ ");
    let whole = crate::mail::text(mail, paint);
    let lines = whole
        .lines()
        .take_while(|line| !brief || !line.starts_with(FACTS))
        .map(|line| format!("{rule}{line}").trim_end().to_owned());
    words::lines(lines)
}

fn first_lines(file: &Path) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let shown = text
        .lines()
        .take(FIRST_LINES)
        .map(|line| format!("   {}", words::printable(line)));
    let rest = text.lines().count().saturating_sub(FIRST_LINES);
    let more = format!("   … {}", words::counted(rest as u64, "more line"));
    Ok(words::lines(shown.chain([more])))
}
