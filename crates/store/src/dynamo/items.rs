//! Keys and attributes of the records in the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use dropcast_domain::{
    ids::{RunId, Version},
    model::ModelName,
    registry::{Build, BuildId, DefaultEntry, Model, RegisteredVersion, Retirement},
    run::Run,
    status::{Progress, Transition},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{MailKey, StoreError};

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The sort key of the run's record. The stream's filter and announce-run match on it.
pub const RUN_SK: &str = "RUN";
/// The sort key of the task token, in a partition of its own: roles are bound to partitions, and
/// few may read it.
pub(crate) const TOKEN_SK: &str = "TOKEN";
/// The sort key of a failed job's last log lines.
pub(crate) const LOG_SK: &str = "LOG";
/// The sort key prefix of the timeline.
pub(crate) const STATUS_PREFIX: &str = "STATUS#";
/// When DynamoDB may delete an item, in Unix seconds: a run's items all have its record's time.
pub(crate) const TTL: &str = "ttl";
/// The sort key of a model.
pub(crate) const MODEL_SK: &str = "MODEL";
/// The sort key of a build's record. The stream's filter and announce-run match on it.
pub const BUILD_SK: &str = "BUILD";
/// The sort key prefix of a model's versions.
pub(crate) const VERSION_PREFIX: &str = "VERSION#";
/// The sort key prefix of a model's default versions.
pub(crate) const DEFAULT_PREFIX: &str = "DEFAULT#";
/// The sort key prefix of a model's retired versions.
pub(crate) const RETIRED_PREFIX: &str = "RETIRED#";
/// On a model, the time key of the entry that made its default version: a change of the default
/// is conditional on it.
pub(crate) const DEFAULT_SINCE: &str = "default_since";
/// The sort key of what is remembered of a model's scheduled refreshes.
pub(crate) const REFRESH_SK: &str = "REFRESH";
/// The sort key of what says that mails about a run are due.
pub(crate) const DUE_SK: &str = "DUE";
/// Partition of index `mails-due`.
pub(crate) const DUE: &str = "DUE";
/// Partition of index `open-runs`.
pub(crate) const OPEN: &str = "OPEN";
/// Partition of index `by-model` that lists the models themselves.
pub(crate) const MODELS: &str = "MODELS";

pub(crate) fn run_pk(run: &RunId) -> String {
    format!("RUN#{run}")
}

pub(crate) fn token_key(run: &RunId) -> Item {
    key(format!("TOKEN#{run}"), TOKEN_SK)
}

pub(crate) fn model_pk(model: &str) -> String {
    format!("MODEL#{model}")
}

pub(crate) fn status_sk(progress: Progress) -> String {
    // Padded, so that the timeline sorts by (finished attempts, rank).
    format!(
        "{STATUS_PREFIX}{:04}#{}",
        progress.attempts,
        progress.status.rank()
    )
}

pub(crate) fn version_sk(version: Version) -> String {
    format!("{VERSION_PREFIX}{:06}", version.number())
}

pub(crate) fn default_sk(at: Timestamp) -> String {
    format!("{DEFAULT_PREFIX}{}", sortable(at))
}

pub(crate) fn retired_sk(version: Version) -> String {
    format!("{RETIRED_PREFIX}{:06}", version.number())
}

pub(crate) fn build_pk(build: &BuildId) -> String {
    format!("BUILD#{build}")
}

pub(crate) fn build_key(build: &BuildId) -> Item {
    key(build_pk(build), BUILD_SK)
}

/// Partition of index `by-model` that lists a model's builds.
pub(crate) fn builds_pk(model: &ModelName) -> String {
    format!("BUILDS#{model}")
}

pub(crate) fn mail_sk(mail: &MailKey) -> String {
    let digest = Sha256::digest(mail.recipient.as_bytes());
    let name = mail.topic.mail_name(mail.kind);
    format!("MAIL#{name}#{}", hex::encode(digest))
}

/// A time that sorts as text: fixed width, to the millisecond.
pub(crate) fn sortable(at: Timestamp) -> String {
    format!("{at:.3}")
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "Callers hand over plain numbers."
)]
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn key(pk: String, sk: impl Into<String>) -> Item {
    HashMap::from([("PK".to_owned(), text(pk)), ("SK".to_owned(), text(sk))])
}

/// One step of the timeline.
#[derive(Serialize, Deserialize)]
pub(crate) struct Step {
    #[serde(flatten)]
    pub(crate) step: Transition,
}

pub(crate) fn run_item(run: &Run) -> Result<Item, StoreError> {
    let mut item = written(run, run_pk(&run.id), RUN_SK)?;
    item.insert("model_pk".into(), text(model_pk(&run.request.model)));
    // An id says nothing of when the run was, so lists sort by the upload's time.
    let order = format!("{}#{}", sortable(run.upload.at), run.id);
    item.insert("model_sk".into(), text(order));
    item.insert("open_pk".into(), text(OPEN));
    item.insert("open_sk".into(), text(sortable(run.current.at)));
    item.insert("order".into(), number(run.current.progress.order()));
    item.insert("changed_ns".into(), number(run.current.at.as_nanosecond()));
    item.insert(TTL.into(), expiry(run));
    Ok(item)
}

/// When the run and its items may be deleted.
pub(crate) fn expiry(run: &Run) -> AttributeValue {
    number(run.expires_at.as_second())
}

pub(crate) fn model_item(model: &Model) -> Result<Item, StoreError> {
    let mut item = written(model, model_pk(model.name.as_str()), MODEL_SK)?;
    item.insert("model_pk".into(), text(MODELS));
    item.insert("model_sk".into(), text(model.name.as_str()));
    Ok(item)
}

pub(crate) fn version_item(version: &RegisteredVersion) -> Result<Item, StoreError> {
    written(
        version,
        model_pk(version.model.as_str()),
        &version_sk(version.version),
    )
}

pub(crate) fn build_item(build: &Build) -> Result<Item, StoreError> {
    let mut item = written(build, build_pk(&build.build_id), BUILD_SK)?;
    if let Some(model) = &build.model {
        item.insert("model_pk".into(), text(builds_pk(model)));
        let order = format!("{}#{}", sortable(build.at), build.build_id);
        item.insert("model_sk".into(), text(order));
    }
    Ok(item)
}

pub(crate) fn default_item(model: &ModelName, entry: &DefaultEntry) -> Result<Item, StoreError> {
    written(entry, model_pk(model.as_str()), &default_sk(entry.at))
}

pub(crate) fn retired_item(model: &ModelName, retired: &Retirement) -> Result<Item, StoreError> {
    written(
        retired,
        model_pk(model.as_str()),
        &retired_sk(retired.version),
    )
}

pub(crate) fn version_key(model: &ModelName, version: Version) -> Item {
    key(model_pk(model.as_str()), version_sk(version))
}

fn written<T: Serialize>(value: &T, pk: String, sk: &str) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(|source| StoreError::Invalid {
        key: format!("{pk} {sk}"),
        source: Box::new(source),
    })?;
    item.extend(key(pk, sk));
    Ok(item)
}

/// Reads one attribute's worth of a value, for update expressions.
pub(crate) fn attribute<T: Serialize>(value: &T, name: &str) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(|source| StoreError::Invalid {
        key: name.to_owned(),
        source: Box::new(source),
    })
}

/// Reads an item back.
pub(crate) fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    let key = ["PK", "SK"].map(|part| {
        item.get(part)
            .and_then(|value| value.as_s().ok())
            .cloned()
            .unwrap_or_default()
    });
    serde_dynamo::from_item(item).map_err(|source| StoreError::Invalid {
        key: key.join(" "),
        source: Box::new(source),
    })
}
