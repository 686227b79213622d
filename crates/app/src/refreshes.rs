//! Scheduled refreshes: which are due.

use dropcast_domain::{model::Schedule, registry::Model};
use dropcast_store::{Models, Refreshes, StoreResult};
use jiff::Timestamp;

/// A scheduled refresh whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRefresh {
    /// The schedule of the model's default version.
    pub schedule: Schedule,
    /// The last due time that the schedule gives.
    pub due: Timestamp,
}

/// The refresh of a model that is due, by the schedule of its default version.
///
/// The run resolves its version when its object arrives ([`resolve_refresh`]), to the same one: an
/// object that pins nothing gets the default, and a default cannot be retired.
///
/// [`resolve_refresh`]: crate::versions::resolve_refresh
pub async fn find_due_refresh<S: Models + Refreshes>(
    store: &S,
    model: &Model,
    now: Timestamp,
) -> StoreResult<Option<DueRefresh>> {
    let name = &model.name;
    let Some(version) = store.version(name, model.default_version).await? else {
        return Ok(None);
    };
    let refresh = version.spec.manifest.refresh;
    let Some(schedule) = refresh.and_then(|refresh| refresh.schedule) else {
        return Ok(None);
    };
    // Nothing was missed before the version existed.
    let since = match store.last_refresh(name).await? {
        Some(last) => last,
        None => version.spec.built_at,
    };
    Ok(schedule
        .due(since, now)
        .map(|due| DueRefresh { schedule, due }))
}
