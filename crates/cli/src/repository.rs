//! Where the local stack finds what it runs: the repository, the binaries, the Python.

use std::path::{Path, PathBuf};

use dropcast_local_stack::Options;

use crate::exit::{Exit, Stop};

/// Two files that only this repository has at these places.
const SIGNS: [&str; 2] = ["template.yaml", "crates/local-stack/emulator/serve.py"];

/// A binary by which a folder of them is known.
const A_BINARY: &str = "dropcast-job";

/// The options of a local stack that keeps its state in a folder.
///
/// The repository is the nearest folder around the working folder, or else
/// around this program, that looks like it.
pub(crate) fn options(state_dir: &Path) -> Result<Options, Stop> {
    let program = std::env::current_exe().ok();
    let starts = [std::env::current_dir().ok(), program.clone()];
    let repository = starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .find(|folder| is_repository(folder))
        .ok_or_else(|| {
            Stop::new(
                Exit::NotFound,
                "The local stack is started from a clone of Dropcast's repository, and this folder is in none.",
            )
            .advice("Change into the clone and type the command again.")
        })?;
    let mut options = Options::new(repository);
    state_dir.clone_into(&mut options.state);
    // The functions that were built together with this program, be it debug or release.
    if let Some(folder) = program.as_deref().and_then(binaries_beside) {
        options.binaries = folder;
    }
    Ok(options)
}

fn is_repository(folder: &Path) -> bool {
    SIGNS.iter().all(|sign| folder.join(sign).is_file())
}

/// The folder of a program, if the other binaries are there too.
fn binaries_beside(program: &Path) -> Option<PathBuf> {
    let folder = program.parent()?;
    // Test programs stand one folder deeper, in `deps`.
    [Some(folder), folder.parent()]
        .into_iter()
        .flatten()
        .find(|folder| folder.join(A_BINARY).is_file())
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
        assert_eq!(binaries_beside(&release.join("dropcast")), None);
        fs::write(release.join(A_BINARY), "").unwrap();
        assert_eq!(
            binaries_beside(&release.join("dropcast")),
            Some(release.clone())
        );
        assert_eq!(
            binaries_beside(&release.join("deps/json-0123")),
            Some(release)
        );
    }

    #[test]
    fn this_repository_is_recognised() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(here.ancestors().any(is_repository));
        assert!(!is_repository(here));
    }
}
