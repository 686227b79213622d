//! What must hold of the sources themselves.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust source below a folder, by its path from the repository's root.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![repository().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(repository()).unwrap();
                found.push((
                    name.display().to_string(),
                    fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    assert!(!found.is_empty(), "{folder}");
    found
}

/// A source without its comments and its tests at the end, which may speak of anything.
fn code(source: &str) -> String {
    let (source, _) = source.split_once("#[cfg(test)]").unwrap_or((source, ""));
    source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The names of a manifest's section of dependencies.
fn dependencies(manifest: &str, section: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(repository().join(manifest)).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let section = manifest.get(section).and_then(toml::Value::as_table);
    section
        .into_iter()
        .flat_map(|section| section.keys().cloned())
        .collect()
}

#[test]
fn invariant_9_the_domain_depends_on_nothing_that_reaches_out() {
    // Values, text, hashes: none of these opens a file, a socket or a clock unasked.
    let allowed = [
        "base64",
        "croner",
        "globset",
        "hex",
        "hmac",
        "jiff",
        "serde",
        "serde_json",
        "sha2",
        "strsim",
        "thiserror",
        "toml",
    ];
    let used = dependencies("crates/domain/Cargo.toml", "dependencies");
    assert_eq!(used, allowed.map(ToOwned::to_owned).into());
    for section in ["build-dependencies", "target", "features"] {
        assert!(dependencies("crates/domain/Cargo.toml", section).is_empty());
    }
}

#[test]
fn invariant_9_the_domain_uses_no_io_clock_randomness_or_environment() {
    let modules = [
        "env", "fs", "io", "net", "os", "path", "process", "thread", "time",
    ];
    for (name, source) in sources("crates/domain/src") {
        let code = code(&source);
        for (at, _) in code.match_indices("std::") {
            for module in named_after_std(&code[at + "std::".len()..]) {
                assert!(!modules.contains(&module), "{name}: std::{module}");
            }
        }
        for call in [
            "::now()",
            "now_utc",
            "TimeZone::system",
            "Instant",
            "SystemTime",
            "RandomState",
            "env!(",
            "print!",
            "println!",
            "eprintln!",
            "include_bytes!",
            "async fn",
        ] {
            assert!(!code.contains(call), "{name}: {call}");
        }
    }
}

/// The modules that a path after `std::` names: one, or those in its braces.
fn named_after_std(rest: &str) -> Vec<&str> {
    let word = |text: &'_ str| -> usize {
        text.find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(text.len())
    };
    if !rest.starts_with('{') {
        return vec![&rest[..word(rest)]];
    }
    let (mut depth, mut starts, mut found) = (0_u32, false, Vec::new());
    for (at, c) in rest.char_indices() {
        match c {
            '{' => {
                depth += 1;
                starts = depth == 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            ',' => starts = depth == 1,
            c if c.is_whitespace() => {}
            _ if starts => {
                found.push(&rest[at..at + word(&rest[at..])]);
                starts = false;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn the_modules_of_std_are_found_in_every_form() {
    assert_eq!(named_after_std("fs::read(x)"), ["fs"]);
    assert_eq!(
        named_after_std("{fmt, io::{self, Read}, str::FromStr};"),
        ["fmt", "io", "str"]
    );
    assert_eq!(named_after_std("{\n    net::TcpStream,\n}"), ["net"]);
}

#[test]
fn invariant_10_no_code_that_is_deployed_asks_where_it_runs() {
    let deployed = [
        "functions",
        "crates/aws-client/src",
        "crates/domain/src",
        "crates/executions/src",
        "crates/inputs/src",
        "crates/job-runner/src",
        "crates/lambda-kit/src",
        "crates/link-keys/src",
        "crates/store/src",
    ];
    for folder in deployed {
        for (name, source) in sources(folder) {
            if name.contains("/tests") || name.contains("/examples/") {
                continue;
            }
            let code = code(&source).to_lowercase();
            for place in [
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
            ] {
                assert!(!code.contains(place), "{name}: {place}");
            }
        }
    }
}

#[test]
fn invariant_10_what_is_deployed_depends_on_nothing_of_the_local_stack() {
    let mut manifests: Vec<String> = fs::read_dir(repository().join("functions"))
        .unwrap()
        .map(|entry| format!("functions/{}", entry.unwrap().file_name().to_string_lossy()))
        .filter(|folder| repository().join(folder).join("Cargo.toml").exists())
        .collect();
    assert_eq!(manifests.len(), 11);
    manifests.push("crates/job-runner".to_owned());
    for folder in manifests {
        let used = dependencies(&format!("{folder}/Cargo.toml"), "dependencies");
        for stranger in ["dropcast-local-stack", "dropcast-cli", "dropcast-tests"] {
            assert!(!used.contains(stranger), "{folder}: {stranger}");
        }
    }
}

#[test]
fn a_function_imports_no_other_function_and_no_sdk_crate_that_it_does_not_call() {
    let functions: Vec<String> = fs::read_dir(repository().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    for function in &functions {
        let manifest = format!("functions/{function}/Cargo.toml");
        if !repository().join(&manifest).exists() {
            continue;
        }
        let source: String = sources(&format!("functions/{function}/src"))
            .iter()
            .map(|(_, source)| code(source))
            .collect();
        for dependency in dependencies(&manifest, "dependencies") {
            assert!(!functions.contains(&dependency), "{function}: {dependency}");
            if dependency.starts_with("aws-sdk-") {
                let name = dependency.replace('-', "_");
                assert!(
                    source.contains(&format!("{name}::")),
                    "{function}: {dependency}"
                );
            }
        }
    }
}
