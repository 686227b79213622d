//! Which version is a model's default, and which run no more.

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

/// What the default of a model that was registered by an earlier release rests on: such a model
/// has no entry yet, and its first one says that it was so since ever.
fn since_ever(model: &Model) -> DefaultEntry {
    let stamp = AuditStamp {
        by: None,
        at: Timestamp::UNIX_EPOCH,
    };
    DefaultEntry::first(model.default_version, stamp)
}

/// A model's default as it stands, for whoever changes it.
struct Standing {
    model: Model,
    defaults: Defaults,
    /// The one entry of `defaults`, where it is not in the table yet.
    missing: Option<DefaultEntry>,
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

    async fn standing(&self, name: &ModelName) -> StoreResult<Option<Standing>> {
        let Some(model) = self.model(name).await? else {
            return Ok(None);
        };
        let mut defaults = self.defaults(name).await?;
        let missing = defaults.entries.is_empty().then(|| since_ever(&model));
        defaults.entries.extend(missing.clone());
        Ok(Some(Standing {
            model,
            defaults,
            missing,
        }))
    }

    /// Makes an entry the current one; false when somebody else was faster.
    async fn write_default(
        &self,
        verb: &'static str,
        standing: &Standing,
        entry: &DefaultEntry,
    ) -> StoreResult<bool> {
        let name = &standing.model.name;
        let mut writes = self.transaction(verb);
        writes.put_new(items::default_item(name, entry)?)?;
        if let Some(missing) = &standing.missing {
            writes.put_new(items::default_item(name, missing)?)?;
        }
        let seen = standing
            .defaults
            .current()
            .filter(|_| standing.missing.is_none());
        writes.update(key(model_pk(name.as_str()), MODEL_SK), |update| {
            let update = update
                .update_expression("SET defaultVersion = :version, #since = :since")
                .expression_attribute_names("#since", DEFAULT_SINCE)
                .expression_attribute_values(":version", number(entry.version))
                .expression_attribute_values(":since", text(sortable(entry.at)));
            match seen {
                Some(seen) => update
                    .condition_expression("#since = :seen")
                    .expression_attribute_values(":seen", text(sortable(seen.at))),
                None => update
                    .condition_expression("attribute_exists(PK) AND attribute_not_exists(#since)"),
            }
        })?;
        let retired = key(model_pk(name.as_str()), retired_sk(entry.version));
        writes.check(retired, |check| {
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
            let Some(standing) = self.standing(name).await? else {
                return Ok(Err(PromotionError::NoSuchModel));
            };
            if version > standing.model.newest() {
                return Ok(Err(PromotionError::NoSuchVersion(version)));
            }
            let entry = match standing.defaults.promote(version, stamp) {
                Ok(entry) => entry,
                Err(unchanged) => return Ok(Err(unchanged)),
            };
            if self.write_default("promote", &standing, &entry).await? {
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
            let Some(standing) = self.standing(name).await? else {
                return Ok(Err(PromotionError::NoSuchModel));
            };
            let entry = match standing.defaults.roll_back(stamp) {
                Ok(entry) => entry,
                Err(unchanged) => return Ok(Err(unchanged)),
            };
            if self.write_default("roll_back", &standing, &entry).await? {
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
            let Some(standing) = self.standing(name).await? else {
                return Ok(Err(PromotionError::NoSuchModel));
            };
            if version > standing.model.newest() {
                return Ok(Err(PromotionError::NoSuchVersion(version)));
            }
            let retirement = match standing.defaults.retire(version, stamp) {
                Ok(retirement) => retirement,
                Err(unchanged) => return Ok(Err(unchanged)),
            };
            let mut writes = self.transaction("retire");
            writes.put_new(items::retired_item(name, &retirement)?)?;
            // Nobody promotes it meanwhile.
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
