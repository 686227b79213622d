//! The model as a process: signals, exit codes, and what is kept between runs.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::emulator::{Run, stderr, wait_until};

/// A job whose model is running.
struct Started {
    job: Child,
    lines: Receiver<String>,
}

impl Started {
    /// Starts a model that says `ready` once it is, and waits for that.
    fn new(mut job: Command) -> Self {
        let mut job = job.spawn().unwrap();
        let stdout = BufReader::new(job.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        let started = Self { job, lines };
        assert_eq!(started.line(), "ready");
        started
    }

    /// The model's next line.
    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.job.id().cast_signed()), signal).unwrap();
    }

    /// Waits, but not for ever.
    fn end(mut self) -> ExitStatus {
        wait_until("the job's end", || self.job.try_wait().unwrap().is_some());
        self.job.wait().unwrap()
    }
}

impl Drop for Started {
    /// A test that failed leaves nothing behind: the job passes the signal on to its model.
    fn drop(&mut self) {
        let left = Instant::now() + Duration::from_secs(5);
        while self.job.try_wait().unwrap().is_none() {
            self.send(if Instant::now() < left {
                Signal::SIGTERM
            } else {
                Signal::SIGKILL
            });
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn shell(run: &Run, script: &str) -> Command {
    run.job(&[], &["sh", "-c", script])
}

#[test]
fn a_signal_reaches_the_model_and_its_children_and_its_exit_code_is_kept() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1] {
        let run = Run::new();
        let name = signal.as_str().trim_start_matches("SIG");
        let script = format!(
            "trap 'wait; echo parent; exit 9' {name}
             (trap 'echo child; exit 0' {name}; echo ready; while :; do sleep 0.01; done) &
             while :; do sleep 0.01; done"
        );
        let job = Started::new(shell(&run, &script));
        job.send(signal);
        assert_eq!(job.line(), "child");
        assert_eq!(job.line(), "parent");
        assert_eq!(job.end().code(), Some(9), "{signal}");
        assert!(run.stored().is_empty());
    }
}

#[test]
fn an_interrupt_from_the_keyboard_reaches_the_model() {
    let run = Run::new();
    let script = "trap 'exit 4' INT; echo ready; while :; do sleep 0.01; done";
    let job = Started::new(shell(&run, script));
    job.send(Signal::SIGINT);
    assert_eq!(job.end().code(), Some(4));
}

#[test]
fn a_model_ended_by_a_signal_is_reported_as_a_shell_does() {
    for signal in [Signal::SIGKILL, Signal::SIGSEGV, Signal::SIGTERM] {
        let run = Run::new();
        let output = run.shell(&format!("ulimit -c 0; kill -{} $$", signal as i32));
        assert_eq!(output.status.code(), Some(128 + signal as i32));
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn a_model_that_was_asked_to_stop_and_exits_0_publishes_nothing() {
    let run = Run::new();
    let script = r#"echo half > "$DROPCAST_OUTPUT_DIR/a"; trap 'exit 0' TERM; echo ready
                    while :; do sleep 0.01; done"#;
    let job = Started::new(shell(&run, script));
    job.send(Signal::SIGTERM);
    assert_eq!(job.end().code(), Some(143));
    assert!(run.stored().is_empty());
}

#[test]
fn a_signal_while_the_outputs_are_uploaded_leaves_no_listing_and_no_open_upload() {
    let run = Run::new();
    let script = r#"head -c 300000000 /dev/zero > "$DROPCAST_OUTPUT_DIR/big"; echo ready"#;
    let mut job = run.job(
        &["--concurrency", "1", "--part-mib", "5"],
        &["sh", "-c", script],
    );
    job.stderr(std::process::Stdio::null());
    let job = Started::new(job);
    wait_until("an upload in parts", || run.open_uploads() == 1);
    job.send(Signal::SIGTERM);
    assert_eq!(job.end().code(), Some(143));
    assert!(run.listing().is_none());
    assert_eq!(run.open_uploads(), 0);
}

#[test]
fn the_models_other_processes_may_say_their_last_lines() {
    let run = Run::new();
    let output = run.shell("(sleep 0.2; echo last words) & exit 3");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stdout, b"last words\n");
}

#[test]
fn a_missing_command_has_another_exit_code_than_one_that_cannot_start() {
    let run = Run::new();
    let missing = run.job(&[], &["no-such-command"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(127));
    assert!(stderr(&missing).contains("no-such-command"));
    let folder = run.job(&[], &["/"]).output().unwrap();
    assert_eq!(folder.status.code(), Some(126));
}

#[test]
fn the_model_runs_in_the_current_folder_with_its_own_environment() {
    let run = Run::new();
    let folder = tempfile::tempdir().unwrap();
    let mut job = shell(&run, "pwd; echo $HISTORY_DATABASE_URL; cat");
    job.current_dir(&folder)
        .env("HISTORY_DATABASE_URL", "sqlite:///h.db");
    let output = job.output().unwrap();
    let expected = format!(
        "{}\nsqlite:///h.db\n",
        folder.path().canonicalize().unwrap().display()
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn what_a_model_keeps_is_there_for_its_next_run() {
    let first = Run::of_model("cached", "cached-1");
    let output = first.shell(
        r#"cd "$DROPCAST_CACHE_DIR"; ls; mkdir -p a; echo 1 > a/kept; echo 1 > changed; echo 1 > "go ne+é""#,
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"", "the first run finds an empty cache");
    assert!(
        stderr(&output).contains("cache: 3 stored, 0 deleted"),
        "{}",
        stderr(&output)
    );

    let second = Run::of_model("cached", "cached-2");
    let output = second.shell(
        r#"cd "$DROPCAST_CACHE_DIR"; cat a/kept "go ne+é"; touch a/kept; echo 2 > changed; echo 2 > new; rm go*"#,
    );
    assert_eq!(output.stdout, b"1\n1\n");
    assert!(
        stderr(&output).contains("cache: 2 stored, 1 deleted"),
        "{}",
        stderr(&output)
    );
    let kept = [("a/kept", "1\n"), ("changed", "2\n"), ("new", "2\n")];
    let kept = kept.map(|(path, content)| (path.to_owned(), content.as_bytes().to_vec()));
    assert_eq!(second.kept(), kept.into());

    let third = Run::of_model("cached", "cached-3");
    let output = third.shell(r#"cd "$DROPCAST_CACHE_DIR"; cat changed new"#);
    assert_eq!(output.stdout, b"2\n2\n");
    assert!(!stderr(&output).contains("cache"), "{}", stderr(&output));
}

#[test]
fn a_cached_file_that_another_run_replaced_is_not_deleted() {
    let run = Run::of_model("replaced", "replaced-1");
    run.put(&run.cached("shared"), b"old");
    let script = r#"rm "$DROPCAST_CACHE_DIR/shared"; trap 'exit 0' USR1; echo ready
                    while :; do sleep 0.01; done"#;
    let job = Started::new(shell(&run, script));
    let other = Run::of_model("replaced", "replaced-2");
    let output = other.shell(r#"printf new > "$DROPCAST_CACHE_DIR/shared""#);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    job.send(Signal::SIGUSR1);
    assert_eq!(job.end().code(), Some(0));
    assert_eq!(run.kept()["shared"], b"new");
}

#[test]
fn a_refresh_has_no_input_and_keeps_what_it_wrote() {
    let refresh = Run::of_model("refreshed", "refreshed-1").refreshes();
    let output = refresh.shell(
        r#"test -z "$DROPCAST_INPUT_FILE$DROPCAST_ORIGINAL_FILE" || exit 9
           echo "$DROPCAST_RUN_KIND"; echo fresh > "$DROPCAST_CACHE_DIR/history""#,
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(output.stdout, b"refresh\n");
    assert!(!stderr(&output).contains("warning"), "{}", stderr(&output));
    assert_eq!(refresh.kept()["history"], b"fresh\n");
    assert_eq!(refresh.listing().unwrap().len(), 0);
    // One that fails changes nothing.
    let failing = Run::of_model("refreshed", "refreshed-2").refreshes();
    let output = failing.shell(r#"echo half > "$DROPCAST_CACHE_DIR/history"; exit 3"#);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(refresh.kept()["history"], b"fresh\n");
}

#[test]
fn a_run_that_began_before_a_refresh_does_not_undo_it() {
    let run = Run::of_model("overtaken", "overtaken-1");
    run.put(&run.cached("history"), b"old");
    let script = r"trap 'exit 0' USR1; echo ready; while :; do sleep 0.01; done
                    ";
    let script = format!("echo stale > \"$DROPCAST_CACHE_DIR/history\"; {script}");
    let job = Started::new(shell(&run, &script));
    let refresh = Run::of_model("overtaken", "overtaken-2").refreshes();
    let output = refresh.shell(r#"echo fresh > "$DROPCAST_CACHE_DIR/history""#);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    job.send(Signal::SIGUSR1);
    assert_eq!(job.end().code(), Some(0));
    assert_eq!(run.kept()["history"], b"fresh\n");
}

#[test]
fn a_run_never_sees_half_of_what_a_refresh_stores() {
    const FILES: usize = 40;
    let write = |number: usize| {
        format!(r#"cd "$DROPCAST_CACHE_DIR"; for n in $(seq {FILES}); do echo {number} > $n; done"#)
    };
    let refresh = |number: usize| {
        let refresh = Run::of_model("whole", &format!("whole-{number}")).refreshes();
        let output = refresh.shell(&write(number));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    refresh(0);
    thread::scope(|scope| {
        scope.spawn(|| (1..8).for_each(refresh));
        for reader in 0..16 {
            let run = Run::of_model("whole", &format!("whole-reader-{reader}"));
            let output =
                run.shell(r#"cd "$DROPCAST_CACHE_DIR"; ls | wc -l; cat * | sort -u | wc -l"#);
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                format!("{FILES}\n1\n"),
                "{}",
                stderr(&output)
            );
        }
    });
}

#[test]
fn what_runs_at_the_same_time_store_is_all_kept() {
    thread::scope(|scope| {
        for number in 0..6 {
            scope.spawn(move || {
                let run = Run::of_model("together", &format!("together-{number}"));
                let output = run.shell(&format!(r#"echo x > "$DROPCAST_CACHE_DIR/{number}""#));
                assert!(
                    !stderr(&output).contains("warning: cache"),
                    "{}",
                    stderr(&output)
                );
            });
        }
    });
    assert_eq!(Run::of_model("together", "together-7").kept().len(), 6);
}

#[test]
fn a_refresh_whose_cache_cannot_be_stored_has_failed() {
    let mut refresh = Run::new().refreshes();
    refresh.set("DROPCAST_CACHE_URI", "s3://no-such-bucket/cache/m/");
    let output = refresh.shell(r#"echo x > "$DROPCAST_CACHE_DIR/a""#);
    assert_eq!(output.status.code(), Some(74));
    let said = stderr(&output);
    assert!(
        said.ends_with("dropcast-job: the refreshed cache could not be stored\n"),
        "{said}"
    );
}

#[test]
fn a_cache_that_fails_is_a_warning_and_the_outputs_are_published() {
    let mut run = Run::new();
    run.set("DROPCAST_CACHE_URI", "s3://no-such-bucket/cache/m/");
    let output =
        run.shell(r#"echo x > "$DROPCAST_OUTPUT_DIR/a"; echo x > "$DROPCAST_CACHE_DIR/a""#);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output).matches("warning: cache:").count(),
        3,
        "{}",
        stderr(&output)
    );
    assert_eq!(run.listing().unwrap().len(), 1);
}

#[test]
fn keys_that_would_leave_the_cache_folder_are_left_out() {
    let run = Run::new();
    run.put(&run.cached("../../escaped"), b"x");
    run.put(&run.cached("folder/"), b"");
    run.put(&run.cached("fine"), b"x");
    let output =
        run.shell(r#"cd "$DROPCAST_CACHE_DIR"; find . -type f; ls -d ../escaped ../../escaped"#);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "./fine\n");
    assert!(
        stderr(&output).contains("was skipped"),
        "{}",
        stderr(&output)
    );
    run.remove(&run.cached("../../escaped"));
}
