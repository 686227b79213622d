//! Paths that documents name.

use std::path::Path;

use super::{Finding, functions::from_root, workspace::Workspace};

/// What was true when it was written.
const HISTORY: [&str; 2] = ["CHANGELOG.md", "docs/adr"];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let documents = workspace.files.iter().filter(|(path, _)| {
        path.extension() == Some("md".as_ref())
            && !HISTORY.iter().any(|history| path.starts_with(history))
    });
    let mut findings = Vec::new();
    for (document, text) in documents {
        for (index, line) in text.lines().enumerate() {
            let named = line.split('`').skip(1).step_by(2);
            let named = named.filter(|path| is_path(workspace, path));
            // A model's pages name files of its own folder.
            let missing = named.filter(|path| {
                !exists(workspace, Path::new(path))
                    && !exists(workspace, &from_root(document, path))
            });
            findings.extend(missing.map(|path| {
                Finding::at(
                    document,
                    index + 1,
                    format!("There is no `{path}`. Say where it is now."),
                )
            }));
            let linked = links(line).filter(|path| !exists(workspace, &from_root(document, path)));
            findings.extend(linked.map(|path| {
                Finding::at(
                    document,
                    index + 1,
                    format!("The link to {path} leads nowhere. Correct it."),
                )
            }));
        }
    }
    findings
}

/// Whether a text is a path from the root: its first part is a folder of the repository.
fn is_path(workspace: &Workspace, text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let Some((first, rest)) = text.split_once('/') else {
        return false;
    };
    // The folder `models` is a bucket's prefix too.
    !rest.is_empty()
        && text.chars().all(is_plain)
        && first != "models"
        && exists(workspace, Path::new(first))
}

/// The targets of a line's Markdown links into the repository, without their anchors.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let (target, _) = rest.split_once(')')?;
        let target = target.split('#').next().unwrap_or_default();
        (!target.is_empty() && !target.contains(':')).then_some(target)
    })
}

/// Whether there is a file or a folder of that name.
fn exists(workspace: &Workspace, path: &Path) -> bool {
    let files = workspace.files.keys().chain(&workspace.binary_files);
    files.into_iter().any(|file| file.starts_with(path))
}
