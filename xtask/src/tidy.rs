//! `cargo xtask tidy`: rules that the compiler and Clippy cannot check, against the workspace as it is.

mod functions;
mod layers;
mod lengths;
mod modules;
mod paths;
mod places;
mod purity;
mod sdks;
mod source;
#[cfg(test)]
mod tests;
mod workspace;

use std::{fmt, path::PathBuf, process::ExitCode};

use workspace::Workspace;

/// Checks the layers of the crates, the lengths of files, and the lists that name functions, crates or files.
///
/// Everything is compared with the workspace itself: the crates as Cargo knows them and the files of the tree.
/// A finding says where it is, what is wrong and what to do:
///
///     crates/domain/src/mail.rs: 528 lines, and at most 499 are allowed. Move a part of it to a module of its own.
#[derive(clap::Args)]
#[command(after_long_help = describe_rules(), verbatim_doc_comment)]
pub(crate) struct Args {
    /// The rules to check; all of them if none is named
    #[arg(value_name = "RULE", value_parser = RULES.map(|rule| rule.name))]
    rules: Vec<String>,
}

/// One thing that must hold.
struct Rule {
    name: &'static str,
    about: &'static str,
    check: fn(&Workspace) -> Vec<Finding>,
}

const RULES: [Rule; 8] = [
    Rule {
        name: "layers",
        about: "A crate uses only what lies below it. Its Cargo.toml says its layer:\n    \
                [package.metadata.dropcast] layer = \"library\". The layers are in xtask/src/tidy/layers.rs.",
        check: layers::check,
    },
    Rule {
        name: "sdks",
        about: "A crate calls every AWS SDK crate that it is built with.",
        check: sdks::check,
    },
    Rule {
        name: "lengths",
        about: "Rust files, lambda-kit, mains and templates stay short; a main has no branch.",
        check: lengths::check,
    },
    Rule {
        name: "modules",
        about: "The root of a module a is a.rs, not a/mod.rs.",
        check: modules::check,
    },
    Rule {
        name: "functions",
        about: "The template, the state machine, the documents and the tests name the functions that there are.",
        check: functions::check,
    },
    Rule {
        name: "paths",
        about: "A path that a Markdown file names in backticks or links to exists.",
        check: paths::check,
    },
    Rule {
        name: "purity",
        about: "Invariant 9: crates/domain has no I/O, clock, randomness or environment.",
        check: purity::check,
    },
    Rule {
        name: "places",
        about: "Invariant 10: nothing that is deployed asks where it runs, or depends on the local stack.",
        check: places::check,
    },
];

fn describe_rules() -> String {
    let rules = RULES.map(|rule| format!("  {}\n    {}\n", rule.name, rule.about));
    format!("Rules:\n{}", rules.concat())
}

/// A place where a rule is broken.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// From the root of the repository.
    path: PathBuf,
    line: Option<usize>,
    /// What is wrong, and what to do.
    message: String,
}

impl Finding {
    fn in_file(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line: None,
            message: message.into(),
        }
    }

    fn at(path: impl Into<PathBuf>, line: usize, message: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::in_file(path, message)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.message),
            None => write!(f, "{}: {}", self.path.display(), self.message),
        }
    }
}

/// Prints every finding, by file. The exit code is 1 if there is any.
///
/// # Errors
/// The workspace cannot be read.
#[expect(clippy::print_stdout, reason = "The findings are what it is run for.")]
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut findings: Vec<Finding> = RULES
        .iter()
        .filter(|rule| args.rules.is_empty() || args.rules.iter().any(|name| name == rule.name))
        .flat_map(|rule| (rule.check)(&workspace))
        .collect();
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("\n`cargo xtask tidy --help` explains the rules.");
    Ok(ExitCode::FAILURE)
}
