//! Which version is a model's default, and which are retired.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use dropcast_domain::{
    ids::Version,
    model::ModelName,
    registry::{AuditStamp, DefaultEntry, Defaults, Model, PromotionError, Retirement},
};
use jiff::Timestamp;

use super::{
    DynamoStore,
    items::{
        self, DEFAULT_PREFIX, DEFAULT_SINCE, MODEL_SK, RETIRED_PREFIX, default_sk, key, model_pk,
        number, retired_sk, sortable, text,
    },
    transaction::TRIES,
};
use crate::{Models, Promotion, StoreError, ports::StoreResult};

/// A model and its defaults, as a change of the default finds them.
struct CurrentDefault {
    model: Model,
    defaults: Defaults,
}

impl DynamoStore {
    pub(super) fn of_model(&self, name: &ModelName, prefix: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
            .expression_attribute_values(":pk", text(model_pk(name.as_str())))
            .expression_attribute_values(":prefix", text(prefix))
    }

    async fn current_default(&self, name: &ModelName) -> StoreResult<Option<CurrentDefault>> {
        let Some(model) = self.model(name).await? else {
            return Ok(None);
        };
        let defaults = self.defaults(name).await?;
        Ok(Some(CurrentDefault { model, defaults }))
    }

    /// Makes an entry the current one; false when another change came first.
    async fn write_default(
        &self,
        operation: &'static str,
        CurrentDefault { model, defaults }: &CurrentDefault,
        entry: &DefaultEntry,
    ) -> StoreResult<bool> {
        let name = &model.name;
        let pk = model_pk(name.as_str());
        // A model is registered together with its first entry.
        let seen = defaults.current().ok_or_else(|| StoreError::NoDefault {
            model: name.clone(),
        })?;
        let mut writes = self.transaction(operation);
        writes.put_new(items::default_item(name, entry)?)?;
        writes.update(key(pk.clone(), MODEL_SK), |update| {
            update
                .update_expression("SET defaultVersion = :version, #since = :since")
                .condition_expression("#since = :seen")
                .expression_attribute_names("#since", DEFAULT_SINCE)
                .expression_attribute_values(":version", number(entry.version))
                .expression_attribute_values(":since", text(sortable(entry.at)))
                .expression_attribute_values(":seen", text(sortable(seen.at)))
        })?;
        writes.check(key(pk, retired_sk(entry.version)), |check| {
            check.condition_expression("attribute_not_exists(PK)")
        })?;
        writes.commit().await
    }
}

impl Promotion for DynamoStore {
    async fn defaults(&self, name: &ModelName) -> StoreResult<Defaults> {
        let entries = self
            .of_model(name, DEFAULT_PREFIX)
            .scan_index_forward(false);
        let retired = self.of_model(name, RETIRED_PREFIX);
        Ok(Defaults {
            entries: self.collect("defaults", entries, usize::MAX).await?,
            retired: self.collect("defaults", retired, usize::MAX).await?,
        })
    }

    async fn default_at(
        &self,
        name: &ModelName,
        moment: Timestamp,
    ) -> StoreResult<Option<Version>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :moment")
            .expression_attribute_values(":pk", text(model_pk(name.as_str())))
            .expression_attribute_values(":first", text(DEFAULT_PREFIX))
            .expression_attribute_values(":moment", text(default_sk(moment)))
            .scan_index_forward(false)
            .limit(1);
        let found: Vec<DefaultEntry> = self.collect("default_at", query, 1).await?;
        Ok(found.first().map(|entry| entry.version))
    }

    async fn retirement(
        &self,
        name: &ModelName,
        version: Version,
    ) -> StoreResult<Option<Retirement>> {
        let retired = key(model_pk(name.as_str()), retired_sk(version));
        self.get("retirement", retired)
            .await?
            .map(items::read)
            .transpose()
    }

    async fn promote(
        &self,
        name: &ModelName,
        version: Version,
        stamp: AuditStamp<'_>,
    ) -> StoreResult<Result<DefaultEntry, PromotionError>> {
        for _ in 0..TRIES {
            let Some(current) = self.current_default(name).await? else {
                return Ok(Err(PromotionError::NoSuchModel));
            };
            if version > current.model.newest() {
                return Ok(Err(PromotionError::NoSuchVersion(version)));
            }
            let entry = match current.defaults.promote(version, stamp) {
                Ok(entry) => entry,
                Err(unchanged) => return Ok(Err(unchanged)),
            };
            if self.write_default("promote", &current, &entry).await? {
                return Ok(Ok(entry));
            }
        }
        Err(StoreError::Contended("promote"))
    }

    async fn roll_back(
        &self,
        name: &ModelName,
        stamp: AuditStamp<'_>,
    ) -> StoreResult<Result<DefaultEntry, PromotionError>> {
        for _ in 0..TRIES {
            let Some(current) = self.current_default(name).await? else {
                return Ok(Err(PromotionError::NoSuchModel));
            };
            let entry = match current.defaults.roll_back(stamp) {
                Ok(entry) => entry,
                Err(unchanged) => return Ok(Err(unchanged)),
            };
            if self.write_default("roll_back", &current, &entry).await? {
                return Ok(Ok(entry));
            }
        }
        Err(StoreError::Contended("roll_back"))
    }

    async fn retire(
        &self,
        name: &ModelName,
        version: Version,
        stamp: AuditStamp<'_>,
    ) -> StoreResult<Result<Retirement, PromotionError>> {
        for _ in 0..TRIES {
            let Some(current) = self.current_default(name).await? else {
                return Ok(Err(PromotionError::NoSuchModel));
            };
            if version > current.model.newest() {
                return Ok(Err(PromotionError::NoSuchVersion(version)));
            }
            let retirement = match current.defaults.retire(version, stamp) {
                Ok(retirement) => retirement,
                Err(unchanged) => return Ok(Err(unchanged)),
            };
            let mut writes = self.transaction("retire");
            writes.put_new(items::retired_item(name, &retirement)?)?;
            // It must not have been promoted since.
            writes.check(key(model_pk(name.as_str()), MODEL_SK), |check| {
                check
                    .condition_expression("defaultVersion <> :version")
                    .expression_attribute_values(":version", number(version))
            })?;
            if writes.commit().await? {
                return Ok(Ok(retirement));
            }
        }
        Err(StoreError::Contended("retire"))
    }
}
