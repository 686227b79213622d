//! The rules against this workspace, and each against one that breaks it.

mod invariants;
mod lists;
mod sources;

use super::{
    Finding, RULES, functions, layers, lengths, modules, paths, places, purity, sdks,
    workspace::{Package, Workspace},
};

type Check = fn(&Workspace) -> Vec<Finding>;

fn assert_holds(check: Check) {
    let findings = check(&Workspace::load().unwrap());
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn invariant_9_the_domain_depends_on_nothing_that_reaches_out_and_uses_no_io_clock_randomness_or_environment()
 {
    assert_holds(purity::check);
}

#[test]
fn invariant_10_no_code_that_is_deployed_asks_where_it_runs_or_depends_on_the_local_stack() {
    assert_holds(places::check);
}

#[test]
fn a_crate_uses_only_layers_below_it_and_nothing_imports_a_function() {
    assert_holds(layers::check);
}

#[test]
fn no_crate_is_built_with_an_sdk_crate_that_it_does_not_call() {
    assert_holds(sdks::check);
}

#[test]
fn every_other_rule_holds() {
    for check in [
        lengths::check,
        modules::check,
        functions::check,
        paths::check,
    ] {
        assert_holds(check);
    }
}

#[test]
fn what_is_deployed_is_the_functions_the_job_and_all_that_they_are_built_with() {
    let workspace = Workspace::load().unwrap();
    let deployed = places::deployed(&workspace);
    for function in workspace.functions() {
        assert!(deployed.contains(function), "{function}");
    }
    for name in [
        "dropcast-domain",
        "dropcast-lambda-kit",
        "dropcast-job-runner",
    ] {
        assert!(deployed.contains(name), "{name}");
    }
    for name in [
        "dropcast-local-stack",
        "dropcast-cli",
        "dropcast-tests",
        "xtask",
    ] {
        assert!(!deployed.contains(name), "{name}");
    }
}

/// A workspace in which everything holds.
fn example() -> Workspace {
    let mut workspace = Workspace::default();
    add(
        &mut workspace,
        "domain",
        "crates/domain",
        Some("domain"),
        &purity::DEPENDENCIES,
    );
    add(
        &mut workspace,
        "store",
        "crates/store",
        Some("adapter"),
        &["domain"],
    );
    add(
        &mut workspace,
        "local",
        "crates/local",
        Some("local"),
        &["store"],
    );
    add(
        &mut workspace,
        "start-run",
        "functions/start-run",
        None,
        &["store"],
    );
    add(
        &mut workspace,
        "tests",
        "tests",
        Some("tooling"),
        &["start-run"],
    );
    let main = "functions/start-run/src/main.rs";
    write(&mut workspace, main, "fn main() {\n    run();\n}\n");
    let function = workspace.packages.get_mut("start-run").unwrap();
    function.mains.insert(main.into());
    write(
        &mut workspace,
        "template.yaml",
        "Resources:\n  StartRun:\n    Type: AWS::Serverless::Function\n    Metadata:\n      BuildProperties:\n        \
         Binary: start-run\n    Properties:\n      CodeUri: functions/start-run/\n",
    );
    write(
        &mut workspace,
        "state-machines/run.asl.json",
        "{\n\"FunctionName\": \"${StartRunArn}\",\n}",
    );
    write(
        &mut workspace,
        "docs/ARCHITECTURE.md",
        "## The crates\n\n| crate | layer | what |\n|---|---|---|\n| `crates/domain` | domain | - |\n\
         | `crates/store` | adapter | - |\n| `crates/local` | local | - |\n| `functions/*` | function | - |\n\
         | `tests` | tooling | - |\n\n## The functions\n\n| function | does |\n|---|---|\n| start-run | - |\n",
    );
    workspace
}

fn add(workspace: &mut Workspace, name: &str, folder: &str, layer: Option<&str>, uses: &[&str]) {
    let package = Package {
        folder: folder.into(),
        layer: layer.map(ToOwned::to_owned),
        dependencies: uses.iter().map(ToString::to_string).collect(),
        ..Package::default()
    };
    let manifest = uses.iter().map(|name| format!("{name}.workspace = true\n"));
    let manifest = format!("[dependencies]\n{}", manifest.collect::<String>());
    workspace.files.insert(package.manifest(), manifest);
    workspace.packages.insert(name.to_owned(), package);
}

fn write(workspace: &mut Workspace, path: &str, text: &str) {
    workspace.files.insert(path.into(), text.to_owned());
}

/// What a rule finds once something is changed, in short.
fn find(check: Check, change: impl FnOnce(&mut Workspace)) -> Vec<String> {
    let mut workspace = example();
    change(&mut workspace);
    check(&workspace).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_found(check: Check, change: impl FnOnce(&mut Workspace), beginnings: &[&str]) {
    let found = find(check, change);
    assert_eq!(found.len(), beginnings.len(), "{found:#?}");
    for (finding, beginning) in found.iter().zip(beginnings) {
        assert!(finding.starts_with(beginning), "{finding}");
    }
}

#[test]
fn nothing_is_found_where_everything_holds() {
    for rule in RULES {
        assert_eq!(find(rule.check, |_| {}), [""; 0], "{}", rule.name);
    }
}
