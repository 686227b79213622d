//! Models, builds and defaults in memory.

use dropcast_domain::{
    model::ModelName,
    registry::{
        Act, Build, BuildEnd, BuildId, DefaultEntry, Defaults, Draft, EndedBuild, Model,
        RegisteredVersion, Retirement, Unchanged,
    },
    run_id::Version,
};
use jiff::Timestamp;

use super::{MemoryStore, Table};
use crate::{Builds, Models, Promotion, ports::Answer};

impl Table {
    fn add_version(&mut self, draft: &Draft, act: Act<'_>) -> RegisteredVersion {
        let name = &draft.manifest.name;
        let model = self.models.entry(name.clone()).or_insert_with(|| Model {
            name: name.clone(),
            title: String::new(),
            default_version: Version::FIRST,
            next_version: Version::FIRST,
        });
        let version = model.next_version;
        model.title.clone_from(&draft.manifest.title);
        model.next_version = version.next();
        let registered = RegisteredVersion {
            model: name.clone(),
            version,
            draft: draft.clone(),
        };
        self.versions
            .insert((name.clone(), version), registered.clone());
        let defaults = self.defaults.entry(name.clone()).or_default();
        if defaults.entries.is_empty() {
            defaults.entries.push(DefaultEntry::first(version, act));
        }
        registered
    }

    /// The model's defaults, if it has this version.
    fn defaults_of(
        &mut self,
        name: &ModelName,
        version: Option<Version>,
    ) -> Result<&mut Defaults, Unchanged> {
        let model = self.models.get(name).ok_or(Unchanged::NoSuchModel)?;
        if let Some(unknown) = version.filter(|version| *version > model.newest()) {
            return Err(Unchanged::NoSuchVersion(unknown));
        }
        Ok(self.defaults.entry(name.clone()).or_default())
    }

    fn make_default(
        &mut self,
        name: &ModelName,
        entry: Result<DefaultEntry, Unchanged>,
    ) -> Result<DefaultEntry, Unchanged> {
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
    async fn model(&self, name: &ModelName) -> Answer<Option<Model>> {
        Ok(self.table().await.models.get(name).cloned())
    }

    async fn version(
        &self,
        name: &ModelName,
        version: Version,
    ) -> Answer<Option<RegisteredVersion>> {
        Ok(self
            .table()
            .await
            .versions
            .get(&(name.clone(), version))
            .cloned())
    }

    async fn register(&self, draft: &Draft) -> Answer<RegisteredVersion> {
        let act = Act {
            by: None,
            at: draft.built_at,
        };
        Ok(self.table().await.add_version(draft, act))
    }
}

impl Builds for MemoryStore {
    async fn build(&self, build: &BuildId) -> Answer<Option<Build>> {
        Ok(self.table().await.builds.get(build).cloned())
    }

    async fn keep_build(&self, build: &Build) -> Answer<Build> {
        let mut table = self.table().await;
        let standing = table.builds.entry(build.build_id.clone());
        Ok(standing.or_insert_with(|| build.clone()).clone())
    }

    async fn register_build(
        &self,
        build: &EndedBuild,
        draft: &Draft,
        seen: Option<Version>,
    ) -> Answer<Build> {
        let mut table = self.table().await;
        if let Some(standing) = table.builds.get(&build.build_id) {
            return Ok(standing.clone());
        }
        let name = &draft.manifest.name;
        let newest = table.models.get(name).map(Model::newest);
        let same = newest
            .filter(|_| newest > seen)
            .and_then(|newest| table.versions.get(&(name.clone(), newest)))
            .filter(|newest| newest.draft.is_made_like(draft))
            .map(|newest| newest.version);
        let act = Act {
            by: build.requester.by.as_deref(),
            at: build.at,
        };
        let version = same.unwrap_or_else(|| table.add_version(draft, act).version);
        let record = build.record(BuildEnd::Registered { version });
        table.builds.insert(build.build_id.clone(), record.clone());
        Ok(record)
    }
}

impl Promotion for MemoryStore {
    async fn defaults(&self, name: &ModelName) -> Answer<Defaults> {
        let table = self.table().await;
        Ok(table.defaults.get(name).cloned().unwrap_or_default())
    }

    async fn default_at(&self, name: &ModelName, moment: Timestamp) -> Answer<Option<Version>> {
        let table = self.table().await;
        let entry = table.defaults.get(name).and_then(|all| all.at(moment));
        Ok(entry.map(|entry| entry.version))
    }

    async fn retirement(&self, name: &ModelName, version: Version) -> Answer<Option<Retirement>> {
        let table = self.table().await;
        let defaults = table.defaults.get(name);
        Ok(defaults.and_then(|all| all.retirement(version)).cloned())
    }

    async fn promote(
        &self,
        name: &ModelName,
        version: Version,
        act: Act<'_>,
    ) -> Answer<Result<DefaultEntry, Unchanged>> {
        let mut table = self.table().await;
        let entry = table
            .defaults_of(name, Some(version))
            .and_then(|defaults| defaults.promote(version, act));
        Ok(table.make_default(name, entry))
    }

    async fn roll_back(
        &self,
        name: &ModelName,
        act: Act<'_>,
    ) -> Answer<Result<DefaultEntry, Unchanged>> {
        let mut table = self.table().await;
        let entry = table
            .defaults_of(name, None)
            .and_then(|defaults| defaults.roll_back(act));
        Ok(table.make_default(name, entry))
    }

    async fn retire(
        &self,
        name: &ModelName,
        version: Version,
        act: Act<'_>,
    ) -> Answer<Result<Retirement, Unchanged>> {
        let mut table = self.table().await;
        Ok(table.defaults_of(name, Some(version)).and_then(|defaults| {
            let retirement = defaults.retire(version, act)?;
            defaults.retired.push(retirement.clone());
            defaults.retired.sort_by_key(|retired| retired.version);
            Ok(retirement)
        }))
    }
}
