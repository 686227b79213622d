//! SDK crates that nothing calls.

use super::{Finding, source::code, workspace::Workspace};

/// Each SDK crate costs a minute of compiling and a part of a function's size, so a crate names those alone that it
/// calls.
pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, package) in &workspace.packages {
        let sources: Vec<_> = workspace
            .rust_files(package.folder.join("src"))
            .flat_map(|(_, text)| code(text))
            .collect();
        let sdks = package.dependencies.iter();
        for sdk in sdks.filter(|dependency| dependency.starts_with("aws-sdk-")) {
            let name_in_code = sdk.replace('-', "_");
            let uses = ["::", " as "].map(|after| format!("{name_in_code}{after}"));
            let is_used = |line: &str| uses.iter().any(|text| line.contains(text));
            if !sources.iter().any(|(_, line)| is_used(line)) {
                findings.push(Finding {
                    line: workspace.line_of_dependency(package, sdk),
                    ..Finding::in_file(
                        package.manifest(),
                        format!("`{name}` calls nothing of `{sdk}`. Take it out."),
                    )
                });
            }
        }
    }
    findings
}
