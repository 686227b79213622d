//! The rules of the local CodeBuild: no I/O, no clock.

pub(crate) mod build;
#[cfg(test)]
mod tests;

use build::{Build, Outcome, PhaseKind, Source, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    error::ApiError,
    wire::{
        answers, event,
        requests::{BatchGetBuilds, BatchGetProjects, ListBuilds, StartBuild, StopBuild},
    },
};
use crate::service::events::Announcement;

/// AWS's default for a build.
const TIMEOUT_MINUTES: u32 = 60;
/// The most builds that are described at once, and listed on one page.
const MAX_BUILDS: usize = 100;

/// What the rules need to know.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) project: String,
}

/// Something to be done outside, in the order in which it comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Publish an event.
    Announce(Announcement),
    /// Begin to work on a build, by its UUID.
    Launch(String),
    /// End the work on a build.
    Stop(String),
}

/// What only a cloud does by itself, asked for by tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// The events of the next builds are lost: CodeBuild's are best effort.
    LostEvents {
        /// Of which model's builds; of any without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// Of how many builds.
        builds: u32,
    },
}

/// All builds.
pub(crate) struct Core {
    settings: Settings,
    /// In the order in which they were started.
    builds: Vec<Build>,
    faults: Vec<Fault>,
    effects: Vec<Effect>,
    new_id: Box<dyn FnMut() -> Uuid + Send>,
}

impl Core {
    pub(crate) fn new(settings: Settings, new_id: impl FnMut() -> Uuid + Send + 'static) -> Self {
        Self {
            settings,
            builds: Vec::new(),
            faults: Vec::new(),
            effects: Vec::new(),
            new_id: Box::new(new_id),
        }
    }

    /// What has to be done since the last call.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// `StartBuild`. The same idempotency token is the same build.
    pub(crate) fn start(&mut self, request: StartBuild, now: i64) -> Result<Value, ApiError> {
        self.check_project(request.project_name.as_deref())?;
        let token = request.idempotency_token.clone();
        let same = |build: &&Build| token.is_some() && build.token == token;
        if let Some(build) = self.builds.iter().find(same) {
            return Ok(json!({ "build": answers::build(build, &self.settings) }));
        }
        let source = source(&request)?;
        let variables = request.environment_variables_override.unwrap_or_default();
        if let Some(other) = variables.iter().find(|one| one.kind != "PLAINTEXT") {
            return Err(ApiError::InvalidInput(format!(
                "The local CodeBuild supports only variables of type PLAINTEXT, but {} is of type {}.",
                other.name, other.kind
            )));
        }
        let uuid = (self.new_id)().to_string();
        let Settings {
            account,
            region,
            project,
        } = &self.settings;
        let mut build = Build {
            id: format!("{project}:{uuid}"),
            arn: format!("arn:aws:codebuild:{region}:{account}:build/{project}:{uuid}"),
            project: project.clone(),
            number: self.builds.len() as u64 + 1,
            source,
            variables,
            timeout_minutes: request
                .timeout_in_minutes_override
                .unwrap_or(TIMEOUT_MINUTES),
            token,
            started_at: now,
            phases: Vec::new(),
            status: Status::InProgress,
            is_unheard: false,
            uuid,
        };
        build.is_unheard = self.loses_events_of(&build);
        build.begin(PhaseKind::Submitted, now);
        build.end_phase(Outcome::Succeeded, now);
        self.announce(&build);
        self.effects.push(Effect::Launch(build.uuid.clone()));
        let answer = json!({ "build": answers::build(&build, &self.settings) });
        self.builds.push(build);
        Ok(answer)
    }

    /// Ends a build's current phase; returns the build afterwards.
    pub(crate) fn end_phase(&mut self, uuid: &str, outcome: Outcome, now: i64) -> Option<Build> {
        let build = self.builds.iter_mut().find(|build| build.uuid == uuid)?;
        build.end_phase(outcome, now);
        let build = build.clone();
        if build.current() == PhaseKind::Completed {
            self.announce(&build);
        }
        Some(build)
    }

    /// A build by its UUID.
    pub(crate) fn build(&self, uuid: &str) -> Option<Build> {
        self.builds.iter().find(|build| build.uuid == uuid).cloned()
    }

    /// `StopBuild`. A build that is over stays as it is.
    pub(crate) fn stop(&mut self, request: &StopBuild) -> Result<Value, ApiError> {
        let id = request
            .id
            .as_deref()
            .ok_or_else(|| ApiError::InvalidInput("id is required.".to_owned()))?;
        let build = self
            .find(id)
            .ok_or_else(|| ApiError::NotFound(format!("Build {id} does not exist.")))?;
        let answer = json!({ "build": answers::build(build, &self.settings) });
        let stop = Effect::Stop(build.uuid.clone());
        self.effects.push(stop);
        Ok(answer)
    }

    /// `BatchGetBuilds`.
    pub(crate) fn describe(&self, request: &BatchGetBuilds) -> Result<Value, ApiError> {
        let ids = request.ids.as_deref().unwrap_or_default();
        if ids.is_empty() || ids.len() > MAX_BUILDS {
            return Err(ApiError::InvalidInput(format!(
                "ids must name 1 to {MAX_BUILDS} builds."
            )));
        }
        let (found, missing): (Vec<_>, Vec<_>) = ids.iter().partition(|id| self.find(id).is_some());
        let builds: Vec<Value> = found
            .iter()
            .filter_map(|id| self.find(id))
            .map(|build| answers::build(build, &self.settings))
            .collect();
        Ok(json!({ "builds": builds, "buildsNotFound": missing }))
    }

    /// `ListBuildsForProject` and `ListBuilds`: the newest first, unless asked otherwise.
    pub(crate) fn list(&self, request: &ListBuilds, of_project: bool) -> Result<Value, ApiError> {
        if of_project {
            self.check_project(request.project_name.as_deref())?;
        }
        let mut ids: Vec<&str> = self.builds.iter().map(|build| build.id.as_str()).collect();
        if request.sort_order.as_deref() != Some("ASCENDING") {
            ids.reverse();
        }
        let from = match &request.next_token {
            None => 0,
            Some(token) => token
                .parse()
                .map_err(|_| ApiError::InvalidInput("nextToken is none of ours.".to_owned()))?,
        };
        let page: Vec<&str> = ids.iter().skip(from).take(MAX_BUILDS).copied().collect();
        let next = from + page.len();
        let mut answer = json!({ "ids": page });
        if next < ids.len() {
            answer["nextToken"] = next.to_string().into();
        }
        Ok(answer)
    }

    /// `BatchGetProjects`.
    pub(crate) fn projects(&self, request: &BatchGetProjects) -> Value {
        let names = request.names.as_deref().unwrap_or_default();
        let (found, missing): (Vec<_>, Vec<_>) = names
            .iter()
            .partition(|name| **name == self.settings.project);
        let found: Vec<Value> = found
            .iter()
            .map(|_| answers::project(&self.settings))
            .collect();
        json!({ "projects": found, "projectsNotFound": missing })
    }

    /// Asks for a fault.
    pub(crate) fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The faults that are still to come.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.faults.clone()
    }

    /// Forgets all faults.
    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Whether a fault is for this build, which uses it up by one.
    fn loses_events_of(&mut self, build: &Build) -> bool {
        let about = build.variable("DROPCAST_MODEL");
        for (at, fault) in self.faults.iter_mut().enumerate() {
            let Fault::LostEvents { model, builds } = fault;
            if model.is_none() || model.as_deref() == about {
                *builds = builds.saturating_sub(1);
                if *builds == 0 {
                    self.faults.remove(at);
                }
                return true;
            }
        }
        false
    }

    fn announce(&mut self, build: &Build) {
        if !build.is_unheard {
            let announcement = event::state_change(build, &self.settings);
            self.effects.push(Effect::Announce(announcement));
        }
    }

    /// A build by its id or its ARN.
    fn find(&self, id: &str) -> Option<&Build> {
        self.builds
            .iter()
            .find(|build| build.id == id || build.arn == id)
    }

    fn check_project(&self, name: Option<&str>) -> Result<(), ApiError> {
        let Settings {
            account,
            region,
            project,
        } = &self.settings;
        let arn = |name: &str| format!("arn:aws:codebuild:{region}:{account}:project/{name}");
        match name {
            None | Some("") => Err(ApiError::InvalidInput(
                "projectName is required.".to_owned(),
            )),
            Some(name) if name == project || name == arn(project) => Ok(()),
            Some(name) => Err(ApiError::NotFound(format!(
                "Project cannot be found: {}",
                arn(name)
            ))),
        }
    }
}

/// The zip file that a request names.
fn source(request: &StartBuild) -> Result<Source, ApiError> {
    if request.source_type_override.as_deref() != Some("S3") {
        return Err(ApiError::InvalidInput(
            "The local CodeBuild supports only zip files in S3: sourceTypeOverride must be S3."
                .to_owned(),
        ));
    }
    let location = request.source_location_override.as_deref();
    let location = location.unwrap_or_default();
    let path = location.strip_prefix("arn:aws:s3:::").unwrap_or(location);
    match path.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(Source {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: request.source_version.clone(),
        }),
        _ => Err(ApiError::InvalidInput(format!(
            "Invalid source: location must be a valid S3 source, such as bucket/path/to/source.zip, found {location:?}"
        ))),
    }
}
