//! The history of a model's default version.

use jiff::{SignedDuration, Timestamp, Unit};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    ids::{RunId, Version},
    run::Run,
    variants::named_enum,
};

/// One change of a model's default version. Entries are only ever added.
///
/// Following [`back`](Self::back) from the newest entry gives the order in which rollbacks undo
/// promotions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefaultEntry {
    /// The version that became the default.
    pub version: Version,
    /// When, to the millisecond; unique among the entries of a model.
    pub at: Timestamp,
    /// Who changed the default, if it is known: the caller's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How the version became the default.
    pub kind: DefaultKind,
    /// The time of the entry that a rollback returns to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Timestamp>,
}

named_enum! {
    /// How a version became the default.
    pub enum DefaultKind {
        /// It was the model's first version.
        Registered = "registered",
        /// It was promoted.
        Promoted = "promoted",
        /// It was restored by a rollback.
        RolledBack = "rolled-back",
    }
}

/// The retirement of a version, which can no longer run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retirement {
    /// The retired version.
    pub version: Version,
    /// When it was retired.
    pub at: Timestamp,
    /// Who retired it, if it is known: the caller's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Who changes something, and when.
#[derive(Debug, Clone, Copy)]
pub struct AuditStamp<'a> {
    /// Who, if it is known.
    pub by: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// Why a default or a version cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PromotionError {
    /// There is no such model.
    #[error("there is no such model")]
    NoSuchModel,
    /// The model has no such version.
    #[error("the model has no version {0}")]
    NoSuchVersion(Version),
    /// The version was retired.
    #[error("version {0} is retired")]
    Retired(Version),
    /// The version is the default.
    #[error("version {0} is the default")]
    IsDefault(Version),
    /// No version was the default before this one, or only retired ones were.
    #[error("there is no default before version {0}")]
    NoPreviousDefault(Version),
}

impl DefaultEntry {
    /// The entry of a model's first version.
    pub fn first(version: Version, stamp: AuditStamp<'_>) -> Self {
        Self {
            version,
            at: moment(stamp.at, None),
            by: stamp.by.map(ToOwned::to_owned),
            kind: DefaultKind::Registered,
            back: None,
        }
    }
}

/// What a model's default version was, and what is retired, as far back as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Its entries, the newest first.
    pub entries: Vec<DefaultEntry>,
    /// Its retired versions, by number.
    pub retired: Vec<Retirement>,
}

impl Defaults {
    /// The entry that counts now.
    pub fn current(&self) -> Option<&DefaultEntry> {
        self.entries.first()
    }

    /// The entry that counted at a moment.
    pub fn at(&self, moment: Timestamp) -> Option<&DefaultEntry> {
        self.entries.iter().find(|entry| entry.at <= moment)
    }

    /// Whether a version is retired, and by whom.
    pub fn retirement(&self, version: Version) -> Option<&Retirement> {
        self.retired
            .iter()
            .find(|retired| retired.version == version)
    }

    /// The entry that makes an existing version the default.
    pub fn promote(
        &self,
        version: Version,
        stamp: AuditStamp<'_>,
    ) -> Result<DefaultEntry, PromotionError> {
        let standing = self.current();
        if standing.is_some_and(|entry| entry.version == version) {
            return Err(PromotionError::IsDefault(version));
        }
        if self.retirement(version).is_some() {
            return Err(PromotionError::Retired(version));
        }
        Ok(DefaultEntry {
            version,
            at: moment(stamp.at, standing),
            by: stamp.by.map(ToOwned::to_owned),
            kind: DefaultKind::Promoted,
            back: standing.map(|entry| entry.at),
        })
    }

    /// The entry that makes what was the default before this one the default again. Versions
    /// that were retired since are passed over.
    pub fn roll_back(&self, stamp: AuditStamp<'_>) -> Result<DefaultEntry, PromotionError> {
        let standing = self.current().ok_or(PromotionError::NoSuchModel)?;
        let nothing = PromotionError::NoPreviousDefault(standing.version);
        let mut next = standing.back;
        loop {
            let at = next.ok_or_else(|| nothing.clone())?;
            let target = self.entries.iter().find(|entry| entry.at == at);
            let target = target.ok_or_else(|| nothing.clone())?;
            next = target.back;
            if target.version != standing.version && self.retirement(target.version).is_none() {
                return Ok(DefaultEntry {
                    version: target.version,
                    at: moment(stamp.at, Some(standing)),
                    by: stamp.by.map(ToOwned::to_owned),
                    kind: DefaultKind::RolledBack,
                    back: target.back,
                });
            }
        }
    }

    /// The retirement of an existing version. Whether it has open runs is another question:
    /// [`Defaults::is_run_by`].
    pub fn retire(
        &self,
        version: Version,
        stamp: AuditStamp<'_>,
    ) -> Result<Retirement, PromotionError> {
        if self.current().is_some_and(|entry| entry.version == version) {
            return Err(PromotionError::IsDefault(version));
        }
        if self.retirement(version).is_some() {
            return Err(PromotionError::Retired(version));
        }
        Ok(Retirement {
            version,
            at: stamp.at,
            by: stamp.by.map(ToOwned::to_owned),
        })
    }

    /// The runs among these that a version still has to see to its end: it is settled for them, or
    /// it will be as soon as they are validated.
    pub fn is_run_by(&self, version: Version, open: &[Run]) -> Vec<RunId> {
        let will_be = |run: &Run| match run.request.version.as_deref() {
            Some(pinned) => pinned.parse().ok(),
            None => self
                .at(default_moment(run.upload.at))
                .or(self.current())
                .map(|entry| entry.version),
        };
        open.iter()
            .filter(|run| !run.is_over())
            .filter(|run| run.version.or_else(|| will_be(run)) == Some(version))
            .map(|run| run.id.clone())
            .collect()
    }
}

/// The moment whose default a file gets that was uploaded at a time.
///
/// Times in S3's events are in whole seconds: what is promoted first and uploaded within the same second
/// would have a time before the promotion. So a whole second means its end.
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>.
pub fn default_moment(uploaded_at: Timestamp) -> Timestamp {
    if uploaded_at.subsec_nanosecond() == 0 {
        uploaded_at
            .saturating_add(SignedDuration::from_millis(999))
            .unwrap_or(uploaded_at)
    } else {
        uploaded_at
    }
}

/// The time of a new entry: to the millisecond, and later than the current one whatever the
/// clocks of two machines say, for the newest entry is the one that counts.
fn moment(now: Timestamp, current: Option<&DefaultEntry>) -> Timestamp {
    let now = now.round(Unit::Millisecond).unwrap_or(now);
    let next = current.and_then(|entry| {
        let millisecond = SignedDuration::from_millis(1);
        entry.at.saturating_add(millisecond).ok()
    });
    next.map_or(now, |next| now.max(next))
}

#[cfg(test)]
mod tests;
