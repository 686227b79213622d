//! The lists that name functions and crates.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use saphyr::{LoadableYamlNode as _, MarkedYaml};

use super::{Finding, layers, workspace::Workspace};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const FUNCTION_TYPE: &str = "AWS::Serverless::Function";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = check_templates(workspace);
    findings.extend(check_state_machines(workspace));
    findings.extend(check_function_table(workspace));
    findings.extend(check_crate_table(workspace));
    findings.extend(check_other_lists(workspace));
    findings
}

/// Each function is in one template, once, and no template names another.
fn check_templates(workspace: &Workspace) -> Vec<Finding> {
    let functions = workspace.functions();
    let mut findings = Vec::new();
    let mut seen: BTreeMap<String, (PathBuf, usize)> = BTreeMap::new();
    for (path, text) in &workspace.files {
        if path.extension() != Some("yaml".as_ref()) || !text.contains(FUNCTION_TYPE) {
            continue;
        }
        let documents = match MarkedYaml::load_from_str(text) {
            Ok(documents) => documents,
            Err(error) => {
                findings.push(Finding::at(
                    path,
                    error.marker().line(),
                    format!("not YAML: {error}"),
                ));
                continue;
            }
        };
        for (line, resource) in documents.iter().flat_map(function_resources) {
            let name = resource
                .get_text(&["Metadata", "BuildProperties", "Binary"])
                .unwrap_or_default();
            let source = resource
                .get_text(&["Properties", "CodeUri"])
                .unwrap_or_default();
            let source = from_root(path, source);
            if !functions.contains(name) {
                findings.push(Finding::at(
                    path,
                    line,
                    format!(
                        "Metadata.BuildProperties.Binary is `{name}`, and there is no functions/{name}. Name a folder \
                         of functions/, or delete the resource."
                    ),
                ));
            } else if source != Path::new("functions").join(name) {
                findings.push(Finding::at(
                    path,
                    line,
                    format!(
                        "CodeUri of `{name}` leads to {}, not to functions/{name}.",
                        source.display()
                    ),
                ));
            } else if let Some((first, at)) = seen.insert(name.to_owned(), (path.clone(), line)) {
                findings.push(Finding::at(
                    path,
                    line,
                    format!(
                        "`{name}` is in {}:{at} too. Keep one of the two.",
                        first.display()
                    ),
                ));
            }
        }
    }
    let missing = functions.iter().filter(|name| !seen.contains_key(**name));
    findings.extend(missing.map(|name| {
        Finding::in_file(
            Path::new("functions").join(name),
            format!("No template has a resource of type {FUNCTION_TYPE} for `{name}`. Add one, with its role and log group."),
        )
    }));
    findings
}

/// The resources of a template that are functions, with the lines where they begin.
fn function_resources<'a>(document: &'a MarkedYaml<'a>) -> Vec<(usize, &'a MarkedYaml<'a>)> {
    let resources = document
        .data
        .as_mapping_get("Resources")
        .and_then(|resources| resources.data.as_mapping());
    resources
        .into_iter()
        .flatten()
        .filter(|(_, resource)| resource.get_text(&["Type"]) == Some(FUNCTION_TYPE))
        .map(|(name, resource)| (name.span.start.line(), resource))
        .collect()
}

trait GetText {
    /// The text below some keys.
    fn get_text(&self, keys: &[&str]) -> Option<&str>;
}

impl GetText for MarkedYaml<'_> {
    fn get_text(&self, keys: &[&str]) -> Option<&str> {
        match keys {
            [] => self.data.as_str(),
            [key, rest @ ..] => self.data.as_mapping_get(key)?.get_text(rest),
        }
    }
}

/// Where a path in a file leads, from the root of the repository.
pub(super) fn from_root(file: &Path, path: &str) -> PathBuf {
    let mut found = file.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => _ = found.pop(),
            Component::Normal(name) => found.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    found
}

/// A state machine calls functions by `"${StartRunArn}"`, which the template puts in.
fn check_state_machines(workspace: &Workspace) -> Vec<Finding> {
    let known: BTreeSet<String> = workspace
        .functions()
        .into_iter()
        .map(|name| format!("{}Arn", pascal_case(name)))
        .collect();
    let machines = workspace
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("state-machines"));
    let mut findings = Vec::new();
    for (path, text) in machines {
        for (index, line) in text.lines().enumerate() {
            let Some((_, value)) = line.split_once("\"FunctionName\":") else {
                continue;
            };
            let name = value.trim().trim_end_matches(',').trim_matches('"');
            let name = name.trim_start_matches("${").trim_end_matches('}');
            if !known.contains(name) {
                findings.push(Finding::at(
                    path,
                    index + 1,
                    format!(
                        "`{name}` is not the ARN of a function. Use one of: {}.",
                        known.iter().cloned().collect::<Vec<_>>().join(", ")
                    ),
                ));
            }
        }
    }
    findings
}

/// `StartRun` for `start-run`.
fn pascal_case(name: &str) -> String {
    name.split('-')
        .filter_map(|word| {
            let (first, rest) = word.split_at_checked(1)?;
            Some(first.to_uppercase() + rest)
        })
        .collect()
}

/// A row of a Markdown table: its line, and its cells without their backticks.
type Row<'a> = (usize, Vec<&'a str>);

/// The rows of the first table below a heading.
fn table_below<'a>(text: &'a str, heading: &str) -> Vec<Row<'a>> {
    text.lines()
        .enumerate()
        .skip_while(|(_, line)| *line != heading)
        .skip(1)
        .take_while(|(_, line)| !line.starts_with("## "))
        .skip_while(|(_, line)| !line.starts_with('|'))
        .take_while(|(_, line)| line.starts_with('|'))
        .skip(2)
        .map(|(index, line)| {
            let cells = line.trim_matches('|').split(" | ");
            let cells = cells.map(|cell| cell.trim().trim_matches('`'));
            (index + 1, cells.collect())
        })
        .collect()
}

fn check_function_table(workspace: &Workspace) -> Vec<Finding> {
    let rows = architecture_table(workspace, "## The functions");
    let rows: BTreeMap<&str, usize> = rows.iter().map(|(line, cells)| (cells[0], *line)).collect();
    let functions = workspace.functions();
    let missing = functions.iter().filter(|name| !rows.contains_key(**name));
    let missing = missing.map(|name| {
        Finding::in_file(
            ARCHITECTURE,
            format!("The table below \"The functions\" has no row of `{name}`. Add one."),
        )
    });
    let stale = rows.iter().filter(|(name, _)| !functions.contains(**name));
    missing
        .chain(stale.map(|(name, line)| {
            Finding::at(
                ARCHITECTURE,
                *line,
                format!("There is no functions/{name}. Delete the row."),
            )
        }))
        .collect()
}

fn architecture_table<'a>(workspace: &'a Workspace, heading: &str) -> Vec<Row<'a>> {
    let text = workspace.files.get(Path::new(ARCHITECTURE));
    text.map(|text| table_below(text, heading))
        .unwrap_or_default()
}

/// Each crate but the functions has a row with its folder and its layer.
fn check_crate_table(workspace: &Workspace) -> Vec<Finding> {
    let mut rows: BTreeMap<&str, (usize, &str)> = architecture_table(workspace, "## The crates")
        .iter()
        .map(|(line, cells)| (cells[0], (*line, cells.get(1).copied().unwrap_or_default())))
        .collect();
    let mut findings = Vec::new();
    for package in workspace.packages.values() {
        let folder = if package.is_function() {
            "functions/*".to_owned()
        } else {
            package.folder.display().to_string()
        };
        let layer = layers::layer_of(package).map_or("", |layer| layer.name);
        match rows.get(folder.as_str()) {
            Some((_, written)) if *written == layer => {}
            Some((line, written)) => findings.push(Finding::at(
                ARCHITECTURE,
                *line,
                format!("`{folder}` is of layer `{layer}`, not `{written}`. Correct the row."),
            )),
            None => findings.push(Finding::in_file(
                ARCHITECTURE,
                format!("The table below \"The crates\" has no row of `{folder}`. Add one, with layer `{layer}`."),
            )),
        }
    }
    let members: BTreeSet<String> = workspace
        .packages
        .values()
        .map(|package| package.folder.display().to_string())
        .collect();
    rows.retain(|folder, _| *folder != "functions/*" && !members.contains(*folder));
    // Crates outside the workspace.
    rows.retain(|folder, _| {
        !workspace
            .files
            .contains_key(&Path::new(folder).join("Cargo.toml"))
    });
    findings.extend(rows.iter().map(|(folder, (line, _))| {
        Finding::at(
            ARCHITECTURE,
            *line,
            format!("There is no crate `{folder}`. Delete the row."),
        )
    }));
    findings
}

/// A file that names most of the functions is a list of them, and names all.
fn check_other_lists(workspace: &Workspace) -> Vec<Finding> {
    let functions = workspace.functions();
    let mut findings = Vec::new();
    for (path, text) in &workspace.files {
        let (named, missing): (Vec<&str>, Vec<&str>) =
            functions.iter().partition(|name| names(text, name));
        if missing.is_empty() || named.len() * 5 < functions.len() * 4 {
            continue;
        }
        findings.push(Finding::in_file(
            path,
            format!(
                "Names {} of the {} functions. Add: {}.",
                named.len(),
                functions.len(),
                missing.join(", ")
            ),
        ));
    }
    findings
}

/// Whether a text holds a name, and not just as a part of a longer one.
fn names(text: &str, name: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(is_of_name) && !text[at + name.len()..].starts_with(is_of_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_longer_one_is_not_that_name() {
        assert!(names("(notify)", "notify"));
        assert!(!names("notify-all", "notify"));
        assert!(!names("pre_notify", "notify"));
        assert!(names("notify-all, notify", "notify"));
    }

    #[test]
    fn a_path_leads_from_the_file_that_names_it() {
        let file = Path::new("infra/stacks/runs.yaml");
        assert_eq!(
            from_root(file, "../../functions/start-run/"),
            Path::new("functions/start-run")
        );
        assert_eq!(
            from_root(Path::new("README.md"), "docs/A.md"),
            Path::new("docs/A.md")
        );
    }
}
