//! `--help` says what it should: each page equals its file in `tests/help/`.
//!
//! `DROPCAST_WRITE_HELP=1 cargo test -p dropcast-cli --test help` writes the files anew.

use std::{fs, path::PathBuf};

use clap::{Command, CommandFactory as _};
use dropcast_cli::args::Cli;

fn pages(command: &mut Command, name: &str, found: &mut Vec<(String, String)>) {
    found.push((name.to_owned(), command.render_long_help().to_string()));
    for sub in command.get_subcommands_mut() {
        if sub.get_name() != "help" {
            let name = format!("{name}-{}", sub.get_name());
            pages(sub, &name, found);
        }
    }
}

#[test]
fn every_help_page_is_the_one_on_file() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut found = Vec::new();
    pages(&mut command, "dropcast", &mut found);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/help");
    let write = std::env::var_os("DROPCAST_WRITE_HELP").is_some();
    let mut differing = Vec::new();
    for (name, page) in &found {
        // Editors strip blanks at line ends; the page's own mean nothing.
        let page: String = page
            .lines()
            .flat_map(|line| [line.trim_end(), "\n"])
            .collect();
        let file = folder.join(format!("{name}.txt"));
        if write {
            fs::write(&file, &page).unwrap();
        }
        if fs::read_to_string(&file).unwrap_or_default() != page {
            differing.push(format!("{}:\n{page}", file.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    let files = fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, found.len(), "a page is on file that no command has");
}

#[test]
fn every_page_that_a_script_may_need_names_an_example_or_its_codes() {
    let mut command = Cli::command();
    command.build();
    let mut found = Vec::new();
    pages(&mut command, "dropcast", &mut found);
    for name in [
        "dropcast",
        "dropcast-validate",
        "dropcast-submit",
        "dropcast-runs",
        "dropcast-show",
        "dropcast-wait",
        "dropcast-mail",
        "dropcast-local-up",
        "dropcast-model-register",
    ] {
        let page = &found.iter().find(|(page, _)| page == name).unwrap().1;
        assert!(
            page.contains("xample") || page.contains("Exit codes"),
            "{name}"
        );
    }
}
