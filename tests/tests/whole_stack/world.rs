//! The one stack that all scenarios share.

use std::{
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use dropcast_tests::{Stack, options};
use libtest_mimic::{Failed, Trial};
use tokio::runtime::Runtime;

/// How long a scenario may take at most, so that a hang is a failure.
const SCENARIO_LIMIT: Duration = Duration::from_secs(150);

struct World {
    runtime: Runtime,
    stack: Stack,
    folder: PathBuf,
}

static WORLD: OnceLock<Result<World, String>> = OnceLock::new();
/// Whether a failed start was reported: the other scenarios then fail without repeating it.
static REPORTED: AtomicBool = AtomicBool::new(false);

fn start() -> Result<World> {
    let folder = tempfile::Builder::new()
        .prefix("whole-stack-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))?
        .keep();
    eprintln!("The stack keeps its logs in {}.", folder.display());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?;
    let stack = runtime.block_on(Box::pin(Stack::start(options(&folder)?)))?;
    Ok(World {
        runtime,
        stack,
        folder,
    })
}

fn world() -> Result<&'static World, Failed> {
    match WORLD.get_or_init(|| start().map_err(|error| format!("{error:#}"))) {
        Ok(world) => Ok(world),
        Err(_) if REPORTED.swap(true, Ordering::SeqCst) => Err("the stack did not start".into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether all scenarios run: only then can a check require that something happened at all.
static COMPLETE: AtomicBool = AtomicBool::new(false);

/// Records that no scenario is filtered out.
pub(crate) fn run_all() {
    COMPLETE.store(true, Ordering::SeqCst);
}

/// Whether no scenario is filtered out.
pub(crate) fn runs_all() -> bool {
    COMPLETE.load(Ordering::SeqCst)
}

/// Whether the stack was started.
pub(crate) fn is_up() -> bool {
    matches!(WORLD.get(), Some(Ok(_)))
}

/// Removes the stack's folder if all passed; otherwise it stays, with the logs.
pub(crate) fn clean_up(passed: bool) {
    let Some(Ok(world)) = WORLD.get() else {
        return;
    };
    if passed {
        // What cannot be removed is in the folder for build products.
        let _ = std::fs::remove_dir_all(&world.folder);
    } else {
        eprintln!("The stack's logs are in {}.", world.folder.display());
    }
}

/// A scenario as a test, whose name says what must hold.
pub(crate) fn scenario<F, R>(group: &str, name: &str, run: F) -> Trial
where
    F: FnOnce(&'static Stack) -> R + Send + 'static,
    R: Future<Output = Result<()>>,
{
    let name = format!("{group}::{name}");
    Trial::test(name, move || {
        let world = world()?;
        let running = async {
            tokio::time::timeout(SCENARIO_LIMIT, Box::pin(run(&world.stack)))
                .await
                .context("the scenario did not end in time")?
        };
        let result = world.runtime.block_on(running);
        result.map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// The scenarios of a module, by their functions' names.
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        pub(crate) fn scenarios() -> Vec<libtest_mimic::Trial> {
            let group = module_path!().rsplit("::").next().unwrap_or_default();
            vec![$($crate::world::scenario(group, stringify!($name), $name)),+]
        }
    };
}
pub(crate) use scenarios;
