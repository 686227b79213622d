//! The table's stream as it arrives.

use dropcast_domain::run::Run;
use dropcast_run_store::items::RUN_SK;
use serde::{Deserialize, Serialize};
use serde_dynamo::Item;

use crate::Error;

/// A batch of changes of the runs table.
///
/// See <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>.
#[derive(Debug, Clone, Deserialize)]
pub struct TableChanges {
    /// The changes, oldest first.
    #[serde(rename = "Records")]
    pub records: Vec<Change>,
}

/// One change.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    #[serde(rename = "eventSourceARN")]
    stream: String,
    dynamodb: Images,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Images {
    sequence_number: String,
    #[serde(default)]
    old_image: Option<Item>,
    #[serde(default)]
    new_image: Option<Item>,
}

impl Change {
    /// What names the change in its stream.
    pub(crate) fn sequence_number(&self) -> &str {
        &self.dynamodb.sequence_number
    }

    /// The ARN of the table that changed.
    pub(crate) fn table(&self) -> &str {
        let of_stream = self.stream.split_once("/stream/");
        of_stream.map_or(&self.stream, |(table, _)| table)
    }

    /// The run's record before and after; nothing for other items.
    pub(crate) fn into_runs(self) -> Result<(Option<Run>, Option<Run>), Error> {
        let is_run = |item: &Item| {
            item.get("SK")
                .is_some_and(|sk| *sk == serde_dynamo::AttributeValue::S(RUN_SK.into()))
        };
        let read = |image: Option<Item>| {
            image
                .filter(is_run)
                .map(serde_dynamo::from_item)
                .transpose()
                .map_err(Error::Unreadable)
        };
        Ok((
            read(self.dynamodb.old_image)?,
            read(self.dynamodb.new_image)?,
        ))
    }
}

/// The changes to deliver again: the named one and all behind it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedChanges {
    batch_item_failures: Vec<FailedChange>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct FailedChange {
    item_identifier: String,
}

impl FailedChanges {
    pub(crate) fn none() -> Self {
        Self {
            batch_item_failures: Vec::new(),
        }
    }

    pub(crate) fn from(item_identifier: String) -> Self {
        Self {
            batch_item_failures: vec![FailedChange { item_identifier }],
        }
    }
}
