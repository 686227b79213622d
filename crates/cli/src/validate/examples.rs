//! A model's own examples: those that it must take, and those that it must refuse.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufReader},
    path::Path,
};

use anyhow::Context as _;
use dropcast_inputs::file::{Verdict, format_of};

use super::{
    document::{Example, Expected},
    model::Model,
    name_of, open, twin, unreadable,
};

/// The folder of examples in a model's folder, and the one of rejected ones in that.
const EXAMPLES: &str = "examples";
const REJECTED: &str = "examples/rejected";

/// Checks every example of a model, by path.
pub(super) fn check(folder: &Path, model: &Model) -> anyhow::Result<Vec<Example>> {
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

/// The names of the files directly in a folder; none when there is no such folder.
fn names(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    if !folder.is_dir() {
        return Ok(BTreeSet::new());
    }
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = name_of(&path);
        if path.is_file() && !name.starts_with('.') {
            names.insert(name);
        }
    }
    Ok(names)
}

fn accepted(folder: &Path, file: &str, model: &Model) -> anyhow::Result<Example> {
    let mut example = read(folder, file, Expected::Accepted, model)?;
    if example.reading.is_none() {
        let list = example.problem_list();
        example.faults = list
            .problems
            .iter()
            .map(|problem| problem.message.clone())
            .collect();
        if list.more > 0 {
            example.faults.push(format!("And {} more.", list.more));
        }
    }
    Ok(example.judged())
}

fn rejected(folder: &Path, file: &str, model: &Model) -> anyhow::Result<Example> {
    let mut example = read(folder, file, Expected::Rejected, model)?;
    if example.reading.is_some() {
        example
            .faults
            .push("It is accepted, but must be rejected.".to_owned());
        return Ok(example.judged());
    }
    let twin_name = format!("{file}{}", twin::ENDING);
    let path = folder.join(&twin_name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            example.faults.push(format!(
                "It has no twin {twin_name} that names its problems. It would be:\n{}",
                twin::of(&example.problem_list())
            ));
            return Ok(example.judged());
        }
        Err(error) => return Err(unreadable(&path, &error).into()),
    };
    example.faults = match twin::parse(&text) {
        Ok(named) => twin::differences(&named, &example.problem_list()),
        Err(fault) => vec![format!("Its twin cannot be used. {fault}")],
    };
    Ok(example.judged())
}

/// A twin without its file.
fn twin_alone(file: &str, original: &str) -> Example {
    Example {
        faults: vec![format!(
            "It is the twin of {REJECTED}/{original}, which is not there."
        )],
        ..Example::new(file, Expected::Rejected)
    }
    .judged()
}

/// Reads an example, without a word yet on whether it does as it should.
fn read(folder: &Path, file: &str, expected: Expected, model: &Model) -> anyhow::Result<Example> {
    let path = folder.join(file);
    let opened = open(&path)?;
    let bytes = opened
        .metadata()
        .map_err(|error| unreadable(&path, &error))?
        .len();
    let verdict = match format_of(model.input(), &name_of(&path), bytes) {
        Ok(format) => model
            .reader(format)?
            .read(BufReader::new(opened), io::sink())
            .with_context(|| format!("{} was being read", path.display()))?,
        Err(rejected) => Verdict::Rejected(rejected),
    };
    let mut example = Example::new(file, expected);
    match verdict {
        Verdict::Accepted(reading) => {
            example.reading = Some(crate::reading::ReadingView::of(&reading));
        }
        Verdict::Rejected(rejected) => {
            example.problems = rejected.problems.problems;
            example.more_problems = rejected.problems.more;
        }
    }
    Ok(example)
}

impl Example {
    fn new(file: &str, expected: Expected) -> Self {
        Self {
            file: file.to_owned(),
            expected,
            passes: false,
            faults: Vec::new(),
            reading: None,
            problems: Vec::new(),
            more_problems: 0,
        }
    }

    /// The same, said whether it does as it should.
    fn judged(mut self) -> Self {
        self.passes = self.faults.is_empty();
        self
    }
}
