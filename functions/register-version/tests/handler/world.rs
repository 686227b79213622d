//! The services that the handler uses, in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use dropcast_aws::CallError;
use dropcast_domain::{
    model::ModelName,
    registry::{Build, BuildReport},
};
use dropcast_store::{Builds as _, memory::MemoryStore};
use dropcast_test_support::events::{BUILD_PROJECT, build_id};
use jiff::Timestamp;
use register_version::{
    Architecture, BuildFiles, BuildProject, Config, DefineJobError, Deps, JobDefinition,
    JobDefinitions, JobRoles, JobSettings, Platform, PublicIp, Services,
};
use serde_json::{Value, json};

pub(crate) const MANIFEST: &str = "name = \"revenue-forecast\"\ntitle = \"Revenue forecast\"\n[job]\ncommand = [\"python\", \"main.py\"]\nvcpus = 1\nmemory_mib = 2048\n[input]\naccepts = [\"json\"]\nschema = \"input.schema.json\"\n";

/// About when the builds of these tests ended: 2026-03-02T09:30:00Z.
pub(crate) const ENDED_AT: i64 = 1_772_443_800;

#[derive(Debug, Clone, Default)]
pub(crate) struct Bucket(pub(crate) Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl BuildFiles for Bucket {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CallError> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }
}

/// Registers every new definition. Of duplicates it returns the known one, or the newest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    pub(crate) registered: Arc<Mutex<Vec<JobDefinition>>>,
    pub(crate) refusal: Arc<Mutex<Option<String>>>,
}

impl Definitions {
    /// Registers what another build registers at the same time.
    pub(crate) fn duplicate_the_first(&self) {
        let mut registered = self.registered.lock().unwrap();
        let duplicate = registered[0].clone();
        registered.push(duplicate);
    }
}

impl JobDefinitions for Definitions {
    async fn define(
        &self,
        definition: &JobDefinition,
        known: Option<&str>,
    ) -> Result<String, DefineJobError> {
        if let Some(why) = self.refusal.lock().unwrap().clone() {
            return Err(DefineJobError::Refused(why));
        }
        let mut registered = self.registered.lock().unwrap();
        let name = &definition.model;
        let arn = |at: usize| {
            let revision = at + 1;
            format!("arn:aws:batch:eu-west-1:111122223333:job-definition/{name}:{revision}")
        };
        let mut same = registered.iter().enumerate();
        let is_known = |(at, one): (usize, &JobDefinition)| {
            one == definition && known == Some(arn(at).as_str())
        };
        if same.any(is_known) {
            return Ok(known.unwrap_or_default().to_owned());
        }
        let existing = registered.iter().rposition(|one| one == definition);
        Ok(arn(existing.unwrap_or_else(|| {
            registered.push(definition.clone());
            registered.len() - 1
        })))
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Roles {
    pub(crate) denied: Arc<Mutex<bool>>,
    pub(crate) unavailable: Arc<Mutex<bool>>,
}

impl JobRoles for Roles {
    async fn role_of(&self, model: &ModelName) -> Result<String, CallError> {
        if *self.denied.lock().unwrap() {
            return Err(denied("iam:PutRolePolicy"));
        }
        if *self.unavailable.lock().unwrap() {
            return Err(CallError {
                transient: true,
                ..denied("iam:PutRolePolicy")
            });
        }
        Ok(format!(
            "arn:aws:iam::111122223333:role/dropcast/s/s-job-{model}"
        ))
    }
}

fn denied(call: &'static str) -> CallError {
    CallError {
        call,
        transient: false,
        source: "AccessDenied".into(),
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Project {
    pub(crate) newest: Arc<Mutex<Vec<BuildReport>>>,
    pub(crate) lines: Vec<String>,
    pub(crate) no_log: bool,
}

impl BuildProject for Project {
    async fn newest(&self) -> Result<Vec<BuildReport>, CallError> {
        Ok(self.newest.lock().unwrap().clone())
    }

    async fn last_lines(&self, _stream: &str) -> Result<Vec<String>, CallError> {
        if self.no_log {
            return Err(denied("logs:GetLogEvents"));
        }
        Ok(self.lines.clone())
    }
}

/// The services in memory.
#[derive(Debug)]
pub(crate) enum InMemory {}

impl Services for InMemory {
    type Store = MemoryStore;
    type Files = Bucket;
    type Definitions = Definitions;
    type Roles = Roles;
    type Project = Project;
}

pub(crate) type World = Deps<InMemory>;

pub(crate) fn world() -> World {
    Deps {
        store: MemoryStore::default(),
        files: Bucket::default(),
        definitions: Definitions::default(),
        roles: Roles::default(),
        project: Project {
            lines: (0..60).map(|line| format!("line {line}")).collect(),
            ..Project::default()
        },
        config: Config {
            runs_table: "runs".into(),
            models_bucket: "models".into(),
            results_bucket: "results".into(),
            build_project: BUILD_PROJECT.into(),
            build_log_group: format!("/aws/codebuild/{BUILD_PROJECT}"),
            image_repository: "local".into(),
            jobs: JobSettings {
                stack: "dropcast".into(),
                execution_role: "arn:aws:iam::111122223333:role/exec".into(),
                boundary: "arn:aws:iam::111122223333:policy/boundary".into(),
                role_path: "/dropcast/s/".into(),
                secret_prefix: "s/models/".into(),
                log_group: "/aws/batch/job".into(),
                platform: Platform::Fargate,
                assign_public_ip: PublicIp::Disabled,
                architecture: Architecture::X86_64,
            },
        },
        now: || Timestamp::from_second(ENDED_AT + 600).unwrap(),
    }
}

/// The version file of the build with this number, with an image of this content.
pub(crate) fn version_file(number: u32, content: u32) -> Value {
    json!({
        "buildId": build_id(number),
        "image": format!("local/revenue-forecast@sha256:{content:064x}"),
        "commit": "0a1b2c3",
        "builtAt": "2026-03-02T09:29:00Z",
        "manifest": MANIFEST,
        "inputSchema": "{\"type\": \"object\"}",
    })
}

pub(crate) trait TestServices {
    /// Puts the version file of a build into the bucket.
    fn put_version_file(&self, number: u32, file: &[u8]);

    async fn record(&self, number: u32) -> Option<Build>;
}

impl TestServices for World {
    fn put_version_file(&self, number: u32, file: &[u8]) {
        let key = format!("builds/{}/version.json", build_id(number));
        self.files.0.lock().unwrap().insert(key, file.to_vec());
    }

    async fn record(&self, number: u32) -> Option<Build> {
        let id = build_id(number).parse().unwrap();
        self.store.build(&id).await.unwrap()
    }
}
