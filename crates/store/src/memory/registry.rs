//! Models, builds and defaults in memory.

use dropcast_domain::{
    ids::Version,
    model::ModelName,
    registry::{
        AuditStamp, Build, BuildEnd, BuildId, DefaultEntry, Defaults, EndedBuild, Model,
        PromotionError, RegisteredVersion, Retirement, VersionSpec,
    },
};
use jiff::Timestamp;

use super::{MemoryStore, Table};
use crate::{Builds, Models, Promotion, ports::StoreResult};

impl Table {
    fn add_version(&mut self, spec: &VersionSpec, stamp: AuditStamp<'_>) -> RegisteredVersion {
        let name = &spec.manifest.name;
        let model = self.models.entry(name.clone()).or_insert_with(|| Model {
            name: name.clone(),
            title: String::new(),
            default_version: Version::FIRST,
            next_version: Version::FIRST,
        });
        let version = model.next_version;
        model.title.clone_from(&spec.manifest.title);
        model.next_version = version.next();
        let registered = RegisteredVersion {
            model: name.clone(),
            version,
            spec: spec.clone(),
        };
        self.versions
            .insert((name.clone(), version), registered.clone());
        let defaults = self.defaults.entry(name.clone()).or_default();
        if defaults.entries.is_empty() {
            defaults.entries.push(DefaultEntry::first(version, stamp));
        }
        registered
    }

    /// The model's defaults, if it has this version.
    fn defaults_of(
        &mut self,
        name: &ModelName,
        version: Option<Version>,
    ) -> Result<&mut Defaults, PromotionError> {
        let model = self.models.get(name).ok_or(PromotionError::NoSuchModel)?;
        if let Some(unknown) = version.filter(|version| *version > model.newest()) {
            return Err(PromotionError::NoSuchVersion(unknown));
        }
        Ok(self.defaults.entry(name.clone()).or_default())
    }

    fn make_default(
        &mut self,
        name: &ModelName,
        entry: Result<DefaultEntry, PromotionError>,
    ) -> Result<DefaultEntry, PromotionError> {
        let entry = entry?;
        if let Some(model) = self.models.get_mut(name) {
            model.default_version = entry.version;
        }
        let defaults = self.defaults.entry(name.clone()).or_default();
        defaults.entries.insert(0, entry.clone());
        Ok(entry)
    }
}

impl Models for MemoryStore {
    async fn model(&self, name: &ModelName) -> StoreResult<Option<Model>> {
        Ok(self.table().await.models.get(name).cloned())
    }

    async fn version(
        &self,
        name: &ModelName,
        version: Version,
    ) -> StoreResult<Option<RegisteredVersion>> {
        Ok(self
            .table()
            .await
            .versions
            .get(&(name.clone(), version))
            .cloned())
    }

    async fn register(&self, spec: &VersionSpec) -> StoreResult<RegisteredVersion> {
        let stamp = AuditStamp {
            by: None,
            at: spec.built_at,
        };
        Ok(self.table().await.add_version(spec, stamp))
    }
}

impl Builds for MemoryStore {
    async fn build(&self, build: &BuildId) -> StoreResult<Option<Build>> {
        Ok(self.table().await.builds.get(build).cloned())
    }

    async fn create_build_if_absent(&self, build: &Build) -> StoreResult<Build> {
        let mut table = self.table().await;
        let record = table.builds.entry(build.build_id.clone());
        Ok(record.or_insert_with(|| build.clone()).clone())
    }

    async fn register_build(
        &self,
        build: &EndedBuild,
        spec: &VersionSpec,
        seen: Option<Version>,
    ) -> StoreResult<Build> {
        let mut table = self.table().await;
        if let Some(existing) = table.builds.get(&build.build_id) {
            return Ok(existing.clone());
        }
        let name = &spec.manifest.name;
        let newest = table.models.get(name).map(Model::newest);
        let same = newest
            .filter(|_| newest > seen)
            .and_then(|newest| table.versions.get(&(name.clone(), newest)))
            .filter(|newest| newest.spec.is_made_like(spec))
            .map(|newest| newest.version);
        let stamp = AuditStamp {
            by: build.requester.by.as_deref(),
            at: build.at,
        };
        let version = same.unwrap_or_else(|| table.add_version(spec, stamp).version);
        let record = build.record(BuildEnd::Registered { version });
        table.builds.insert(build.build_id.clone(), record.clone());
        Ok(record)
    }
}

impl Promotion for MemoryStore {
    async fn defaults(&self, name: &ModelName) -> StoreResult<Defaults> {
        let table = self.table().await;
        Ok(table.defaults.get(name).cloned().unwrap_or_default())
    }

    async fn default_at(
        &self,
        name: &ModelName,
        moment: Timestamp,
    ) -> StoreResult<Option<Version>> {
        let table = self.table().await;
        let entry = table.defaults.get(name).and_then(|all| all.at(moment));
        Ok(entry.map(|entry| entry.version))
    }

    async fn retirement(
        &self,
        name: &ModelName,
        version: Version,
    ) -> StoreResult<Option<Retirement>> {
        let table = self.table().await;
        let defaults = table.defaults.get(name);
        Ok(defaults.and_then(|all| all.retirement(version)).cloned())
    }

    async fn promote(
        &self,
        name: &ModelName,
        version: Version,
        stamp: AuditStamp<'_>,
    ) -> StoreResult<Result<DefaultEntry, PromotionError>> {
        let mut table = self.table().await;
        let entry = table
            .defaults_of(name, Some(version))
            .and_then(|defaults| defaults.promote(version, stamp));
        Ok(table.make_default(name, entry))
    }

    async fn roll_back(
        &self,
        name: &ModelName,
        stamp: AuditStamp<'_>,
    ) -> StoreResult<Result<DefaultEntry, PromotionError>> {
        let mut table = self.table().await;
        let entry = table
            .defaults_of(name, None)
            .and_then(|defaults| defaults.roll_back(stamp));
        Ok(table.make_default(name, entry))
    }

    async fn retire(
        &self,
        name: &ModelName,
        version: Version,
        stamp: AuditStamp<'_>,
    ) -> StoreResult<Result<Retirement, PromotionError>> {
        let mut table = self.table().await;
        Ok(table.defaults_of(name, Some(version)).and_then(|defaults| {
            let retirement = defaults.retire(version, stamp)?;
            defaults.retired.push(retirement.clone());
            defaults.retired.sort_by_key(|retired| retired.version);
            Ok(retirement)
        }))
    }
}
