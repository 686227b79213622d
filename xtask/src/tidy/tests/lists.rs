//! Lists and paths.

use std::path::Path;

use super::{
    super::{functions, paths, workspace::Workspace},
    add, assert_found, example, find, write,
};

#[test]
fn a_function_that_a_list_forgets_is_found_in_each() {
    let new = |workspace: &mut Workspace| {
        add(workspace, "pay-bill", "functions/pay-bill", None, &[]);
    };
    assert_found(
        functions::check,
        new,
        &[
            "functions/pay-bill: No template",
            "docs/ARCHITECTURE.md: The table below \"The functions\" has no row of `pay-bill`",
        ],
    );
}

#[test]
fn a_function_that_is_gone_is_found_in_each_list() {
    let gone = |workspace: &mut Workspace| {
        let mut function = workspace.packages.remove("start-run").unwrap();
        function.folder = "functions/begin-run".into();
        workspace.packages.insert("begin-run".into(), function);
    };
    assert_found(
        functions::check,
        gone,
        &[
            "template.yaml:2: Metadata.BuildProperties.Binary is `start-run`",
            "functions/begin-run: No template",
            "state-machines/run.asl.json:2: `StartRunArn` is not the ARN of a function",
            "docs/ARCHITECTURE.md: The table below \"The functions\" has no row of `begin-run`",
            "docs/ARCHITECTURE.md:15: There is no functions/start-run",
        ],
    );
}

#[test]
fn a_function_in_two_templates_or_with_the_source_of_another_is_found() {
    let template = example().files.remove(Path::new("template.yaml")).unwrap();
    assert_found(
        functions::check,
        |workspace| {
            write(
                workspace,
                "infra/stacks/a.yaml",
                &template.replace("functions/", "../../functions/"),
            );
        },
        &["template.yaml:2: `start-run` is in infra/stacks/a.yaml:2 too"],
    );
    assert_found(
        functions::check,
        |workspace| {
            write(
                workspace,
                "template.yaml",
                &template.replace("/start-run/", "/stop-run/"),
            );
        },
        &[
            "template.yaml:2: CodeUri of `start-run` leads to functions/stop-run",
            "functions/start-run: No template",
        ],
    );
}

#[test]
fn a_list_that_names_most_functions_names_all() {
    let with_five = |workspace: &mut Workspace| {
        for name in ["b", "c", "d", "e"] {
            add(workspace, name, &format!("functions/{name}"), None, &[]);
        }
        write(workspace, "list.py", "['start-run', 'b', 'c', 'd']");
        write(workspace, "some.py", "['start-run', 'b', 'c']");
    };
    let found = find(functions::check, with_five);
    let lists: Vec<&String> = found
        .iter()
        .filter(|finding| finding.contains(".py"))
        .collect();
    assert_eq!(lists, ["list.py: Names 4 of the 5 functions. Add: e."]);
}

#[test]
fn the_table_of_crates_is_held_to_them() {
    assert_found(
        functions::check,
        |workspace| add(workspace, "mail", "crates/mail", Some("library"), &[]),
        &["docs/ARCHITECTURE.md: The table below \"The crates\" has no row of `crates/mail`"],
    );
    assert_found(
        functions::check,
        |workspace| {
            let package = workspace.packages.remove("local").unwrap();
            workspace.files.remove(&package.manifest());
        },
        &["docs/ARCHITECTURE.md:7: There is no crate `crates/local`"],
    );
    assert_found(
        functions::check,
        |workspace| workspace.packages.get_mut("store").unwrap().layer = Some("app".into()),
        &["docs/ARCHITECTURE.md:6: `crates/store` is of layer `app`, not `adapter`"],
    );
}

#[test]
fn a_path_in_a_document_that_leads_nowhere_is_found() {
    let page = "Look in `crates/store` and `crates/attic/src/a.rs`.\n\n[a](ARCHITECTURE.md#x) [b](../gone.md) [c](https://c)\n";
    assert_found(
        paths::check,
        |workspace| write(workspace, "docs/PAGE.md", page),
        &[
            "docs/PAGE.md:1: There is no `crates/attic/src/a.rs`",
            "docs/PAGE.md:3: The link to ../gone.md leads nowhere",
        ],
    );
}
