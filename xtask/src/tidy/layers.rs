//! Which crates may use which.

use super::{
    Finding,
    workspace::{Package, Workspace},
};

/// Crates of one kind.
pub(super) struct Layer {
    pub(super) name: &'static str,
    about: &'static str,
    /// The layers whose crates it may be built with.
    may_use: &'static [&'static str],
    /// Whether it may name an AWS SDK crate.
    calls_aws: bool,
    /// Whether it is a program of AWS's: the rest runs where people work.
    pub(super) is_deployed: bool,
    /// Whether its mains hold nothing that would want a test.
    pub(super) has_thin_mains: bool,
}

pub(super) const FUNCTION: &str = "function";
const TOOLING: &str = "tooling";
/// What never leaves the machines of those who work on or with Dropcast.
pub(super) const LOCAL_LAYERS: [&str; 3] = ["local", "cli", TOOLING];
const SDK_PREFIXES: [&str; 3] = ["aws-sdk-", "aws-config", "aws-smithy-"];

pub(super) const LAYERS: [Layer; 9] = [
    Layer {
        name: "domain",
        about: "the rules, as pure functions",
        may_use: &[],
        calls_aws: false,
        is_deployed: false,
        has_thin_mains: true,
    },
    Layer {
        name: "library",
        about: "work over values and bytes, with no cloud in it",
        may_use: &["domain", "library"],
        calls_aws: false,
        is_deployed: false,
        has_thin_mains: true,
    },
    Layer {
        name: "adapter",
        about: "an AWS service, behind operations of the domain",
        may_use: &["domain", "adapter"],
        calls_aws: true,
        is_deployed: false,
        has_thin_mains: true,
    },
    Layer {
        name: "app",
        about: "the use cases, over the adapters' ports",
        may_use: &["domain", "library", "adapter"],
        calls_aws: false,
        is_deployed: false,
        has_thin_mains: true,
    },
    Layer {
        name: FUNCTION,
        about: "one Lambda function; every crate below functions/",
        may_use: &["domain", "library", "adapter", "app"],
        calls_aws: true,
        is_deployed: true,
        has_thin_mains: true,
    },
    Layer {
        name: "job",
        about: "what runs in a job's container",
        may_use: &["domain", "library", "adapter"],
        calls_aws: true,
        is_deployed: true,
        has_thin_mains: true,
    },
    Layer {
        name: "local",
        about: "the stack on one machine",
        may_use: &["domain", "library", "adapter", "app"],
        calls_aws: true,
        is_deployed: false,
        has_thin_mains: true,
    },
    Layer {
        name: "cli",
        about: "the command line",
        may_use: &["domain", "library", "adapter", "app", "job", "local"],
        calls_aws: true,
        is_deployed: false,
        has_thin_mains: true,
    },
    Layer {
        name: TOOLING,
        about: "tests, benchmarks and chores; any crate's tests may use it",
        may_use: &[
            "domain", "library", "adapter", "app", FUNCTION, "job", "local", "cli", TOOLING,
        ],
        calls_aws: true,
        is_deployed: false,
        has_thin_mains: false,
    },
];

/// The layer that a crate says it is of, if there is that one.
pub(super) fn layer_of(package: &Package) -> Option<&'static Layer> {
    let name = if package.is_function() {
        FUNCTION
    } else {
        package.layer.as_deref()?
    };
    LAYERS.iter().find(|layer| layer.name == name)
}

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, package) in &workspace.packages {
        let Some(layer) = layer_of(package) else {
            findings.push(unplaced(name, package));
            continue;
        };
        let dev = package.dev_dependencies.iter().map(|used| (used, true));
        let all = package
            .dependencies
            .iter()
            .map(|used| (used, false))
            .chain(dev);
        for (used, in_tests) in all {
            if !layer.calls_aws && !in_tests && SDK_PREFIXES.iter().any(|sdk| used.starts_with(sdk))
            {
                findings.push(at_dependency(
                    workspace,
                    package,
                    used,
                    &format!(
                        "a crate of layer `{}` may not use the AWS SDK ({used}). Move the call to an adapter.",
                        layer.name
                    ),
                ));
            }
            let Some(below) = workspace.packages.get(used).and_then(layer_of) else {
                continue;
            };
            if layer.may_use.contains(&below.name) || in_tests && below.name == TOOLING {
                continue;
            }
            findings.push(at_dependency(
                workspace,
                package,
                used,
                &format!(
                    "`{name}` (layer `{}`: {}) may not use `{used}` (layer `{}`: {}), only: {}. \
                     Move what both need to one of these.",
                    layer.name,
                    layer.about,
                    below.name,
                    below.about,
                    match layer.may_use {
                        [] => "nothing of the workspace".to_owned(),
                        layers => layers.join(", "),
                    },
                ),
            ));
        }
    }
    findings
}

fn unplaced(name: &str, package: &Package) -> Finding {
    let layers = LAYERS.map(|layer| format!("\n    {}: {}", layer.name, layer.about));
    let wrong = match &package.layer {
        None => format!("`{name}` does not say which layer it is of"),
        Some(layer) => format!("there is no layer `{layer}`"),
    };
    Finding::in_file(
        package.manifest(),
        format!(
            "{wrong}. Write `[package.metadata.dropcast]` and `layer = \"…\"`, one of:{}",
            layers.concat()
        ),
    )
}

fn at_dependency(
    workspace: &Workspace,
    package: &Package,
    dependency: &str,
    message: &str,
) -> Finding {
    Finding {
        line: workspace.line_of_dependency(package, dependency),
        ..Finding::in_file(package.manifest(), message)
    }
}
