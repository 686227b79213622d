//! Finished builds of a test's own, and what becomes of them.

use std::{
    fs, iter,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_s3::primitives::ByteStream;
use dropcast_domain::registry::{Build, BuildEnd, BuildFailure, BuildId};
use dropcast_local_stack::Mail;
use dropcast_store::Builds as _;
use dropcast_tests::{Stack, until};
use serde_json::{Value, json};

use crate::checks::{fits, sha256};

/// Who started them.
pub(crate) const WHO: &str = "arn:aws:iam::000000000000:user/ana";

/// A finished build of a test, with the events that its service would send.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub(crate) id: BuildId,
    pub(crate) model: String,
    pub(crate) notify: &'static str,
    pub(crate) status: &'static str,
    /// The phase that failed, and what is said of it.
    pub(crate) failed: Option<(&'static str, &'static str)>,
}

impl Finished {
    pub(crate) fn new(model: &str, status: &'static str) -> Result<Self> {
        Ok(Self {
            id: uuid::Uuid::new_v4().to_string().parse()?,
            model: model.to_owned(),
            notify: "",
            status,
            failed: None,
        })
    }

    pub(crate) fn detail(&self, project: &str) -> Value {
        let variable =
            |name: &str, value: &str| json!({ "name": name, "type": "PLAINTEXT", "value": value });
        let phase = |name: &str, status: &str, context: &str| {
            json!({
                "phase-type": name,
                "phase-status": status,
                "phase-context": [context],
                "start-time": "Mar 2, 2026 9:26:00 AM",
                "end-time": "Mar 2, 2026 9:26:10 AM",
                "duration-in-seconds": 10.0,
            })
        };
        let mut phases = vec![phase("DOWNLOAD_SOURCE", "SUCCEEDED", ": ")];
        phases.extend(
            self.failed
                .map(|(name, context)| phase(name, "FAILED", context)),
        );
        phases.push(json!({ "phase-type": "COMPLETED", "start-time": "Mar 2, 2026 9:26:10 AM" }));
        let id = &self.id;
        json!({
            "build-status": self.status,
            "project-name": project,
            "build-id": format!("arn:aws:codebuild:eu-west-1:000000000000:build/{project}:{id}"),
            "current-phase": "COMPLETED",
            "additional-information": {
                "build-complete": true,
                "environment": { "environment-variables": [
                    variable("DROPCAST_MODEL", &self.model),
                    variable("DROPCAST_REQUESTED_BY", WHO),
                    variable("DROPCAST_NOTIFY", self.notify),
                ] },
                "logs": { "group-name": format!("/aws/codebuild/{project}"), "stream-name": id },
                "phases": phases,
            },
        })
    }
}

/// Delivers a build's event to the stack so many times.
pub(crate) async fn deliver(stack: &Stack, build: &Finished, times: usize) -> Result<()> {
    let detail = build.detail(stack.output("BuildProject")?).to_string();
    let entry = PutEventsRequestEntry::builder()
        .source("dropcast.codebuild")
        .detail_type("CodeBuild Build State Change")
        .detail(detail)
        .build();
    let events = aws_sdk_eventbridge::Client::new(&stack.connection().sdk_config());
    let answer = events
        .put_events()
        .set_entries(Some(iter::repeat_n(entry, times).collect()))
        .send()
        .await?;
    ensure!(answer.failed_entry_count == 0, "{answer:?}");
    Ok(())
}

/// What became of a build.
pub(crate) async fn settled(stack: &Stack, build: &Finished) -> Result<Build> {
    until(&format!("the build {} is settled", build.id), || async {
        Ok(stack.store.build(&build.id).await?)
    })
    .await
}

pub(crate) async fn registered(stack: &Stack, build: &Finished) -> Result<u32> {
    let record = settled(stack, build).await?;
    match record.end {
        BuildEnd::Registered { version } => Ok(version.number()),
        BuildEnd::Failed(failure) => anyhow::bail!("{failure:?}"),
    }
}

pub(crate) async fn failed(stack: &Stack, build: &Finished) -> Result<BuildFailure> {
    let record = settled(stack, build).await?;
    match record.end {
        BuildEnd::Registered { version } => anyhow::bail!("it is version {version}"),
        BuildEnd::Failed(failure) => Ok(failure),
    }
}

/// A model's folder with a size that Fargate offers; returns it.
pub(crate) fn folder(stack: &Stack, name: &str) -> Result<PathBuf> {
    let folder = stack.copy_of("echo", name)?;
    let manifest = folder.join("model.toml");
    let text = fs::read_to_string(&manifest)?;
    fs::write(
        &manifest,
        text.replace("memory_mib = 128", "memory_mib = 2048"),
    )?;
    Ok(folder)
}

/// Makes an image of a folder, as a build would, and writes what it says of it.
pub(crate) async fn build(stack: &Stack, folder: &Path, build: &Finished) -> Result<()> {
    let mut all = Vec::new();
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in &files {
        all.extend(fs::read(file.path())?);
    }
    let digest = sha256(&all);
    let image = stack.connection().images().join(&build.model).join(&digest);
    fs::create_dir_all(&image)?;
    for file in &files {
        fs::copy(file.path(), image.join(file.file_name()))?;
    }
    let record = json!({
        "buildId": build.id,
        "image": format!("local/{}@sha256:{digest}", build.model),
        "builtAt": "2026-03-02T09:29:00Z",
        "manifest": fs::read_to_string(folder.join("model.toml"))?,
        "inputSchema": fs::read_to_string(folder.join("input.schema.json"))?,
    });
    fits("version.schema.json", &record)?;
    write(stack, build, &record.to_string()).await
}

/// Writes a build's `version.json`.
pub(crate) async fn write(stack: &Stack, build: &Finished, content: &str) -> Result<()> {
    stack
        .s3
        .put_object()
        .bucket(stack.output("ModelsBucketName")?)
        .key(build.id.version_key())
        .body(ByteStream::from(content.as_bytes().to_vec()))
        .send()
        .await?;
    Ok(())
}

/// The mails about a build, once there are so many.
pub(crate) async fn mailed(stack: &Stack, build: &Finished, count: usize) -> Result<Vec<Mail>> {
    let about = |mail: &Mail| mail.text.contains(build.id.as_str());
    until(&format!("{count} mails about {}", build.id), || async {
        let mut mails = stack.mails().await?;
        mails.retain(about);
        Ok((mails.len() >= count).then_some(mails))
    })
    .await
}
