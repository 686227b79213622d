//! `dropcast model init`: creates the folder of a new, working model.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use dropcast_api_types::Initialized;
use dropcast_domain::{
    model::{ModelName, ModelNameError},
    text::quoted,
};

use crate::{
    args::Init,
    exit::{CliError, Exit},
    messages,
    screen::{Screen, Style},
    stack::program,
};

/// The model's name and title in the skeleton.
const NAME: &str = "my-model";
const TITLE: &str = "My model";

/// Every file of the skeleton.
const FILES: [(&str, &str); 12] = [
    (
        ".dockerignore",
        include_str!("../../skeleton/.dockerignore"),
    ),
    ("Dockerfile", include_str!("../../skeleton/Dockerfile")),
    ("README.md", include_str!("../../skeleton/README.md")),
    (
        "examples/rejected/negative-amount.csv",
        include_str!("../../skeleton/examples/rejected/negative-amount.csv"),
    ),
    (
        "examples/rejected/negative-amount.csv.problems.json",
        include_str!("../../skeleton/examples/rejected/negative-amount.csv.problems.json"),
    ),
    (
        "examples/sales.csv",
        include_str!("../../skeleton/examples/sales.csv"),
    ),
    ("main.py", include_str!("../../skeleton/main.py")),
    ("model.toml", include_str!("../../skeleton/model.toml")),
    (
        "requirements.in",
        include_str!("../../skeleton/requirements.in"),
    ),
    (
        "requirements.txt",
        include_str!("../../skeleton/requirements.txt"),
    ),
    (
        "row.schema.json",
        include_str!("../../skeleton/row.schema.json"),
    ),
    (
        "tests/test_main.py",
        include_str!("../../skeleton/tests/test_main.py"),
    ),
];

/// Creates the folder of a new model.
pub(super) fn run(args: &Init, screen: Screen) -> anyhow::Result<Exit> {
    let name: ModelName = args.name.parse().map_err(|error: ModelNameError| {
        CliError::new(
            Exit::Usage,
            format!(
                "{} is not a valid name for a model: {error}.",
                quoted(&args.name)
            ),
        )
        .advice("Use a name such as revenue-forecast. People see the title, which can be any text.")
    })?;
    let folder = args
        .dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(name.as_str()));
    check_free(&folder)?;
    for (file, content) in FILES {
        let path = folder.join(file);
        write(&path, &fill_in(&name, content))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    let document = Initialized {
        model: name,
        folder: folder.display().to_string(),
        files: FILES.map(|(file, _)| file).to_vec(),
    };
    screen.show(&document, |style| render(&document, style))?;
    Ok(Exit::Done)
}

/// Fails unless the folder can be created without touching existing files.
fn check_free(folder: &Path) -> anyhow::Result<()> {
    let exists = |what: &str| {
        let message = format!("{} {what}.", folder.display());
        CliError::new(Exit::Usage, message).advice("Name another folder with --dir.")
    };
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(exists("already exists and is not empty").into()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(exists("already exists and is not a folder").into())
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", folder.display())),
    }
}

fn write(path: &Path, content: &str) -> io::Result<()> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    fs::write(path, content)
}

/// A file of the skeleton with the model's name and title filled in.
fn fill_in(name: &ModelName, content: &str) -> String {
    content
        .replace(NAME, name.as_str())
        .replace(TITLE, &make_title(name))
}

/// The title of a new model: `Churn rate` for `churn-rate`.
fn make_title(name: &ModelName) -> String {
    let words = name.as_str().replace('-', " ");
    let words = words.trim();
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn render(document: &Initialized, style: Style) -> String {
    let folder = messages::sanitize(&document.folder);
    let dropcast = program();
    format!(
        "Created the model {}. It works as it is; change it step by step.\n\n{}\n{}
  {dropcast} validate {folder}
  {dropcast} model test {folder}
  {dropcast} model push {folder}
",
        style.bold(&folder),
        messages::join_lines(document.files.iter().map(|file| format!("  {file}"))),
        style.bold("Try:"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_derived_from_the_name() {
        assert_eq!(make_title(&"churn-rate-2".parse().unwrap()), "Churn rate 2");
    }

    #[test]
    fn every_file_of_the_skeleton_is_written() {
        let skeleton = Path::new(env!("CARGO_MANIFEST_DIR")).join("skeleton");
        let mut found = Vec::new();
        let mut open = vec![skeleton.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap();
                if path.is_dir() && name != "__pycache__" {
                    open.push(path);
                } else if path.is_file() {
                    let path = path.strip_prefix(&skeleton).unwrap();
                    found.push(path.to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        assert_eq!(found, FILES.map(|(file, _)| file));
    }

    #[test]
    fn existing_files_are_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_free(folder.path()).is_ok());
        assert!(check_free(&folder.path().join("new")).is_ok());
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(check_free(folder.path()).is_err());
        assert!(check_free(&file).is_err());
    }
}
