//! A model's own examples: those that it must take, and those that it must refuse.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dropcast_domain::model::InputFormat;
use dropcast_domain::problem::ProblemList;
use dropcast_inputs::file::{Reading, Verdict};
use serde::Serialize;

use crate::{FolderError, Input, ModelFolder, twin};

/// The folder of examples in a model's folder, and the one of rejected ones in that.
const EXAMPLES: &str = "examples";
const REJECTED: &str = "examples/rejected";
/// What an image is made by.
const DOCKERFILE: &str = "Dockerfile";

/// One example of a model.
#[derive(Debug)]
pub struct Example {
    /// Its path below the model's folder.
    pub file: String,
    /// What it is an example of.
    pub expected: Expected,
    /// The format by its name, if the model takes it.
    pub format: Option<InputFormat>,
    /// Why it is none, in sentences; nothing when it is one.
    pub faults: Vec<String>,
    /// How it was read, if it was accepted.
    pub reading: Option<Reading>,
    /// What is wrong with the file.
    pub problems: ProblemList,
}

/// What an example is an example of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// A file that the model takes.
    Accepted,
    /// A file with the problems that its twin names.
    Rejected,
}

impl Example {
    fn new(file: &str, expected: Expected) -> Self {
        Self {
            file: file.to_owned(),
            expected,
            format: None,
            faults: Vec::new(),
            reading: None,
            problems: ProblemList::default(),
        }
    }

    /// Whether it does as it should.
    pub fn passes(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks every example of a model, by path.
///
/// Fails when one cannot be read.
pub fn check(folder: &Path, model: &ModelFolder) -> Result<Vec<Example>, FolderError> {
    let mut examples = Vec::new();
    for name in names(&folder.join(EXAMPLES))? {
        examples.push(accepted(folder, &format!("{EXAMPLES}/{name}"), model)?);
    }
    let names = names(&folder.join(REJECTED))?;
    for name in &names {
        let file = format!("{REJECTED}/{name}");
        match name.strip_suffix(twin::ENDING) {
            None => examples.push(rejected(folder, &file, model)?),
            Some(original) if !names.contains(original) => {
                examples.push(twin_alone(&file, original));
            }
            Some(_) => {}
        }
    }
    Ok(examples)
}

/// The first accepted example of each format, by which a version is tried out before it is one.
pub fn one_of_each_format(folder: &Path, examples: &[Example]) -> Vec<PathBuf> {
    let mut formats = Vec::new();
    let accepted = examples
        .iter()
        .filter(|example| example.expected == Expected::Accepted && example.passes());
    let first = accepted.filter(|example| match example.format {
        Some(format) if !formats.contains(&format) => {
            formats.push(format);
            true
        }
        _ => false,
    });
    first.map(|example| folder.join(&example.file)).collect()
}

/// What keeps a folder from being built into a version: what is wrong with its examples, in
/// sentences, and what every build needs beside them.
pub fn faults_of_a_build(folder: &Path, examples: &[Example]) -> Vec<String> {
    let mut faults: Vec<String> = examples
        .iter()
        .filter(|example| !example.passes())
        .map(|example| {
            let faults: Vec<String> = example
                .faults
                .iter()
                .flat_map(|fault| fault.lines())
                .map(|line| format!("  {line}"))
                .collect();
            format!("{}:\n{}", example.file, faults.join("\n"))
        })
        .collect();
    if !folder.join(DOCKERFILE).is_file() {
        faults.push(
            "There is no Dockerfile beside model.toml. `dropcast model init` writes one that works."
                .to_owned(),
        );
    }
    if !examples
        .iter()
        .any(|example| example.expected == Expected::Accepted)
    {
        faults.push(
            "There is no example to try the image out with. Put an input that the model accepts into the folder examples/."
                .to_owned(),
        );
    }
    faults
}

/// The names of the files directly in a folder; none when there is no such folder.
fn names(folder: &Path) -> Result<BTreeSet<String>, FolderError> {
    if !folder.is_dir() {
        return Ok(BTreeSet::new());
    }
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(FolderError::at("reading", folder))? {
        let entry = entry.map_err(FolderError::at("reading", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() && !name.starts_with('.') {
            names.insert(name);
        }
    }
    Ok(names)
}

fn accepted(folder: &Path, file: &str, model: &ModelFolder) -> Result<Example, FolderError> {
    let mut example = read(folder, file, Expected::Accepted, model)?;
    if example.reading.is_none() {
        let list = &example.problems;
        example.faults = list
            .problems
            .iter()
            .map(|problem| problem.message.clone())
            .collect();
        if list.more > 0 {
            example.faults.push(format!("And {} more.", list.more));
        }
    }
    Ok(example)
}

fn rejected(folder: &Path, file: &str, model: &ModelFolder) -> Result<Example, FolderError> {
    let mut example = read(folder, file, Expected::Rejected, model)?;
    if example.reading.is_some() {
        example
            .faults
            .push("It is accepted, but must be rejected.".to_owned());
        return Ok(example);
    }
    let twin_name = format!("{file}{}", twin::ENDING);
    let path = folder.join(&twin_name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            example.faults.push(format!(
                "It has no twin {twin_name} that names its problems. It would be:\n{}",
                twin::of(&example.problems)
            ));
            return Ok(example);
        }
        Err(error) => return Err(FolderError::at("reading", &path)(error)),
    };
    example.faults = match twin::parse(&text) {
        Ok(named) => twin::differences(&named, &example.problems),
        Err(fault) => vec![format!("Its twin cannot be used. {fault}")],
    };
    Ok(example)
}

/// A twin without its file.
fn twin_alone(file: &str, original: &str) -> Example {
    Example {
        faults: vec![format!(
            "It is the twin of {REJECTED}/{original}, which is not there."
        )],
        ..Example::new(file, Expected::Rejected)
    }
}

/// Reads an example, without a word yet on whether it does as it should.
fn read(
    folder: &Path,
    file: &str,
    expected: Expected,
    model: &ModelFolder,
) -> Result<Example, FolderError> {
    let Input { format, verdict } = model.read_input(&folder.join(file), io::sink())?;
    let mut example = Example {
        format,
        ..Example::new(file, expected)
    };
    match verdict {
        Verdict::Accepted(reading) => example.reading = Some(reading),
        Verdict::Rejected(rejected) => example.problems = rejected.problems,
    }
    Ok(example)
}
