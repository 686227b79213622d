//! Invariant 9: the domain has no I/O, clock, randomness or environment.

use std::{collections::BTreeSet, path::Path};

use super::{Finding, source::code, workspace::Workspace};

const DOMAIN: &str = "crates/domain";

/// Values, text, hashes, and what is derived from types (`schemars`, `strum`): none of these opens a file or a socket or
/// reads a clock by itself.
pub(super) const DEPENDENCIES: [&str; 15] = [
    "base64",
    "croner",
    "data-encoding",
    "globset",
    "hex",
    "hmac",
    "jiff",
    "schemars",
    "serde",
    "serde_json",
    "sha2",
    "strsim",
    "strum",
    "thiserror",
    "toml",
];
const MODULES: [&str; 9] = [
    "env", "fs", "io", "net", "os", "path", "process", "thread", "time",
];
const CALLS: [&str; 12] = [
    "::now()",
    "now_utc",
    "TimeZone::system",
    "Instant",
    "SystemTime",
    "RandomState",
    "env!(",
    "print!",
    "println!",
    "eprintln!",
    "include_bytes!",
    "async fn",
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = check_dependencies(workspace);
    for (path, text) in workspace.rust_files(Path::new(DOMAIN).join("src")) {
        let code = code(text);
        for &(number, line) in &code {
            for call in CALLS.iter().filter(|call| line.contains(**call)) {
                findings.push(reaches_out(path, number, call));
            }
        }
        for (number, module) in std_modules(&code) {
            if MODULES.contains(&module.as_str()) {
                findings.push(reaches_out(path, number, &format!("std::{module}")));
            }
        }
    }
    findings
}

fn reaches_out(path: &Path, line: usize, what: &str) -> Finding {
    Finding::at(
        path,
        line,
        format!(
            "`{what}` is I/O, a clock, randomness or the environment. Pass its value as an argument."
        ),
    )
}

fn check_dependencies(workspace: &Workspace) -> Vec<Finding> {
    let mut packages = workspace.packages.values();
    let Some(domain) = packages.find(|package| package.folder == Path::new(DOMAIN)) else {
        return vec![Finding::in_file(DOMAIN, "The domain is not there.")];
    };
    let allowed: BTreeSet<&str> = DEPENDENCIES.into();
    let used: BTreeSet<&str> = domain.dependencies.iter().map(String::as_str).collect();
    let added = used.difference(&allowed).map(|name| {
        format!("`{name}` is new here. If it reaches nothing outside, add it in xtask/src/tidy/purity.rs.")
    });
    let gone = allowed.difference(&used).map(|name| {
        format!("`{name}` is no longer used. Take it out of xtask/src/tidy/purity.rs.")
    });
    added
        .chain(gone)
        .map(|message| Finding::in_file(domain.manifest(), message))
        .collect()
}

/// The modules of `std` that paths name, with their lines: `std::fs`, and each in the braces of `std::{…}`.
fn std_modules(code: &[(usize, &str)]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, (number, line)) in code.iter().enumerate() {
        for (at, prefix) in line.match_indices("std::") {
            let rest: Vec<&str> = std::iter::once(&line[at + prefix.len()..])
                .chain(code[index + 1..].iter().map(|(_, line)| *line))
                .collect();
            found.extend(
                named_after_std(&rest.join("\n"))
                    .into_iter()
                    .map(|module| (*number, module.to_owned())),
            );
        }
    }
    found
}

/// The modules that a path after `std::` names: one, or those in its braces.
fn named_after_std(rest: &str) -> Vec<&str> {
    let word = |text: &'_ str| -> usize {
        text.find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(text.len())
    };
    if !rest.starts_with('{') {
        return vec![&rest[..word(rest)]];
    }
    let (mut depth, mut starts, mut found) = (0_u32, false, Vec::new());
    for (at, c) in rest.char_indices() {
        match c {
            '{' => {
                depth += 1;
                starts = depth == 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            ',' => starts = depth == 1,
            c if c.is_whitespace() => {}
            _ if starts => {
                found.push(&rest[at..at + word(&rest[at..])]);
                starts = false;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_of_std_are_found_in_every_form() {
        assert_eq!(named_after_std("fs::read(x)"), ["fs"]);
        assert_eq!(
            named_after_std("{fmt, io::{self, Read}, str::FromStr};"),
            ["fmt", "io", "str"]
        );
        assert_eq!(named_after_std("{\n    net::TcpStream,\n}"), ["net"]);
    }
}
