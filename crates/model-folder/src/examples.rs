//! A model's own examples: inputs that it must accept and inputs that it must reject.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use dropcast_domain::{model::InputFormat, problem::ProblemList};
use dropcast_inputs::file::{Outcome, Reading};
use serde::Serialize;

use crate::{FolderError, Input, ModelFolder, expected_problems};

/// The folder of examples in a model's folder, and the one of rejected ones in that.
const EXAMPLES: &str = "examples";
const REJECTED: &str = "examples/rejected";
/// The file from which an image is built.
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
    /// Why it did not give the expected outcome, in sentences; empty if it did.
    pub failures: Vec<String>,
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
    /// A file with the problems that its list names.
    Rejected,
}

impl Example {
    fn new(file: &str, expected: Expected) -> Self {
        Self {
            file: file.to_owned(),
            expected,
            format: None,
            failures: Vec::new(),
            reading: None,
            problems: ProblemList::default(),
        }
    }

    /// Whether reading it gave the expected outcome.
    pub fn passes(&self) -> bool {
        self.failures.is_empty()
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
        match name.strip_suffix(expected_problems::EXTENSION) {
            None => examples.push(rejected(folder, &file, model)?),
            Some(original) if !names.contains(original) => {
                examples.push(orphaned_expectation(&file, original));
            }
            Some(_) => {}
        }
    }
    Ok(examples)
}

/// The first accepted example of each format: the inputs of the local runs of a build.
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

/// Finds what keeps a folder from being built into a version: examples with an unexpected
/// outcome, and missing files that every build needs. One entry per problem, in sentences.
pub fn find_build_problems(folder: &Path, examples: &[Example]) -> Vec<String> {
    let mut failures: Vec<String> = examples
        .iter()
        .filter(|example| !example.passes())
        .map(|example| {
            let failures: Vec<String> = example
                .failures
                .iter()
                .flat_map(|failure| failure.lines())
                .map(|line| format!("  {line}"))
                .collect();
            format!("{}:\n{}", example.file, failures.join("\n"))
        })
        .collect();
    if !folder.join(DOCKERFILE).is_file() {
        failures.push(
            "There is no Dockerfile next to model.toml. `dropcast model init` creates a working one."
                .to_owned(),
        );
    }
    if !examples
        .iter()
        .any(|example| example.expected == Expected::Accepted)
    {
        failures.push(
            "There is no example to test the image with. Add an input that the model accepts to the folder examples/."
                .to_owned(),
        );
    }
    failures
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
        example.failures = list
            .problems
            .iter()
            .map(|problem| problem.message.clone())
            .collect();
        if list.more > 0 {
            example.failures.push(format!("And {} more.", list.more));
        }
    }
    Ok(example)
}

fn rejected(folder: &Path, file: &str, model: &ModelFolder) -> Result<Example, FolderError> {
    let mut example = read(folder, file, Expected::Rejected, model)?;
    if example.reading.is_some() {
        example
            .failures
            .push("It is accepted, but must be rejected.".to_owned());
        return Ok(example);
    }
    let expected_name = format!("{file}{}", expected_problems::EXTENSION);
    let path = folder.join(&expected_name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            example.failures.push(format!(
                "Its problems are not listed in {expected_name}. Save this list there if they are right:\n{}",
                expected_problems::format_file(&example.problems)
            ));
            return Ok(example);
        }
        Err(error) => return Err(FolderError::at("reading", &path)(error)),
    };
    example.failures = match expected_problems::parse(&text) {
        Ok(named) => expected_problems::find_differences(&named, &example.problems),
        Err(failure) => vec![format!("{expected_name} cannot be used. {failure}")],
    };
    Ok(example)
}

/// A list of expected problems whose file is missing.
fn orphaned_expectation(file: &str, original: &str) -> Example {
    Example {
        failures: vec![format!(
            "It lists the problems of {REJECTED}/{original}, which does not exist."
        )],
        ..Example::new(file, Expected::Rejected)
    }
}

/// Reads an example; whether the outcome is the expected one is not checked yet.
fn read(
    folder: &Path,
    file: &str,
    expected: Expected,
    model: &ModelFolder,
) -> Result<Example, FolderError> {
    let Input { format, outcome } = model.read_input(&folder.join(file), io::sink())?;
    let mut example = Example {
        format,
        ..Example::new(file, expected)
    };
    match outcome {
        Outcome::Accepted(reading) => example.reading = Some(reading),
        Outcome::Rejected(rejected) => example.problems = rejected.into_problems(),
    }
    Ok(example)
}
