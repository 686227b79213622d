//! Models, their versions, and the builds that made them.

use dropcast_domain::{
    model::ModelName,
    registry::{
        Act, Build, BuildEnd, BuildId, DefaultEntry, Draft, EndedBuild, Model, RegisteredVersion,
    },
    run_id::Version,
};

use super::{
    DynamoStore,
    items::{self, DEFAULT_SINCE, MODEL_SK, attribute, key, model_pk, number, sortable, text},
    transaction::{TRIES, Transaction},
};
use crate::{Builds, Models, StoreError, ports::Answer};

impl Models for DynamoStore {
    async fn model(&self, name: &ModelName) -> Answer<Option<Model>> {
        self.get("model", key(model_pk(name.as_str()), MODEL_SK))
            .await?
            .map(items::read)
            .transpose()
    }

    async fn version(
        &self,
        name: &ModelName,
        version: Version,
    ) -> Answer<Option<RegisteredVersion>> {
        self.get("version", items::version_key(name, version))
            .await?
            .map(items::read)
            .transpose()
    }

    async fn register(&self, draft: &Draft) -> Answer<RegisteredVersion> {
        for _ in 0..TRIES {
            let standing = self.model(&draft.manifest.name).await?;
            let act = Act {
                by: None,
                at: draft.built_at,
            };
            let mut writes = self.transaction("register");
            let version = add_version(&mut writes, standing.as_ref(), draft, act)?;
            if writes.commit().await? {
                return Ok(version);
            }
        }
        Err(StoreError::Contended("register"))
    }
}

impl Builds for DynamoStore {
    async fn build(&self, build: &BuildId) -> Answer<Option<Build>> {
        self.get("build", items::build_key(build))
            .await?
            .map(items::read)
            .transpose()
    }

    async fn keep_build(&self, build: &Build) -> Answer<Build> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(items::build_item(build)?))
            .condition_expression("attribute_not_exists(PK)")
            .send()
            .await;
        if super::took_place("keep_build", put)? {
            return Ok(build.clone());
        }
        let standing = self.build(&build.build_id).await?;
        standing.ok_or(StoreError::Contended("keep_build"))
    }

    async fn register_build(
        &self,
        build: &EndedBuild,
        draft: &Draft,
        seen: Option<Version>,
    ) -> Answer<Build> {
        let name = &draft.manifest.name;
        for _ in 0..TRIES {
            if let Some(standing) = self.build(&build.build_id).await? {
                return Ok(standing);
            }
            let standing = self.model(name).await?;
            let newest = standing.as_ref().map(Model::newest);
            if let Some(newest) = newest.filter(|_| newest > seen)
                && let Some(same) = self.version(name, newest).await?
                && same.draft.is_made_like(draft)
            {
                let version = same.version;
                let record = build.record(BuildEnd::Registered { version });
                return self.keep_build(&record).await;
            }
            let act = Act {
                by: build.requester.by.as_deref(),
                at: build.at,
            };
            let mut writes = self.transaction("register_build");
            let version = add_version(&mut writes, standing.as_ref(), draft, act)?.version;
            let record = build.record(BuildEnd::Registered { version });
            writes.put_new(items::build_item(&record)?)?;
            if writes.commit().await? {
                return Ok(record);
            }
        }
        Err(StoreError::Contended("register_build"))
    }
}

/// Adds a version under the next number to what is written together: a number without a version,
/// or the reverse, could not be told from a lost write.
fn add_version(
    writes: &mut Transaction<'_>,
    standing: Option<&Model>,
    draft: &Draft,
    act: Act<'_>,
) -> Answer<RegisteredVersion> {
    let name = &draft.manifest.name;
    let version = standing.map_or(Version::FIRST, |model| model.next_version);
    let registered = RegisteredVersion {
        model: name.clone(),
        version,
        draft: draft.clone(),
    };
    writes.put_new(items::version_item(&registered)?)?;
    if standing.is_none() {
        let entry = DefaultEntry::first(version, act);
        let mut model = items::model_item(&Model {
            name: name.clone(),
            title: draft.manifest.title.clone(),
            default_version: version,
            next_version: version.next(),
        })?;
        model.insert(DEFAULT_SINCE.into(), text(sortable(entry.at)));
        writes.put_new(model)?;
        writes.put_new(items::default_item(name, &entry)?)?;
    } else {
        let title = attribute(&draft.manifest.title, "title")?;
        // Not the whole item: somebody may promote a version at this moment.
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
