//! The path of a module's root.

use super::{Finding, workspace::Workspace};

/// `a.rs` beside `a/`, and never `a/mod.rs`: a dozen open files named mod.rs look the same in an editor. What several
/// test programs share is the exception, because Cargo takes every file right below `tests` for a program.
pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let roots = workspace
        .rust_files("")
        .map(|(path, _)| path)
        .filter(|path| path.ends_with("mod.rs"));
    let mut findings = Vec::new();
    for path in roots {
        let folder = path.parent();
        let above = folder.and_then(|folder| folder.parent());
        if above.is_some_and(|above| above.ends_with("tests")) && !above.is_some_and(is_in_src) {
            continue;
        }
        let folder = folder.map(|folder| folder.display().to_string());
        findings.push(Finding::in_file(
            path,
            format!("Rename it to {}.rs.", folder.unwrap_or_default()),
        ));
    }
    findings
}

fn is_in_src(path: &std::path::Path) -> bool {
    path.components().any(|part| part.as_os_str() == "src")
}
