//! Which objects are a model's cache at a moment.
//!
//! Each file is in an object of its own that is never written again, and the index names them all.
//! It is replaced in one piece, so that readers see what one run or refresh left, and never half of
//! it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What lies here below the cache's prefix are the index and the objects that it names.
pub(crate) const OURS: &str = ".dropcast/";

/// Where the index lies below the cache's prefix.
pub(crate) const INDEX: &str = ".dropcast/index.json";

/// How long an object that the index no longer names is kept, in seconds: a job that read the
/// index before fetches it in minutes.
const KEPT_SECONDS: u64 = 86_400;

/// The files of a cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    /// By their paths below the cache folder.
    pub(crate) files: BTreeMap<String, Entry>,
    /// Objects that were named before, and since when they are not, in Unix seconds.
    #[serde(default)]
    pub(crate) retired: BTreeMap<String, u64>,
}

/// One file of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its object below the cache's prefix.
    pub(crate) object: String,
    /// Whether a refresh stored it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) refreshed: bool,
}

/// What one job changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Whether it was a refresh.
    pub(crate) refresh: bool,
    /// The object of each file as it was fetched.
    pub(crate) fetched: BTreeMap<String, String>,
    /// The new object of each file that was made or changed.
    pub(crate) stored: BTreeMap<String, String>,
    /// Files that were deleted.
    pub(crate) deleted: BTreeSet<String>,
}

/// What came of the changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    /// Files whose new content counts.
    pub(crate) stored: u64,
    /// Files that are gone.
    pub(crate) deleted: u64,
    /// Files that a refresh renewed while the job ran, and whose older content was left aside.
    pub(crate) outdated: Vec<String>,
}

impl Index {
    /// Applies a job's changes to the current index, which other jobs may have changed since.
    ///
    /// Of two runs that changed the same file the later one counts. What a refresh stored is not
    /// undone by a run that began before it: it was made of older data. A file that
    /// another job replaced is not deleted.
    pub(crate) fn apply(&mut self, changes: &Changes, now: u64) -> Applied {
        let mut applied = Applied::default();
        for (path, object) in &changes.stored {
            let current = self.files.get(path);
            let renewed = current.is_some_and(|entry| {
                entry.refreshed && changes.fetched.get(path) != Some(&entry.object)
            });
            if renewed && !changes.refresh {
                applied.outdated.push(path.clone());
                // Named by nobody: it goes with the others.
                self.retired.insert(object.clone(), now);
                continue;
            }
            let entry = Entry {
                object: object.clone(),
                refreshed: changes.refresh,
            };
            if let Some(before) = self.files.insert(path.clone(), entry)
                && before.object != *object
            {
                self.retired.insert(before.object, now);
            }
            applied.stored += 1;
        }
        for path in &changes.deleted {
            let as_fetched = self
                .files
                .get(path)
                .is_some_and(|entry| changes.fetched.get(path) == Some(&entry.object));
            if as_fetched && let Some(entry) = self.files.remove(path) {
                self.retired.insert(entry.object, now);
                applied.deleted += 1;
            }
        }
        applied
    }

    /// Takes out the objects that nobody can be fetching any more.
    pub(crate) fn take_unused(&mut self, now: u64) -> Vec<String> {
        let due = |since: &u64| since.saturating_add(KEPT_SECONDS) <= now;
        let unused: Vec<String> = self
            .retired
            .iter()
            .filter(|(_, since)| due(since))
            .map(|(object, _)| object.clone())
            .collect();
        self.retired.retain(|_, since| !due(since));
        unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(run: &str, fetched: &[(&str, &str)], stored: &[&str], deleted: &[&str]) -> Changes {
        let own = |path: &str| (path.to_owned(), format!("{run}/{path}"));
        Changes {
            refresh: run.starts_with("refresh"),
            fetched: fetched
                .iter()
                .map(|(path, object)| ((*path).to_owned(), (*object).to_owned()))
                .collect(),
            stored: stored.iter().map(|path| own(path)).collect(),
            deleted: deleted.iter().map(|path| (*path).to_owned()).collect(),
        }
    }

    fn objects(index: &Index) -> Vec<(&str, &str)> {
        index
            .files
            .iter()
            .map(|(path, entry)| (path.as_str(), entry.object.as_str()))
            .collect()
    }

    #[test]
    fn of_two_runs_the_later_one_counts_and_what_it_replaced_is_retired() {
        let mut index = Index::default();
        index.apply(&changes("one", &[], &["a", "b"], &[]), 10);
        let applied = index.apply(&changes("two", &[], &["a"], &[]), 20);
        assert_eq!((applied.stored, applied.outdated.len()), (1, 0));
        assert_eq!(objects(&index), [("a", "two/a"), ("b", "one/b")]);
        assert_eq!(index.retired, BTreeMap::from([("one/a".to_owned(), 20)]));
    }

    #[test]
    fn what_a_refresh_stored_is_not_undone_by_a_run_that_began_before_it() {
        let mut index = Index::default();
        index.apply(&changes("one", &[], &["history", "fit"], &[]), 10);
        let before = [("history", "one/history"), ("fit", "one/fit")];
        index.apply(&changes("refresh", &before, &["history"], &[]), 20);
        let late = changes("two", &before, &["history", "fit", "new"], &[]);
        let applied = index.apply(&late, 30);
        assert_eq!(applied.outdated, ["history"]);
        assert_eq!(
            objects(&index),
            [
                ("fit", "two/fit"),
                ("history", "refresh/history"),
                ("new", "two/new")
            ]
        );
        // A run that saw the refresh may change what it stored.
        let saw = [("history", "refresh/history")];
        let applied = index.apply(&changes("three", &saw, &["history"], &[]), 40);
        assert_eq!(applied.stored, 1);
        assert!(!index.files["history"].refreshed);
        // And a refresh counts in any case.
        let applied = index.apply(&changes("refresh-2", &before, &["history"], &[]), 50);
        assert_eq!(applied.stored, 1);
        assert_eq!(index.files["history"].object, "refresh-2/history");
    }

    #[test]
    fn a_file_that_another_job_replaced_is_not_deleted() {
        let mut index = Index::default();
        index.apply(&changes("one", &[], &["a", "b"], &[]), 10);
        let fetched = [("a", "one/a"), ("b", "one/b")];
        index.apply(&changes("two", &fetched, &["a"], &[]), 20);
        let applied = index.apply(&changes("three", &fetched, &[], &["a", "b", "c"]), 30);
        assert_eq!(applied.deleted, 1);
        assert_eq!(objects(&index), [("a", "two/a")]);
    }

    #[test]
    fn an_object_is_kept_for_a_day_after_it_was_named_last() {
        let mut index = Index::default();
        index.apply(&changes("one", &[], &["a"], &[]), 10);
        index.apply(&changes("two", &[], &["a"], &[]), 20);
        assert!(index.take_unused(20 + KEPT_SECONDS - 1).is_empty());
        assert_eq!(index.take_unused(20 + KEPT_SECONDS), ["one/a"]);
        assert!(index.retired.is_empty());
        let text = serde_json::to_string(&index).unwrap();
        assert_eq!(text, r#"{"files":{"a":{"object":"two/a"}},"retired":{}}"#);
        assert_eq!(serde_json::from_str::<Index>(&text).unwrap(), index);
    }
}
