//! Crates, files and modules.

use super::{
    super::{layers, lengths, modules, sdks, workspace::Workspace},
    add, assert_found, write,
};

#[test]
fn a_crate_that_says_no_layer_is_found() {
    assert_found(
        layers::check,
        |workspace| add(workspace, "new", "crates/new", None, &[]),
        &["crates/new/Cargo.toml: `new` does not say which layer it is of."],
    );
    assert_found(
        layers::check,
        |workspace| add(workspace, "new", "crates/new", Some("cellar"), &[]),
        &["crates/new/Cargo.toml: there is no layer `cellar`."],
    );
}

#[test]
fn an_arrow_that_runs_up_is_found_with_its_line() {
    assert_found(
        layers::check,
        |workspace| {
            add(
                workspace,
                "store",
                "crates/store",
                Some("adapter"),
                &["domain", "start-run"],
            );
        },
        &["crates/store/Cargo.toml:3: `store` (layer `adapter`"],
    );
    assert_found(
        layers::check,
        |workspace| add(workspace, "other", "functions/other", None, &["start-run"]),
        &["functions/other/Cargo.toml:2: `other` (layer `function`"],
    );
    let tests_of = |used: &'static str| {
        move |workspace: &mut Workspace| {
            let store = workspace.packages.get_mut("store").unwrap();
            store.dev_dependencies.insert(used.into());
        }
    };
    assert_found(layers::check, tests_of("tests"), &[]);
    assert_found(
        layers::check,
        tests_of("start-run"),
        &["crates/store/Cargo.toml: "],
    );
}

#[test]
fn the_sdk_in_a_crate_without_a_cloud_is_found() {
    assert_found(
        layers::check,
        |workspace| {
            add(
                workspace,
                "rules",
                "crates/rules",
                Some("library"),
                &["aws-sdk-s3"],
            );
        },
        &["crates/rules/Cargo.toml:2: a crate of layer `library` may not use the AWS SDK"],
    );
}

#[test]
fn long_files_are_found() {
    let long = |path: &'static str, lines: usize| {
        move |workspace: &mut Workspace| write(workspace, path, &"//\n".repeat(lines))
    };
    assert_found(lengths::check, long("fuzz/a.rs", 499), &[]);
    assert_found(
        lengths::check,
        long("fuzz/a.rs", 500),
        &["fuzz/a.rs: 500 lines"],
    );
    assert_found(lengths::check, long("infra/stacks/a.yaml", 450), &[]);
    assert_found(
        lengths::check,
        long("infra/stacks/a.yaml", 451),
        &["infra/stacks/a.yaml: 451 lines"],
    );
    assert_found(
        lengths::check,
        long("template.yaml", 401),
        &["template.yaml: 401 lines"],
    );
    assert_found(lengths::check, long("crates/lambda-kit/src/a.rs", 399), &[]);
    assert_found(
        lengths::check,
        long("crates/lambda-kit/src/a.rs", 400),
        &["crates/lambda-kit/src: 400 lines in all"],
    );
}

#[test]
fn a_long_main_and_a_branch_in_one_are_found() {
    let main = "functions/start-run/src/main.rs";
    assert_found(
        lengths::check,
        |workspace| {
            write(
                workspace,
                main,
                &format!("{}fn main() {{}}", "//\n".repeat(30)),
            );
        },
        &["functions/start-run/src/main.rs: 31 lines"],
    );
    assert_found(
        lengths::check,
        |workspace| {
            write(
                workspace,
                main,
                "fn main() {\n    run(|| {\n        if true {}\n    });\n}\n",
            );
        },
        &["functions/start-run/src/main.rs:3: a branch"],
    );
}

#[test]
fn a_mod_rs_is_found_but_below_tests() {
    let file = |path: &'static str| move |workspace: &mut Workspace| write(workspace, path, "");
    assert_found(
        modules::check,
        file("crates/store/src/batch/mod.rs"),
        &["crates/store/src/batch/mod.rs: Rename it to crates/store/src/batch.rs."],
    );
    assert_found(
        modules::check,
        file("crates/store/tests/support/mod.rs"),
        &[],
    );
    assert_found(
        modules::check,
        file("crates/store/src/tests/world/mod.rs"),
        &["crates/store/src/tests/world/mod.rs: "],
    );
}

#[test]
fn an_sdk_that_nothing_calls_is_found() {
    let with_sdk = |source: &'static str| {
        move |workspace: &mut Workspace| {
            add(
                workspace,
                "s3",
                "crates/s3",
                Some("adapter"),
                &["aws-sdk-s3"],
            );
            write(workspace, "crates/s3/src/lib.rs", source);
        }
    };
    assert_found(
        sdks::check,
        with_sdk("fn f(s3: &aws_sdk_s3::Client) {}"),
        &[],
    );
    assert_found(
        sdks::check,
        with_sdk("// aws_sdk_s3::Client\n"),
        &["crates/s3/Cargo.toml:2: `s3` calls nothing of `aws-sdk-s3`"],
    );
}
