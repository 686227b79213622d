//! Locates what the local stack needs: the repository, the binaries, Python.

use std::path::{Path, PathBuf};

use dropcast_local_stack::Options;

use crate::exit::{CliError, Exit};

/// Files by which the repository is recognized.
const MARKER_FILES: [&str; 2] = ["template.yaml", "crates/local-stack/emulator/serve.py"];

/// The binary by which the folder of binaries is recognized.
const JOB_RUNNER: &str = "dropcast-job";

/// The options of a local stack with this state folder.
///
/// The repository is the nearest parent of the working folder, or else of this program, that
/// contains the marker files.
pub(crate) fn locate_options(state_dir: &Path) -> Result<Options, CliError> {
    let program = std::env::current_exe().ok();
    let starts = [std::env::current_dir().ok(), program.clone()];
    let repository = starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .find(|folder| is_repository(folder))
        .ok_or_else(|| {
            CliError::new(
                Exit::NotFound,
                "The local stack needs a clone of Dropcast's repository, and the current folder is not in one.",
            )
            .advice("Change to the clone and run the command again.")
        })?;
    let mut options = Options::new(repository);
    state_dir.clone_into(&mut options.state);
    // The functions built together with this program, in the same profile.
    if let Some(folder) = program.as_deref().and_then(find_binaries) {
        options.binaries = folder;
    }
    Ok(options)
}

fn is_repository(folder: &Path) -> bool {
    MARKER_FILES.iter().all(|file| folder.join(file).is_file())
}

/// The folder of a program, if it also contains the other binaries.
fn find_binaries(program: &Path) -> Option<PathBuf> {
    let folder = program.parent()?;
    // Test programs are one folder deeper, in `deps`.
    [Some(folder), folder.parent()]
        .into_iter()
        .flatten()
        .find(|folder| folder.join(JOB_RUNNER).is_file())
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn binaries_are_those_built_together_with_the_program() {
        let target = tempfile::tempdir().unwrap();
        let release = target.path().join("release");
        fs::create_dir_all(release.join("deps")).unwrap();
        assert_eq!(find_binaries(&release.join("dropcast")), None);
        fs::write(release.join(JOB_RUNNER), "").unwrap();
        assert_eq!(
            find_binaries(&release.join("dropcast")),
            Some(release.clone())
        );
        assert_eq!(
            find_binaries(&release.join("deps/json-0123")),
            Some(release)
        );
    }

    #[test]
    fn this_repository_is_recognized() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(here.ancestors().any(is_repository));
        assert!(!is_repository(here));
    }
}
