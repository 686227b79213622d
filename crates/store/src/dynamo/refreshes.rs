//! Scheduled refreshes of models.

use dropcast_domain::model::ModelName;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    DynamoStore,
    items::{self, Item, REFRESH_SK, key, sortable, text},
    took_place,
};
use crate::{Refreshes, ports::StoreResult};

/// In a partition of its own: start-refreshes writes to no entry of the registry.
fn refresh_key(model: &ModelName) -> Item {
    key(format!("REFRESH#{model}"), REFRESH_SK)
}

/// The last moment of a schedule that was asked for.
#[derive(Deserialize)]
struct LastRefresh {
    due: Timestamp,
}

impl Refreshes for DynamoStore {
    async fn last_refresh(&self, model: &ModelName) -> StoreResult<Option<Timestamp>> {
        let item = self.get("last_refresh", refresh_key(model)).await?;
        let last = item.map(items::read::<LastRefresh>).transpose()?;
        Ok(last.map(|last| last.due))
    }

    async fn record_refresh(&self, model: &ModelName, due: Timestamp) -> StoreResult<()> {
        let due = text(sortable(due));
        let mut item = refresh_key(model);
        item.insert("due".into(), due.clone());
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK) OR due < :due")
            .expression_attribute_values(":due", due)
            .send()
            .await;
        took_place("record_refresh", answer).map(drop)
    }
}
