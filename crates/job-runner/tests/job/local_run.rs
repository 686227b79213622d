//! A local run: the same rules without S3.

use std::{
    fs,
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::emulator::stderr;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (place, name) in [("input", "plan.csv"), ("original", "plan.xlsx")] {
        fs::create_dir(folder.path().join(place)).unwrap();
        fs::write(folder.path().join(place).join(name), place).unwrap();
    }
    folder
}

fn run_locally(folder: &TempDir, script: &str) -> Output {
    command(folder, script).output().unwrap()
}

fn command(folder: &TempDir, script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dropcast-job"));
    command
        .arg("--local-run")
        .arg(folder.path())
        .args(["--", "sh", "-c", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap());
    command
}

#[test]
fn the_model_finds_what_a_job_gives_it_and_its_outputs_are_listed() {
    let folder = folder();
    let script = "cd $DROPCAST_OUTPUT_DIR && mkdir a && cat $DROPCAST_INPUT_FILE > a/in.csv &&
        cat $DROPCAST_ORIGINAL_FILE > b.txt && basename $DROPCAST_ORIGINAL_FILE &&
        echo 1 > $DROPCAST_CACHE_DIR/kept";
    let done = run_locally(&folder, script);
    assert!(done.status.success(), "{}", stderr(&done));
    assert_eq!(String::from_utf8_lossy(&done.stdout), "plan.xlsx\n");
    let listing = fs::read_to_string(folder.path().join("files.jsonl")).unwrap();
    assert_eq!(
        listing,
        "{\"path\":\"a/in.csv\",\"bytes\":5,\"mediaType\":\"text/csv\"}\n\
         {\"path\":\"b.txt\",\"bytes\":8,\"mediaType\":\"text/plain\"}\n"
    );
    assert!(folder.path().join("cache/kept").is_file());
}

#[test]
fn exit_codes_are_those_of_a_job() {
    for (script, code) in [
        ("exit 9", 9),
        ("kill -TERM $$", 143),
        ("ln -s /etc/passwd $DROPCAST_OUTPUT_DIR/x", 72),
    ] {
        let folder = folder();
        let done = run_locally(&folder, script);
        assert_eq!(done.status.code(), Some(code), "{script}");
        let listing = fs::read(folder.path().join("files.jsonl")).unwrap();
        assert!(
            listing.is_empty(),
            "it began, and publishes nothing: {script}"
        );
    }
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(run_locally(&empty, "true").status.code(), Some(71));
    let warned = run_locally(&folder(), "true");
    assert!(
        stderr(&warned).contains("no outputs"),
        "{}",
        stderr(&warned)
    );
}

#[test]
fn an_image_without_certificates_is_warned_of() {
    let folder = folder();
    let none = folder.path().join("none.pem");
    fs::write(&none, "").unwrap();
    let warned = command(&folder, "true")
        .env("SSL_CERT_FILE", none)
        .output()
        .unwrap();
    assert!(
        stderr(&warned).contains("ca-certificates"),
        "{}",
        stderr(&warned)
    );
}
