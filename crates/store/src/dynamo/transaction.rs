//! Several writes of which all take place or none.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        ConditionCheck, Put, TransactWriteItem, Update,
        builders::{ConditionCheckBuilder, PutBuilder, UpdateBuilder},
    },
};

use super::{DynamoStore, failed, items::Item};
use crate::{StoreError, ports::StoreResult};

/// How often a change starts over when others change the same thing.
pub(super) const TRIES: u32 = 10;

/// Writes that belong together.
pub(super) struct Transaction<'a> {
    store: &'a DynamoStore,
    operation: &'static str,
    writes: Vec<TransactWriteItem>,
}

impl DynamoStore {
    pub(super) fn transaction(&self, operation: &'static str) -> Transaction<'_> {
        Transaction {
            store: self,
            operation,
            writes: Vec::new(),
        }
    }
}

impl Transaction<'_> {
    /// Writes an item that must not be there yet.
    pub(super) fn put_new(&mut self, item: Item) -> StoreResult<()> {
        let put: PutBuilder = Put::builder()
            .table_name(&self.store.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)");
        let put = put.build().map_err(|error| self.unbuilt(error))?;
        self.writes
            .push(TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    /// Changes an item, as far as the builder says how and when.
    pub(super) fn update(
        &mut self,
        key: Item,
        how: impl FnOnce(UpdateBuilder) -> UpdateBuilder,
    ) -> StoreResult<()> {
        let update = Update::builder()
            .table_name(&self.store.table)
            .set_key(Some(key));
        let update = how(update).build().map_err(|error| self.unbuilt(error))?;
        self.writes
            .push(TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    /// Requires something of an item that is not written.
    pub(super) fn check(
        &mut self,
        key: Item,
        what: impl FnOnce(ConditionCheckBuilder) -> ConditionCheckBuilder,
    ) -> StoreResult<()> {
        let check = ConditionCheck::builder()
            .table_name(&self.store.table)
            .set_key(Some(key));
        let check = what(check).build().map_err(|error| self.unbuilt(error))?;
        self.writes
            .push(TransactWriteItem::builder().condition_check(check).build());
        Ok(())
    }

    /// Does it all; false when a condition did not hold, or another transaction was at one of
    /// the items: then it is worth another look.
    pub(super) async fn commit(self) -> StoreResult<bool> {
        let answer = self
            .store
            .client
            .transact_write_items()
            .set_transact_items(Some(self.writes))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(|refusal| {
                    refusal.is_transaction_canceled_exception()
                        || refusal.is_transaction_in_progress_exception()
                }) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed(self.operation, error)),
        }
    }

    fn unbuilt(&self, error: BuildError) -> StoreError {
        StoreError::Call {
            operation: self.operation,
            transient: false,
            source: Box::new(error),
        }
    }
}
