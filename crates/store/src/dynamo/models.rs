//! Models, their versions, and the builds that made them.

use dropcast_domain::{
    ids::Version,
    model::ModelName,
    registry::{
        AuditStamp, Build, BuildEnd, BuildId, DefaultEntry, EndedBuild, Model, RegisteredVersion,
        VersionSpec,
    },
};

use super::{
    DynamoStore,
    items::{self, DEFAULT_SINCE, MODEL_SK, attribute, key, model_pk, number, sortable, text},
    transaction::{TRIES, Transaction},
};
use crate::{Builds, Models, StoreError, ports::StoreResult};

impl Models for DynamoStore {
    async fn model(&self, name: &ModelName) -> StoreResult<Option<Model>> {
        self.get("model", key(model_pk(name.as_str()), MODEL_SK))
            .await?
            .map(items::read)
            .transpose()
    }

    async fn version(
        &self,
        name: &ModelName,
        version: Version,
    ) -> StoreResult<Option<RegisteredVersion>> {
        self.get("version", items::version_key(name, version))
            .await?
            .map(items::read)
            .transpose()
    }

    async fn register(&self, spec: &VersionSpec) -> StoreResult<RegisteredVersion> {
        for _ in 0..TRIES {
            let current = self.model(&spec.manifest.name).await?;
            let stamp = AuditStamp {
                by: None,
                at: spec.built_at,
            };
            let mut writes = self.transaction("register");
            let version = add_version(&mut writes, current.as_ref(), spec, stamp)?;
            if writes.commit().await? {
                return Ok(version);
            }
        }
        Err(StoreError::Contended("register"))
    }
}

impl Builds for DynamoStore {
    async fn build(&self, build: &BuildId) -> StoreResult<Option<Build>> {
        self.get("build", items::build_key(build))
            .await?
            .map(items::read)
            .transpose()
    }

    async fn create_build_if_absent(&self, build: &Build) -> StoreResult<Build> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(items::build_item(build)?))
            .condition_expression("attribute_not_exists(PK)")
            .send()
            .await;
        if super::took_place("create_build_if_absent", put)? {
            return Ok(build.clone());
        }
        let existing = self.build(&build.build_id).await?;
        existing.ok_or(StoreError::Contended("create_build_if_absent"))
    }

    async fn register_build(
        &self,
        build: &EndedBuild,
        spec: &VersionSpec,
        seen: Option<Version>,
    ) -> StoreResult<Build> {
        let name = &spec.manifest.name;
        for _ in 0..TRIES {
            if let Some(existing) = self.build(&build.build_id).await? {
                return Ok(existing);
            }
            let current = self.model(name).await?;
            let newest = current.as_ref().map(Model::newest);
            if let Some(newest) = newest.filter(|_| newest > seen)
                && let Some(same) = self.version(name, newest).await?
                && same.spec.is_made_like(spec)
            {
                let version = same.version;
                let record = build.record(BuildEnd::Registered { version });
                return self.create_build_if_absent(&record).await;
            }
            let stamp = AuditStamp {
                by: build.requester.by.as_deref(),
                at: build.at,
            };
            let mut writes = self.transaction("register_build");
            let version = add_version(&mut writes, current.as_ref(), spec, stamp)?.version;
            let record = build.record(BuildEnd::Registered { version });
            writes.put_new(items::build_item(&record)?)?;
            if writes.commit().await? {
                return Ok(record);
            }
        }
        Err(StoreError::Contended("register_build"))
    }
}

/// Adds a version under the next number to a transaction: a number without a version, or the
/// reverse, would look like a lost write.
fn add_version(
    writes: &mut Transaction<'_>,
    current: Option<&Model>,
    spec: &VersionSpec,
    stamp: AuditStamp<'_>,
) -> StoreResult<RegisteredVersion> {
    let name = &spec.manifest.name;
    let version = current.map_or(Version::FIRST, |model| model.next_version);
    let registered = RegisteredVersion {
        model: name.clone(),
        version,
        spec: spec.clone(),
    };
    writes.put_new(items::version_item(&registered)?)?;
    if current.is_none() {
        let entry = DefaultEntry::first(version, stamp);
        let mut model = items::model_item(&Model {
            name: name.clone(),
            title: spec.manifest.title.clone(),
            default_version: version,
            next_version: version.next(),
        })?;
        model.insert(DEFAULT_SINCE.into(), text(sortable(entry.at)));
        writes.put_new(model)?;
        writes.put_new(items::default_item(name, &entry)?)?;
    } else {
        let title = attribute(&spec.manifest.title, "title")?;
        // Not the whole item: a version may be promoted at this moment.
        writes.update(key(model_pk(name.as_str()), MODEL_SK), |update| {
            update
                .update_expression("SET title = :title, nextVersion = :after")
                .condition_expression("nextVersion = :next")
                .expression_attribute_values(":title", title)
                .expression_attribute_values(":after", number(version.next()))
                .expression_attribute_values(":next", number(version))
        })?;
    }
    Ok(registered)
}
