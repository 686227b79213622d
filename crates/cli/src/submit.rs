//! `dropcast submit`.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use aws_sdk_s3::{error::SdkError, operation::put_object::PutObjectError, primitives::ByteStream};
use dropcast_api_types::{RunSummary, Submitted, SubmittedRun};
use dropcast_domain::{
    model::ModelName,
    recipient::{self, MAX_RECIPIENTS},
    run::Run,
    run_id::Version,
    upload::{INPUTS_PREFIX, REFRESH_PREFIX, safe_file_name},
};
use dropcast_store::History as _;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    args::Submit,
    clock, encoded_word,
    exit::{Exit, REACH_ADVICE, Stop, causes},
    registry,
    screen::{Paint, Screen},
    show,
    stack::Stack,
    wait, words,
};

/// How long a fresh upload's run is looked for without `--wait`. On AWS an
/// upload's event takes a second or two to become a record.
const LOOKED_FOR: Duration = Duration::from_secs(10);

/// How long it is looked for with `--wait`: EventBridge and SQS deliver a
/// durable event within minutes even on a bad day.
const LOOKED_FOR_WAITING: Duration = Duration::from_mins(5);

/// How many of a model's newest runs are searched for the upload's.
const SEARCHED: u16 = 200;

/// Drops a file, and waits for its run if asked to.
pub async fn run(args: &Submit, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    all_can_be_mailed(&args.notify)?;
    // Refused before anything is uploaded.
    registry::resolve_version(stack, &args.model, args.version).await?;
    let drop = Drop {
        file: &args.file,
        model: &args.model,
        version: args.version,
        notify: &args.notify,
        title: args.title.as_deref(),
    };
    let dropped = drop.put(stack, clock::now()).await?;
    follow(stack, &dropped, args.wait, args.timeout, screen).await
}

/// Tells the run of something that was dropped; waits for its end if asked to.
pub async fn follow(
    stack: &Stack,
    dropped: &Dropped,
    wait: bool,
    timeout: Option<Duration>,
    screen: Screen,
) -> anyhow::Result<Exit> {
    if wait {
        screen.note(&format!("Dropped as {}.", dropped.uri()));
        let run = wait::for_record(stack, dropped, timeout.unwrap_or(LOOKED_FOR_WAITING))
            .await?
            .ok_or_else(|| not_seen(dropped))?;
        let run = wait::until_over(stack, &run, timeout, screen).await?;
        let detail = show::detail(stack, &run, show::DEFAULT_LINKS, clock::now()).await?;
        let exit = Exit::of(run.status());
        let document = dropped.document(stack, Some(SubmittedRun::Over(Box::new(detail))));
        screen.show(&document, |paint| match &document.run {
            Some(SubmittedRun::Over(detail)) => show::text(detail, paint),
            _ => String::new(),
        })?;
        return Ok(exit);
    }
    let run = wait::for_record(stack, dropped, LOOKED_FOR).await?;
    let summary = run
        .as_ref()
        .map(|run| SubmittedRun::Begun(Box::new(RunSummary::of(run, clock::now()))));
    screen.show(&dropped.document(stack, summary), |paint| {
        text(dropped, run.as_ref(), stack, paint)
    })?;
    Ok(Exit::Done)
}

/// Refuses a list of recipients of whom some would not be mailed.
pub(crate) fn all_can_be_mailed(notify: &[String]) -> Result<(), Stop> {
    let wanted = recipient::parse_list(&notify.join(","));
    if let Some(entry) = wanted.unusable.first() {
        return Err(Stop::new(
            Exit::Usage,
            format!("“{entry}” is no mail address."),
        ));
    }
    let named = wanted.addresses.len() + wanted.left_out.len();
    if !wanted.left_out.is_empty() {
        return Err(Stop::new(
            Exit::Usage,
            format!(
                "--notify names {named} addresses; about one run {MAX_RECIPIENTS} are mailed at most."
            ),
        )
        .advice("Name the address of a group instead."));
    }
    Ok(())
}

/// A file to drop.
pub struct Drop<'a> {
    /// The file.
    pub file: &'a Path,
    /// The model.
    pub model: &'a ModelName,
    /// The pinned version.
    pub version: Option<Version>,
    /// Who is mailed.
    pub notify: &'a [String],
    /// What the run is called.
    pub title: Option<&'a str>,
}

/// A file that was dropped.
#[derive(Debug, Clone)]
pub struct Dropped {
    /// The bucket.
    pub bucket: String,
    /// The key, which no other upload has.
    pub key: String,
    /// The model's name in the key.
    pub model: String,
    /// The object's version.
    pub version_id: Option<String>,
}

impl Drop<'_> {
    /// Uploads the file under a key of its own; `now` goes into the key.
    pub async fn put(&self, stack: &Stack, now: Timestamp) -> anyhow::Result<Dropped> {
        let name = file_name(self.file)?;
        let body = ByteStream::from_path(self.file)
            .await
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let key = key(
            INPUTS_PREFIX,
            self.model,
            self.version,
            now,
            &unique(),
            &name,
        );
        let mut request = stack
            .s3
            .put_object()
            .bucket(&stack.inputs_bucket)
            .key(&key)
            .body(body);
        if !self.notify.is_empty() {
            request = request.metadata("notify", self.notify.join(","));
        }
        if let Some(title) = self.title {
            request = request.metadata("title", encoded_word::encode(title));
        }
        let answer = request
            .send()
            .await
            .map_err(|error| not_put(stack, &error))?;
        Ok(Dropped {
            bucket: stack.inputs_bucket.clone(),
            key,
            model: self.model.to_string(),
            version_id: answer.version_id().map(str::to_owned),
        })
    }
}

/// Puts the object that asks for a refresh.
pub async fn ask_for_refresh(
    stack: &Stack,
    model: &ModelName,
    version: Option<Version>,
    now: Timestamp,
) -> anyhow::Result<Dropped> {
    let key = key(
        REFRESH_PREFIX,
        model,
        version,
        now,
        &unique(),
        "refresh.json",
    );
    let put = stack.s3.put_object().bucket(&stack.inputs_bucket).key(&key);
    let answer = put
        .content_type("application/json")
        .body(ByteStream::from_static(b"{}"))
        .send()
        .await
        .map_err(|error| not_put(stack, &error))?;
    Ok(Dropped {
        bucket: stack.inputs_bucket.clone(),
        key,
        model: model.to_string(),
        version_id: answer.version_id().map(str::to_owned),
    })
}

/// The end of a command whose object did not get into the bucket.
fn not_put(stack: &Stack, error: &SdkError<PutObjectError>) -> Stop {
    let exit = if dropcast_aws::is_transient(error) {
        Exit::NoStack
    } else {
        Exit::Internal
    };
    Stop::new(
        exit,
        format!(
            "The file could not be put into the bucket {}: {}.",
            stack.inputs_bucket,
            causes(error)
        ),
    )
    .advice(REACH_ADVICE)
}

impl Dropped {
    /// Where it lies.
    pub fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    fn document(&self, stack: &Stack, run: Option<SubmittedRun>) -> Submitted {
        Submitted {
            stack: stack.name.clone(),
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            version_id: self.version_id.clone(),
            run,
        }
    }
}

fn not_seen(dropped: &Dropped) -> Stop {
    Stop::new(
        Exit::TookTooLong,
        format!("The file lies in {}, but no run of it has begun yet.", dropped.uri()),
    )
    .advice(format!(
        "Look again with `dropcast runs -m {}`. If it never appears, the stack's intake queue has stopped: ask the operator.",
        dropped.model
    ))
}

fn file_name(file: &Path) -> Result<String, Stop> {
    let described = match std::fs::metadata(file) {
        Ok(found) if found.is_file() => {
            return Ok(safe_file_name(
                &file.file_name().unwrap_or_default().to_string_lossy(),
            ));
        }
        Ok(_) => "is no file".to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        Err(error) => format!("cannot be read: {error}"),
    };
    Err(Stop::new(
        Exit::NotFound,
        format!("{} {described}.", file.display()),
    ))
}

/// `<prefix><model>[@<version>]/<UTC time>-<unique>/<file>`.
fn key(
    prefix: &str,
    model: &ModelName,
    version: Option<Version>,
    now: Timestamp,
    unique: &str,
    file: &str,
) -> String {
    let version = version.map_or_else(String::new, |version| format!("@{}", version.number()));
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%S");
    format!("{prefix}{model}{version}/{time}-{unique}/{file}")
}

/// Six hex digits.
fn unique() -> String {
    let mut hex = uuid::Uuid::new_v4().simple().to_string();
    hex.truncate(6);
    hex
}

/// The run of an upload among its model's newest ones.
pub async fn run_of(stack: &Stack, dropped: &Dropped) -> anyhow::Result<Option<Run>> {
    let runs = stack.store.runs_of(&dropped.model, SEARCHED).await?;
    Ok(runs
        .into_iter()
        .find(|run| run.upload.bucket == dropped.bucket && run.upload.key == dropped.key))
}

fn text(dropped: &Dropped, run: Option<&Run>, stack: &Stack, paint: Paint) -> String {
    let command = stack.command();
    let Some(run) = run else {
        return format!(
            "Dropped as {}.\nIts run has not begun yet; look for it with `{command} runs -m {}`.\n",
            dropped.uri(),
            dropped.model
        );
    };
    let facts = paint.facts(&[
        ("Run", run.id.to_string()),
        ("Title", words::printable(&run.title)),
        ("File", dropped.uri()),
        ("Status", paint.status(run.status())),
    ]);
    format!(
        "{facts}\n{}\n",
        paint.dim(&format!("Follow it with `{command} wait {}`.", run.id))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> ModelName {
        "revenue-forecast".parse().unwrap()
    }

    #[test]
    fn the_key_names_model_version_time_and_file() {
        let now: Timestamp = "2026-03-01T10:30:00+01:00".parse().unwrap();
        assert_eq!(
            key(INPUTS_PREFIX, &model(), None, now, "0a1b2c", "plan.json"),
            "inputs/revenue-forecast/20260301T093000-0a1b2c/plan.json"
        );
        let pinned = key(
            INPUTS_PREFIX,
            &model(),
            Some("3".parse().unwrap()),
            now,
            "0a1b2c",
            "é %.json",
        );
        assert_eq!(
            pinned,
            "inputs/revenue-forecast@3/20260301T093000-0a1b2c/é %.json"
        );
        assert_ne!(unique(), unique());
        assert_eq!(unique().len(), 6);
    }

    #[test]
    fn recipients_who_would_not_be_mailed_are_refused_for_what_they_are() {
        let people = |number: usize| -> Vec<String> {
            (0..number).map(|n| format!("p{n}@corp.example")).collect()
        };
        assert!(all_can_be_mailed(&people(20)).is_ok());
        let many = all_can_be_mailed(&people(23)).unwrap_err();
        assert_eq!(many.exit, Exit::Usage);
        assert_eq!(
            many.message,
            "--notify names 23 addresses; about one run 20 are mailed at most."
        );
        let junk = all_can_be_mailed(&["ana".to_owned()]).unwrap_err();
        assert_eq!(junk.message, "“ana” is no mail address.");
    }

    #[test]
    fn a_folder_or_nothing_is_no_file_to_drop() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(file_name(folder.path()).unwrap_err().exit, Exit::NotFound);
        let missing = folder.path().join("missing.json");
        assert!(
            file_name(&missing)
                .unwrap_err()
                .message
                .ends_with("does not exist.")
        );
    }
}
