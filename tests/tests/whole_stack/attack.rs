//! Models that do not trust each other: what the role of one cannot do to the runs of another, and
//! what no one can do to published outputs. The attacker knows what a recipient of the
//! victim's mail knows, and may write a model's code.

use anyhow::{Context as _, Result, ensure};
use aws_sdk_s3::{
    error::{ProvideErrorMetadata as _, SdkError},
    primitives::ByteStream,
};
use dropcast_domain::run::Run;
use dropcast_store::Models as _;
use dropcast_tests::{
    Stack, Upload,
    permissions::{Caller, is_allowed},
};

use crate::{
    checks::{sha256, succeeded},
    pushes::{init, push},
    world::scenarios,
};

scenarios![
    a_models_role_reaches_no_run_of_another_model,
    what_was_published_cannot_be_replaced_even_by_the_models_own_role,
];

/// A model that came by a push, and so has a role of its own; returns the example to run it on.
pub(crate) async fn pushed(stack: &Stack, name: &str) -> Result<Vec<u8>> {
    let folder = init(stack, name).await?;
    push(stack, &folder, &[]).await?.is(0, "pushed")?;
    Ok(std::fs::read(folder.join("examples/sales.csv"))?)
}

/// The ARN of a pushed model's role.
pub(crate) async fn role_of(stack: &Stack, model: &str) -> Result<String> {
    let version = stack.store.version(&model.parse()?, "1".parse()?).await?;
    let definition = version.context("version 1")?.spec.job_definition;
    let described = stack.batch.describe_job_definitions();
    let described = described.job_definitions(definition).send().await?;
    let container = described
        .job_definitions()
        .first()
        .and_then(|definition| definition.container_properties())
        .context("a container")?;
    Ok(container.job_role_arn().context("a role")?.to_owned())
}

async fn run(stack: &Stack, model: &str, example: &[u8]) -> Result<Run> {
    let file = Upload::new(model, "salaries.csv", example).notify("ana@corp.example");
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    Ok(ended.run)
}

/// Whether a role may do this to an object of the results bucket.
async fn may(caller: &Caller, bucket: &str, action: &str, key: &str) -> Result<bool> {
    let s3 = &caller.s3;
    let junk = || ByteStream::from_static(b"a,b\n999,666\n");
    match action {
        "get" => is_allowed(&s3.get_object().bucket(bucket).key(key).send().await),
        "head" => {
            let answer = s3.head_object().bucket(bucket).key(key).send().await;
            // A HEAD has no body, and so no code.
            Ok(!answer.is_err_and(|error| status(&error) == Some(403)))
        }
        "put" => is_allowed(
            &s3.put_object()
                .bucket(bucket)
                .key(key)
                .body(junk())
                .send()
                .await,
        ),
        "put if absent" => {
            let put = s3.put_object().bucket(bucket).key(key).if_none_match("*");
            is_allowed(&put.body(junk()).send().await)
        }
        "begin parts" => {
            let create = s3.create_multipart_upload().bucket(bucket).key(key);
            is_allowed(&create.send().await)
        }
        "copy" => {
            let copy = s3.copy_object().bucket(bucket).key(format!("{key}.copy"));
            is_allowed(&copy.copy_source(format!("{bucket}/{key}")).send().await)
        }
        "delete" => is_allowed(&s3.delete_object().bucket(bucket).key(key).send().await),
        "list" => {
            let list = s3.list_objects_v2().bucket(bucket).prefix(key);
            is_allowed(&list.send().await)
        }
        "list versions" => {
            let list = s3.list_object_versions().bucket(bucket).prefix(key);
            is_allowed(&list.send().await)
        }
        _ => anyhow::bail!("{action}?"),
    }
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

async fn a_models_role_reaches_no_run_of_another_model(stack: &Stack) -> Result<()> {
    let example = pushed(stack, "victim").await?;
    pushed(stack, "attacker").await?;
    let victims = run(stack, "victim", &example).await?;
    let input = victims.input.as_ref().context("an input")?;
    let output = victims.outputs.first().context("an output")?;
    let keys = victims.keys();
    let bucket = stack.output("ResultsBucketName")?;
    let caller = stack
        .caller(&role_of(stack, "attacker").await?, "attacker")
        .await?;
    let beside = format!("{}stolen.csv", keys.outputs());
    let cached = "cache/victim/anything";
    let (manifest, problems, marked) = (keys.manifest(), keys.problems(), keys.marked());
    let attempts = [
        ("get", input.key.as_str()),
        ("head", &input.key),
        ("get", &input.prepared_key),
        ("put", &input.key),
        ("put if absent", &input.key),
        ("get", &output.key),
        ("head", &output.key),
        ("put", &output.key),
        ("put if absent", &output.key),
        ("begin parts", &output.key),
        ("copy", &output.key),
        ("delete", &output.key),
        ("put", &beside),
        ("put if absent", &beside),
        ("get", &manifest),
        ("put", &manifest),
        ("put if absent", &manifest),
        ("put if absent", &problems),
        ("put if absent", &marked),
        ("get", cached),
        ("put", cached),
        ("delete", cached),
        ("list", ""),
        ("list", "runs/"),
        ("list", "runs/victim/"),
        ("list", keys.prefix()),
        ("list", "cache/victim/"),
        ("list versions", keys.prefix()),
    ];
    let mut got = Vec::new();
    for (action, key) in attempts {
        if may(&caller, bucket, action, key).await? {
            got.push(format!("{action} {key}"));
        }
    }
    ensure!(got.is_empty(), "the attacker may {got:#?}");
    // It is a role that works: what is its own, it may.
    ensure!(may(&caller, bucket, "list", "cache/attacker/").await?);
    let own = format!("runs/attacker/{}/outputs/job/1/own.csv", victims.id);
    ensure!(may(&caller, bucket, "put if absent", &own).await?);
    let after = stack.result(&output.key).await?;
    assert_eq!(output.sha256.as_deref(), Some(sha256(&after).as_str()));
    Ok(())
}

async fn what_was_published_cannot_be_replaced_even_by_the_models_own_role(
    stack: &Stack,
) -> Result<()> {
    let example = pushed(stack, "self-forger").await?;
    let published = run(stack, "self-forger", &example).await?;
    let output = published.outputs.first().context("an output")?;
    let bucket = stack.output("ResultsBucketName")?;
    let role = role_of(stack, "self-forger").await?;
    let caller = stack.caller(&role, "self-forger").await?;
    for action in ["put", "copy", "delete"] {
        ensure!(
            !may(&caller, bucket, action, &output.key).await?,
            "{action}"
        );
    }
    let put = caller.s3.put_object().bucket(bucket).key(&output.key);
    let put = put.body(ByteStream::from_static(b"999"));
    let put = put.if_none_match("*").send().await;
    let code = put.err().and_then(|error| error.code().map(str::to_owned));
    assert_eq!(code.as_deref(), Some("PreconditionFailed"));
    // In parts: they may be uploaded, but not completed over an existing object.
    let s3 = &caller.s3;
    let created = s3.create_multipart_upload().bucket(bucket).key(&output.key);
    let upload = created.send().await?.upload_id.context("an upload")?;
    let part = s3.upload_part().bucket(bucket).key(&output.key);
    let part = part.upload_id(&upload).part_number(1);
    let part = part.body(ByteStream::from_static(b"999")).send().await?;
    let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder()
        .parts(
            aws_sdk_s3::types::CompletedPart::builder()
                .part_number(1)
                .set_e_tag(part.e_tag)
                .build(),
        )
        .build();
    for (condition, expected) in [(None, "AccessDenied"), (Some("*"), "PreconditionFailed")] {
        let complete = s3
            .complete_multipart_upload()
            .bucket(bucket)
            .key(&output.key);
        let complete = complete.upload_id(&upload).multipart_upload(parts.clone());
        let answer = complete
            .set_if_none_match(condition.map(str::to_owned))
            .send()
            .await;
        let code = answer
            .err()
            .and_then(|error| error.code().map(str::to_owned));
        assert_eq!(code.as_deref(), Some(expected), "{condition:?}");
    }
    let after = stack.result(&output.key).await?;
    assert_eq!(output.sha256.as_deref(), Some(sha256(&after).as_str()));
    ensure!(output.version_id.is_some(), "the record names the version");
    Ok(())
}
