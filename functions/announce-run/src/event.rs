//! The table's stream as it arrives.

use dropcast_domain::{
    event::{Announcement, BuildFinished, RunStatusChanged},
    registry::Build,
    run::Run,
};
use dropcast_store::items::{BUILD_SK, RUN_SK};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_dynamo::{AttributeValue, Item};

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

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    dynamodb: Images,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Images {
    sequence_number: String,
    #[serde(default)]
    old_image: Option<Item>,
    #[serde(default)]
    new_image: Option<Item>,
}

impl Change {
    /// The change's number in its stream.
    pub(crate) fn sequence_number(&self) -> &str {
        &self.dynamodb.sequence_number
    }

    /// The event to publish: for a new status of a run and for a finished build; none for other
    /// items of the table.
    pub(crate) fn announcement(&self) -> Result<Option<Announcement>, Error> {
        let Images {
            old_image,
            new_image,
            ..
        } = self.dynamodb.clone();
        let Some(after) = new_image else {
            return Ok(None);
        };
        let sort_key = match after.get("SK") {
            Some(AttributeValue::S(sort_key)) => sort_key.as_str(),
            _ => return Ok(None),
        };
        match sort_key {
            RUN_SK => {
                let before: Option<Run> = old_image.map(read).transpose()?;
                let after = read(after)?;
                let event = RunStatusChanged::between(before.as_ref(), &after);
                Ok(event.map(Announcement::Run))
            }
            // The record of a build never changes.
            BUILD_SK if old_image.is_none() => {
                let build: Build = read(after)?;
                Ok(Some(Announcement::Build(BuildFinished::from(&build))))
            }
            _ => Ok(None),
        }
    }
}

fn read<T: DeserializeOwned>(image: Item) -> Result<T, Error> {
    serde_dynamo::from_item(image).map_err(Error::Unreadable)
}

/// The changes to deliver again: the named one and all after it.
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
