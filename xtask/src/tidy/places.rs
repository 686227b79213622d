//! Invariant 10: the same template and the same binaries run on a laptop and on AWS.

use std::collections::BTreeSet;

use super::{
    Finding,
    layers::{self, LOCAL_LAYERS},
    source::code,
    workspace::Workspace,
};

/// What code that asks where it runs would say.
const PLACES: [&str; 16] = [
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "4566",
    "ministack",
    "localstack",
    "local_stack",
    "local-stack",
    "emulator",
    "aws_endpoint",
    "endpoint_url",
    "aws_sam_local",
    "force_path_style",
    "dropcast.batch",
    "000000000000",
    "debug_assertions",
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in deployed(workspace) {
        let package = &workspace.packages[name];
        if let Some(layer) =
            layers::layer_of(package).filter(|layer| LOCAL_LAYERS.contains(&layer.name))
        {
            findings.push(Finding::in_file(
                package.manifest(),
                format!(
                    "`{name}` (layer `{}`) is built into what is deployed. Move what the deployed crates need to a \
                     library.",
                    layer.name
                ),
            ));
        }
        for (path, text) in workspace.rust_files(package.folder.join("src")) {
            if path.to_string_lossy().contains("/tests") {
                continue;
            }
            for (number, line) in code(text) {
                let line = line.to_lowercase();
                for place in PLACES.iter().filter(|place| line.contains(**place)) {
                    findings.push(Finding::at(
                        path,
                        number,
                        format!(
                            "`{place}`: what is deployed may not know where it runs. Make it a setting, given by the \
                             template or by the local stack."
                        ),
                    ));
                }
            }
        }
    }
    findings
}

/// The crates that run on AWS: the programs, and whatever of the workspace they are built with.
pub(super) fn deployed(workspace: &Workspace) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&str> = workspace
        .packages
        .iter()
        .filter(|(_, package)| layers::layer_of(package).is_some_and(|layer| layer.is_deployed))
        .map(|(name, _)| name.as_str())
        .collect();
    while let Some(name) = next.pop() {
        if let Some((name, package)) = workspace.packages.get_key_value(name)
            && found.insert(name.as_str())
        {
            next.extend(package.dependencies.iter().map(String::as_str));
        }
    }
    found
}
