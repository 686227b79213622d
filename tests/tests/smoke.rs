//! The local stack starts, is found by others, and leaves nothing behind however it ends.

#![expect(
    clippy::unwrap_used,
    reason = "What fails here fails the test, with its place."
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use dropcast_local_stack::{
    Connection, Error, LocalStack, NoProgress, Options, Progress, Registry, processes_of, register,
    stop_requested,
};
use dropcast_tests::programs;
use jiff::Timestamp;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Names the state folder to the process that [`a_stack_of_its_own`] runs in.
const STATE: &str = "DROPCAST_SMOKE_STATE";

fn options(state: &Path) -> Options {
    let mut options = Options::new(programs::repository());
    options.binaries = programs::folder().unwrap();
    state.clone_into(&mut options.state);
    options
}

/// Waits for a condition, at most half a minute.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "waited in vain: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_starts_is_found_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path();
    assert!(matches!(
        LocalStack::attach(state),
        Err(Error::NotUp { .. })
    ));

    let steps = Mutex::new(Vec::new());
    let reporter = |progress: Progress| steps.lock().unwrap().push(progress);
    let stack = LocalStack::start(options(state), &reporter).await.unwrap();
    for progress in steps.into_inner().unwrap() {
        if let Some(took) = progress.took {
            println!("{}: {:.1} s", progress.step, took.as_secs_f64());
        }
    }
    let found = LocalStack::attach(state).unwrap();
    assert_eq!(&found, stack.connection());
    for output in ["InputsBucketName", "RunsTableName", "StateMachineArn"] {
        assert!(!found.output(output).unwrap().is_empty());
    }
    assert!(
        found
            .output("LinkBaseUrl")
            .unwrap()
            .starts_with(&found.endpoint)
    );
    assert!(processes_of(&found.mark).contains(&found.emulator_pid));
    assert_eq!(found.mailbox().await.unwrap(), []);

    let refused = LocalStack::start(options(state), &NoProgress)
        .await
        .unwrap_err();
    let sentence = refused.to_string();
    assert!(
        sentence.contains(&std::process::id().to_string())
            && sentence.contains("dropcast local down"),
        "{sentence}"
    );
    registering(&found, folder.path()).await;

    let started = Instant::now();
    stack.stop().await;
    println!("stopping: {:.1} s", started.elapsed().as_secs_f64());
    assert!(processes_of(&found.mark).is_empty());
    assert!(matches!(
        LocalStack::attach(state),
        Err(Error::NotUp { .. })
    ));
}

/// An unchanged folder keeps its version; a changed one gets the next.
async fn registering(stack: &Connection, folder: &Path) {
    let model = folder.join("model");
    fs::create_dir(&model).unwrap();
    let manifest = "name = \"echo\"\ntitle = \"Echo\"\n[input]\naccepts = [\"json\"]\nschema = \"input.json\"\n\
        [job]\ncommand = [\"sh\", \"main.sh\"]\nvcpus = 1\nmemory_mib = 128\ntimeout_minutes = 1\nattempts = 1\n";
    fs::write(model.join("model.toml"), manifest).unwrap();
    fs::write(model.join("input.json"), "{\"type\": \"object\"}").unwrap();
    fs::write(model.join("main.sh"), "echo one").unwrap();
    let registry = Registry::of(stack).unwrap();
    let at = Timestamp::UNIX_EPOCH;
    let first = register(&model, &registry, at, &NoProgress).await.unwrap();
    assert!(first.new);
    let again = register(&model, &registry, at, &NoProgress).await.unwrap();
    assert_eq!((again.new, &again.version), (false, &first.version));
    fs::write(model.join("main.sh"), "echo two").unwrap();
    let other = register(&model, &registry, at, &NoProgress).await.unwrap();
    assert!(other.new);
    assert_eq!(other.version.version, first.version.version.next());
    assert_ne!(other.version.spec.image, first.version.spec.image);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_takes_the_stack_along() {
    let folder = tempfile::tempdir().unwrap();
    let stack = LocalStack::start(options(folder.path()), &NoProgress)
        .await
        .unwrap();
    let mark = stack.connection().mark.clone();
    assert!(!processes_of(&mark).is_empty());
    let holder = tokio::spawn(async move {
        let _held = stack;
        panic!("on purpose");
    });
    assert!(holder.await.unwrap_err().is_panic());
    assert!(processes_of(&mark).is_empty());
    assert!(matches!(
        LocalStack::attach(folder.path()),
        Err(Error::NotUp { .. })
    ));
}

/// What the two tests below run in a process of its own; by itself it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stack_of_its_own() {
    let Some(state) = std::env::var_os(STATE).map(PathBuf::from) else {
        return;
    };
    let stack = LocalStack::start(options(&state), &NoProgress)
        .await
        .unwrap();
    stop_requested().await.unwrap();
    stack.stop().await;
}

async fn ended_by(signal: Signal) {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_stack_of_its_own"])
        .env(STATE, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("the stack is up", || {
        LocalStack::attach(folder.path()).is_ok()
    })
    .await;
    let stack = LocalStack::attach(folder.path()).unwrap();
    assert_eq!(stack.pid, process.id());
    if signal == Signal::SIGTERM {
        stack.stop().await.unwrap();
    } else {
        kill(Pid::from_raw(stack.pid.cast_signed()), signal).unwrap();
    }
    process.wait().unwrap();
    until("nothing of it is left", || {
        processes_of(&stack.mark).is_empty()
    })
    .await;
    assert!(matches!(
        LocalStack::attach(folder.path()),
        Err(Error::NotUp { .. })
    ));
}

#[tokio::test]
async fn a_stack_stops_on_request() {
    ended_by(Signal::SIGTERM).await;
}

#[tokio::test]
async fn a_stack_that_is_killed_takes_everything_along() {
    ended_by(Signal::SIGKILL).await;
}
