//! The invariants that sources can break.

use super::{
    super::{places, purity, workspace::Workspace},
    add, assert_found, write,
};

#[test]
fn what_reaches_out_of_the_domain_is_found_but_not_in_its_tests() {
    let source = |text: &'static str| {
        move |workspace: &mut Workspace| write(workspace, "crates/domain/src/lib.rs", text)
    };
    assert_found(
        purity::check,
        source("use std::{\n    fmt,\n    fs,\n};\nfn f() { Timestamp::now() }\n"),
        &[
            "crates/domain/src/lib.rs:5: `::now()`",
            "crates/domain/src/lib.rs:1: `std::fs`",
        ],
    );
    assert_found(
        purity::check,
        source("#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n\nfn f() { std::env::args() }\n"),
        &["crates/domain/src/lib.rs:6: `std::env`"],
    );
    assert_found(
        purity::check,
        source("// std::fs\n/// std::fs\nfn f() {}\n"),
        &[],
    );
}

#[test]
fn a_dependency_of_the_domain_is_found_when_it_comes_and_when_it_goes() {
    let dependencies = |workspace: &mut Workspace| {
        let domain = workspace.packages.get_mut("domain").unwrap();
        domain.dependencies.remove("hex");
        domain.dependencies.insert("tokio".into());
    };
    assert_found(
        purity::check,
        dependencies,
        &[
            "crates/domain/Cargo.toml: `tokio` is new here",
            "crates/domain/Cargo.toml: `hex` is no longer used",
        ],
    );
}

#[test]
fn what_is_deployed_and_knows_its_place_is_found() {
    assert_found(
        places::check,
        |workspace| {
            write(
                workspace,
                "crates/store/src/lib.rs",
                "fn f() {}\nconst URL: &str = \"http://LocalHost\";\n",
            );
        },
        &["crates/store/src/lib.rs:2: `localhost`"],
    );
    assert_found(
        places::check,
        |workspace| {
            write(
                workspace,
                "crates/local/src/lib.rs",
                "const URL: &str = \"http://localhost\";\n",
            );
        },
        &[],
    );
    assert_found(
        places::check,
        |workspace| {
            add(
                workspace,
                "start-run",
                "functions/start-run",
                None,
                &["local"],
            );
        },
        &["crates/local/Cargo.toml: `local` (layer `local`) is built into what is deployed"],
    );
}
