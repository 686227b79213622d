//! Python environments of models: one for each content of a `requirements.txt` and Python version,
//! kept for all stacks and clones of this user.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::Error;

/// What names the packages of a model.
pub(crate) const REQUIREMENTS: &str = "requirements.txt";
/// How many of pip's last lines an error shows.
const TAIL_LINES: usize = 15;
/// Written when everything is installed.
const MARKER: &str = "dropcast-complete";
/// Prints on one line what distinguishes two Pythons whose packages differ.
const WHICH_PYTHON: &str = "import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform(), sys.base_prefix)";

/// The folder that keeps environments.
pub(crate) fn default_folder() -> PathBuf {
    user_cache().join("venvs")
}

/// Where Dropcast keeps what can be made again: `$XDG_CACHE_HOME/dropcast`, or below `~/.cache`.
pub fn user_cache() -> PathBuf {
    let set = |name| std::env::var_os(name).map(PathBuf::from);
    set("XDG_CACHE_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("dropcast")
}

/// An environment with exactly these requirements: an existing one, or a new one. `on_line` gets
/// each line of pip's output. A package whose hash is missing is refused when any has one.
pub(crate) async fn provide(
    requirements: &Path,
    python: &Path,
    folder: &Path,
    on_line: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, Error> {
    let text = fs::read(requirements).map_err(Error::at("reading", requirements))?;
    let builder = VenvBuilder {
        requirements,
        on_line,
    };
    let which = builder
        .run(
            "determining Python's version",
            python,
            &["-c", WHICH_PYTHON],
        )
        .await?;
    let digest = Sha256::new()
        .chain_update(which.as_bytes())
        .chain_update([0])
        .chain_update(&text)
        .finalize();
    let place = folder.join(&hex::encode(digest)[..32]);
    if is_whole(&place) {
        return Ok(place);
    }
    fs::create_dir_all(folder).map_err(Error::at("creating", folder))?;
    // The scripts inside name the folder that they were installed into: an environment cannot be
    // made elsewhere and moved. It counts once its marker is there, and one makes it at a time.
    let lock_path = place.with_extension("lock");
    let lock = fs::File::create(&lock_path).map_err(Error::at("creating", &lock_path))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock))
        .await
        .map_err(Error::call("waiting for another process"))?
        .map_err(Error::at("locking", &lock_path))?;
    if !is_whole(&place) {
        builder.make(&place, python, &text).await?;
    }
    drop(lock);
    Ok(place)
}

fn is_whole(venv: &Path) -> bool {
    venv.join(MARKER).is_file() && venv.join("bin/python").exists()
}

/// Makes environments for one requirements file.
struct VenvBuilder<'a> {
    requirements: &'a Path,
    on_line: &'a (dyn Fn(&str) + Sync),
}

impl VenvBuilder<'_> {
    async fn make(&self, place: &Path, python: &Path, text: &[u8]) -> Result<(), Error> {
        if place.exists() {
            fs::remove_dir_all(place).map_err(Error::at("removing", place))?;
        }
        let path = place.to_string_lossy();
        self.run("creating it", python, &["-m", "venv", &path])
            .await?;
        let requirements = self.requirements.to_string_lossy();
        let mut install = vec![
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "--requirement",
            &requirements,
        ];
        if String::from_utf8_lossy(text).contains("--hash=") {
            install.push("--require-hashes");
        }
        self.run("installing", &place.join("bin/python"), &install)
            .await?;
        let marker = place.join(MARKER);
        fs::write(&marker, "").map_err(Error::at("writing", &marker))
    }

    /// Runs Python and returns the last line that it printed; all lines go to `on_line`.
    async fn run(&self, doing: &str, python: &Path, arguments: &[&str]) -> Result<String, Error> {
        let failed = |what: String, tail: &VecDeque<String>| Error::Venv {
            requirements: self.requirements.to_owned(),
            what,
            tail: tail.iter().cloned().collect::<Vec<_>>().join("\n"),
        };
        let mut tail = VecDeque::new();
        let (reader, writer) = std::io::pipe().map_err(Error::at("starting", python))?;
        let errors = writer.try_clone().map_err(Error::at("starting", python))?;
        let mut command = Command::new(python);
        command
            .args(arguments)
            .env("PYTHONUNBUFFERED", "1")
            // An active environment's settings would be taken for the new one's.
            .env_remove("PYTHONHOME")
            .env_remove("PYTHONPATH")
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(errors)
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(Error::at("starting", python))?;
        // It holds the pipe's other end, which must close with the child.
        drop(command);
        let output = tokio::net::unix::pipe::Receiver::from_owned_fd(reader.into())
            .map_err(Error::at("reading from", python))?;
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            (self.on_line)(&line);
            if tail.len() == TAIL_LINES {
                tail.pop_front();
            }
            tail.push_back(line);
        }
        let status = child
            .wait()
            .await
            .map_err(Error::at("waiting for", python))?;
        if status.success() {
            Ok(tail.pop_back().unwrap_or_default())
        } else {
            Err(failed(format!("{doing} failed ({status})."), &tail))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const PYTHON: &str = "python3";

    #[tokio::test]
    async fn an_environment_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let requirements = folder.path().join(REQUIREMENTS);
        fs::write(&requirements, "# nothing\n").unwrap();
        let provide = || {
            provide(
                &requirements,
                Path::new(PYTHON),
                folder.path(),
                &|_: &str| {},
            )
        };
        let (one, other) = tokio::join!(provide(), provide());
        let place = one.unwrap();
        assert_eq!(other.unwrap(), place);
        fs::write(place.join("kept"), "").unwrap();
        provide().await.unwrap();
        assert!(place.join("kept").exists());
        fs::remove_file(place.join(MARKER)).unwrap();
        provide().await.unwrap();
        assert!(
            !place.join("kept").exists(),
            "an unfinished one is made anew"
        );
    }

    #[tokio::test]
    async fn what_pip_said_last_is_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let requirements = folder.path().join(REQUIREMENTS);
        fs::write(&requirements, "./no-such-package\n").unwrap();
        let heard = Mutex::new(0);
        let on_line = |_: &str| *heard.lock().unwrap() += 1;
        let error = provide(&requirements, Path::new(PYTHON), folder.path(), &on_line)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("no-such-package"), "{error}");
        assert!(*heard.lock().unwrap() > 0);
    }
}
