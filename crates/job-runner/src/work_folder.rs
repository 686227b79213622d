//! The folder that holds a run's files on disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::error::JobError;

/// The most bytes of a file's name on the file systems of Linux.
const MAX_NAME: usize = 255;

/// The input, the outputs and the cache of one run. Deleted when it is dropped, unless asked to
/// stay.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    /// The folder that holds the others.
    pub(crate) base: PathBuf,
    /// Holds the input as the model reads it and nothing else.
    pub(crate) input: PathBuf,
    /// Holds the input as it was dropped and nothing else.
    pub(crate) original: PathBuf,
    /// The model writes its outputs here.
    pub(crate) outputs: PathBuf,
    /// What the model keeps between runs.
    pub(crate) cache: PathBuf,
    /// Files that are not complete yet.
    pub(crate) staging: PathBuf,
    _whole: TempDir,
}

impl WorkFolder {
    /// Makes the folders, readable to this user only, in `place` or the system's temporary folder.
    pub(crate) fn make(place: Option<&Path>, keep: bool) -> Result<Self, JobError> {
        let place = place.map_or_else(std::env::temp_dir, Path::to_owned);
        let failed = |error: std::io::Error| {
            let place = place.display();
            JobError::WorkFolder(format!("no work folder could be made in {place}: {error}"))
        };
        let mut whole = tempfile::Builder::new()
            .prefix("dropcast-")
            .tempdir_in(&place)
            .map_err(failed)?;
        whole.disable_cleanup(keep);
        // Without links, so that what a link in it leads to can be compared with it.
        let base = whole.path().canonicalize().map_err(failed)?;
        let [input, original, outputs, cache, staging] =
            ["input", "original", "output", "cache", "staging"].map(|name| base.join(name));
        for folder in [&input, &original, &outputs, &cache, &staging] {
            fs::create_dir(folder).map_err(failed)?;
        }
        Ok(Self {
            base,
            input,
            original,
            outputs,
            cache,
            staging,
            _whole: whole,
        })
    }
}

/// A file name for the object at `key`: its last segment, as far as a file can be named so.
pub(crate) fn file_name(key: &str) -> String {
    let last = key.rsplit('/').next().unwrap_or_default();
    let name: String = last
        .chars()
        .map(|c| if c.is_control() { '_' } else { c })
        .collect();
    if matches!(name.as_str(), "" | "." | "..") {
        return "input".to_owned();
    }
    if name.len() <= MAX_NAME {
        return name;
    }
    // The extension says what the file is; the beginning can spare some letters.
    let extension = match name.rfind('.') {
        Some(dot) if name.len() - dot <= 16 => &name[dot..],
        _ => "",
    };
    let stem = &name[..name.floor_char_boundary(MAX_NAME - extension.len())];
    format!("{stem}{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_the_user_wrote_it() {
        for name in ["plan.json", "Q3 plan + 10% é.json", "..hidden", "a\\b.json"] {
            assert_eq!(file_name(&format!("runs/1/prepared/{name}")), name);
        }
    }

    #[test]
    fn a_name_that_no_file_can_have_is_replaced() {
        assert_eq!(file_name("runs/.."), "input");
        assert_eq!(file_name("runs/."), "input");
        assert_eq!(file_name("a\nb\0c.json"), "a_b_c.json");
        let long = file_name(&format!("x/{}.json", "é".repeat(500)));
        assert!(long.len() <= 255 && long.ends_with("é.json"), "{long}");
        assert_eq!(file_name(&"a".repeat(1024)).len(), 255);
    }

    #[test]
    fn the_folder_is_deleted_unless_it_is_to_be_kept() {
        let place = tempfile::tempdir().unwrap();
        let work = WorkFolder::make(Some(place.path()), false).unwrap();
        assert!(work.outputs.is_dir());
        drop(work);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        drop(WorkFolder::make(Some(place.path()), true).unwrap());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_is_not_there_is_an_error_that_names_it() {
        let error = WorkFolder::make(Some(Path::new("/no/such/place")), false).unwrap_err();
        assert!(error.to_string().contains("/no/such/place"));
    }
}
