//! What `dropcast-job` publishes, and what it keeps back, on a real S3 interface.

use std::{fs, process::Command};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::emulator::{Run, peak_memory, stderr, wait_until};

fn hex(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

#[test]
fn a_model_reads_its_input_and_its_outputs_are_published_with_checksums_and_media_types() {
    let mut run = Run::new();
    run.input("Q3 plan + 10% é.json", br#"{"growth":1.5}"#);
    let output = run.shell(
        r#"cat "$DROPCAST_INPUT_FILE" > "$DROPCAST_OUTPUT_DIR/copy.json"
           basename "$DROPCAST_INPUT_FILE" > "$DROPCAST_OUTPUT_DIR/name.txt"
           test "$(basename "$DROPCAST_ORIGINAL_FILE")" = "Q3 plan + 10% é.json"
           test "$(cat "$DROPCAST_ORIGINAL_FILE")" = 'as it was: {"growth":1.5}' || exit 9
           mkdir "$DROPCAST_OUTPUT_DIR/charts"
           : > "$DROPCAST_OUTPUT_DIR/charts/empty.png"
           echo "$DROPCAST_RUN_ID $DROPCAST_MODEL $DROPCAST_VERSION"
           echo to-stderr >&2"#,
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).ends_with(" 1\n"));
    assert!(stderr(&output).starts_with("to-stderr\n"));

    let copy = run.output("copy.json").unwrap();
    assert_eq!(copy.bytes, br#"{"growth":1.5}"#);
    assert_eq!(copy.media_type, "application/json");
    assert_eq!(
        copy.sha256,
        BASE64_STANDARD.encode(Sha256::digest(&copy.bytes))
    );
    let name = "Q3 plan + 10% é.json\n";
    assert_eq!(run.output("name.txt").unwrap().bytes, name.as_bytes());
    let lines = [
        json!({"path": "charts/empty.png", "bytes": 0, "sha256": hex(b""), "mediaType": "image/png"}),
        json!({"path": "copy.json", "bytes": 14, "sha256": hex(&copy.bytes), "mediaType": "application/json"}),
        json!({"path": "name.txt", "bytes": name.len(), "sha256": hex(name.as_bytes()), "mediaType": "text/plain"}),
    ];
    assert_eq!(run.listing().unwrap(), lines);
    assert_eq!(
        fs::read_dir(run.place.path()).unwrap().count(),
        0,
        "the work folder stayed"
    );
}

#[test]
fn names_with_plus_percent_space_and_accents_arrive_as_they_are() {
    let run = Run::new();
    let output = run.shell(
        r#"cd "$DROPCAST_OUTPUT_DIR"; mkdir "a b"; echo 1 > "a b/50% + é.csv"; echo 2 > "?#&=.csv""#,
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(run.output("a b/50% + é.csv").unwrap().bytes, b"1\n");
    assert_eq!(run.output("?#&=.csv").unwrap().bytes, b"2\n");
    assert_eq!(run.listing().unwrap()[1]["path"], "a b/50% + é.csv");
}

#[test]
fn a_model_that_fails_publishes_nothing_keeps_its_exit_code_and_has_the_last_word() {
    let run = Run::new();
    let output = run.shell(
        r#"echo x > "$DROPCAST_OUTPUT_DIR/a"; echo y > "$DROPCAST_CACHE_DIR/c"
           echo "ValueError: no history" >&2; exit 37"#,
    );
    assert_eq!(output.status.code(), Some(37));
    assert_eq!(stderr(&output), "ValueError: no history\n");
    assert!(run.stored().is_empty());
    assert!(run.get(&run.cached("c")).is_none());
}

#[test]
fn a_link_that_leads_out_fails_the_job_and_keeps_back_the_other_files_too() {
    let run = Run::new();
    let output =
        run.shell(r#"cd "$DROPCAST_OUTPUT_DIR"; echo x > a; ln -s "$DROPCAST_INPUT_FILE" stolen"#);
    assert_eq!(output.status.code(), Some(72));
    let said = stderr(&output);
    assert!(
        said.contains(r#"the link "stolen", which leads out of it"#),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
    assert!(run.stored().is_empty());
}

#[test]
fn a_link_inside_is_published_as_its_content() {
    let run = Run::new();
    let output = run.shell(r#"cd "$DROPCAST_OUTPUT_DIR"; echo x > a.csv; ln -s a.csv latest.csv"#);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(run.output("latest.csv").unwrap().bytes, b"x\n");
    assert_eq!(run.stored(), ["1.files.jsonl", "1/a.csv", "1/latest.csv"]);
}

#[test]
fn pipes_and_names_that_are_not_utf8_are_refused() {
    for (script, reason) in [
        (
            r#"mkfifo "$DROPCAST_OUTPUT_DIR/pipe""#,
            "neither a file nor a folder",
        ),
        (
            r#": > "$DROPCAST_OUTPUT_DIR/$(printf 'caf\351')""#,
            "not UTF-8",
        ),
    ] {
        let run = Run::new();
        let output = run.shell(script);
        assert_eq!(output.status.code(), Some(72), "{}", stderr(&output));
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
        assert!(run.stored().is_empty());
    }
}

#[test]
fn a_model_without_outputs_is_published_as_such_with_a_warning() {
    for script in ["true", r#"rmdir "$DROPCAST_OUTPUT_DIR""#] {
        let run = Run::new();
        let output = run.shell(script);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).contains("warning: the model wrote no outputs"));
        assert_eq!(run.listing().unwrap().len(), 0);
    }
}

#[test]
fn an_output_folder_replaced_by_a_link_is_refused() {
    let run = Run::new();
    let output = run.shell(r#"rmdir "$DROPCAST_OUTPUT_DIR"; ln -s /etc "$DROPCAST_OUTPUT_DIR""#);
    assert_eq!(output.status.code(), Some(72));
    assert!(run.stored().is_empty());
}

#[test]
fn two_thousand_small_files_are_published_in_the_order_in_which_s3_lists_them() {
    let run = Run::new();
    let output = run.shell(
        r#"cd "$DROPCAST_OUTPUT_DIR"; mkdir a a-b
           for n in $(seq 1000); do echo $n > a/$n.csv; echo $n > a-b/$n.csv; done"#,
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let listing = run.listing().unwrap();
    let mut stored = run.stored();
    assert_eq!(stored.remove(0), "1.files.jsonl");
    let listed: Vec<String> = listing
        .iter()
        .map(|line| format!("1/{}", line["path"].as_str().unwrap()))
        .collect();
    assert_eq!(listed.len(), 2000);
    assert_eq!(listed, stored);
    assert_eq!(listing[0]["path"], "a-b/1.csv");
}

#[test]
fn a_file_of_100_mb_goes_in_parts_in_bounded_memory() {
    let run = Run::new();
    let script = r#"head -c 104857601 /dev/urandom > "$DROPCAST_OUTPUT_DIR/big.bin"
                    sha256sum < "$DROPCAST_OUTPUT_DIR/big.bin""#;
    let mut job = run
        .job(&["--concurrency", "4"], &["sh", "-c", script])
        .spawn()
        .unwrap();
    let mut peak = 0;
    wait_until("the upload's end", || {
        peak = peak_memory(&job).unwrap_or(peak);
        job.try_wait().unwrap().is_some()
    });
    assert!(
        peak < 80 << 20,
        "{peak} bytes of memory for four parts of 8 MiB"
    );
    let output = job.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let line = &run.listing().unwrap()[0];
    assert_eq!(line["bytes"], 104_857_601);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(line["sha256"], said.split_whitespace().next().unwrap());
    let stored = run.output("big.bin").unwrap();
    assert!(line["sha256"] == hex(&stored.bytes));
    // The checksum of the checksums of 13 parts of 8 MiB.
    let digests: Vec<u8> = stored
        .bytes
        .chunks(8 << 20)
        .flat_map(Sha256::digest)
        .collect();
    let composite = format!("{}-13", BASE64_STANDARD.encode(Sha256::digest(&digests)));
    assert_eq!(stored.sha256, composite);
    assert_eq!(run.open_uploads(), 0);
}

#[test]
fn objects_of_the_attempt_are_never_replaced() {
    let run = Run::new();
    run.put_output("a", b"of somebody else");
    let output = run.shell(r#"echo mine > "$DROPCAST_OUTPUT_DIR/a""#);
    assert_eq!(output.status.code(), Some(73), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("another file already exists there"),
        "{}",
        stderr(&output)
    );
    assert_eq!(run.output("a").unwrap().bytes, b"of somebody else");
    assert!(run.listing().is_none());
}

#[test]
fn a_write_that_came_through_though_its_answer_was_lost_is_done() {
    let run = Run::new();
    // In parts, at once, and empty; and the listing.
    let script = r#"head -c 9000000 /dev/zero > "$DROPCAST_OUTPUT_DIR/big.bin"
                    echo small > "$DROPCAST_OUTPUT_DIR/small.txt"
                    : > "$DROPCAST_OUTPUT_DIR/empty""#;
    assert_eq!(run.shell(script).status.code(), Some(0));
    let listing = run.listing().unwrap();
    // To S3 the same attempt once more is what a repeated request is.
    let again = run.shell(script);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(run.listing().unwrap(), listing);
    assert_eq!(run.open_uploads(), 0);
}

#[test]
fn a_file_of_the_same_size_is_not_taken_for_the_one_that_was_sent() {
    let run = Run::new();
    assert_eq!(
        run.shell(r#"echo one > "$DROPCAST_OUTPUT_DIR/a""#)
            .status
            .code(),
        Some(0)
    );
    let other = run.shell(r#"echo two > "$DROPCAST_OUTPUT_DIR/a""#);
    assert_eq!(other.status.code(), Some(73), "{}", stderr(&other));
    assert_eq!(run.output("a").unwrap().bytes, b"one\n");
}

#[test]
fn what_the_model_leaves_running_is_ended_before_the_outputs_are_read() {
    let run = Run::new();
    let output = run.shell(
        r#"(while :; do date +%N > "$DROPCAST_OUTPUT_DIR/a"; done) >/dev/null 2>&1 &
           setsid sh -c 'while :; do date +%N > "$DROPCAST_OUTPUT_DIR/b"; done' >/dev/null 2>&1 &
           until [ -e "$DROPCAST_OUTPUT_DIR/a" ] && [ -e "$DROPCAST_OUTPUT_DIR/b" ]; do :; done"#,
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("left processes running"),
        "{}",
        stderr(&output)
    );
    assert_eq!(run.stored(), ["1.files.jsonl", "1/a", "1/b"]);
}

#[test]
fn a_bucket_that_is_gone_fails_the_job_with_a_code_of_its_own() {
    let mut run = Run::new();
    run.set("DROPCAST_OUTPUT_URI", "s3://no-such-bucket/runs/x/outputs/");
    let output = run.shell(r#"echo x > "$DROPCAST_OUTPUT_DIR/a""#);
    assert_eq!(output.status.code(), Some(73));
    let said = stderr(&output);
    assert!(said.contains("NoSuchBucket"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn an_input_that_is_gone_fails_the_job_before_the_model_starts() {
    let run = Run::new();
    let mut job = run.job(&[], &["sh", "-c", "echo started"]);
    job.env("DROPCAST_INPUT_URI", "s3://results/no/such.json");
    let output = job.output().unwrap();
    assert_eq!(output.status.code(), Some(71));
    assert!(output.stdout.is_empty());
    assert!(
        stderr(&output).contains("s3://results/no/such.json"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn nothing_that_it_says_holds_a_credential() {
    let mut run = Run::new();
    run.set("AWS_SECRET_ACCESS_KEY", "s3cr3t-key");
    run.set("DROPCAST_OUTPUT_URI", "s3://no-such-bucket/o/");
    for output in [run.shell("exit 0"), run.shell("no-such-command")] {
        assert_ne!(output.status.code(), Some(0));
        assert!(!stderr(&output).contains("s3cr3t"), "{}", stderr(&output));
    }
}

#[test]
fn wrong_usage_has_its_own_exit_code_and_help_is_no_failure() {
    let run = |arguments: &[&str]| {
        let mut job = Command::new(env!("CARGO_BIN_EXE_dropcast-job"));
        job.env_clear().args(arguments).output().unwrap()
    };
    assert_eq!(run(&["--no-such-option"]).status.code(), Some(64));
    assert_eq!(run(&[]).status.code(), Some(64));
    let unset = run(&["--", "true"]);
    assert_eq!(unset.status.code(), Some(64));
    assert!(
        stderr(&unset).contains("DROPCAST_INPUT_URI, DROPCAST_ORIGINAL_URI, DROPCAST_OUTPUT_URI")
    );
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit codes:"));
}

#[test]
fn a_ca_bundle_that_cannot_be_read_is_wrong_usage() {
    let mut run = Run::new();
    run.set("AWS_CA_BUNDLE", "/nowhere/bundle.pem");
    let output = run.shell("exit 0");
    assert_eq!(output.status.code(), Some(64));
    assert!(
        stderr(&output).contains("AWS_CA_BUNDLE is set to /nowhere/bundle.pem"),
        "{}",
        stderr(&output)
    );
}
