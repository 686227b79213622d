//! The one stack that all stories share.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use dropcast_tests::{Stack, options};
use libtest_mimic::{Failed, Trial};
use tokio::runtime::Runtime;

/// The longest that a story may take: nothing may hang.
const STORY_LIMIT: Duration = Duration::from_secs(150);

struct World {
    runtime: Runtime,
    stack: Stack,
    folder: PathBuf,
}

static WORLD: OnceLock<Result<World, String>> = OnceLock::new();
/// Whether a start that failed was told: the other stories then fail without repeating it.
static TOLD: AtomicBool = AtomicBool::new(false);

fn begin() -> Result<World> {
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
    match WORLD.get_or_init(|| begin().map_err(|error| format!("{error:#}"))) {
        Ok(world) => Ok(world),
        Err(_) if TOLD.swap(true, Ordering::SeqCst) => Err("the stack did not start".into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether all stories are told: what is left of them then proves something by being there.
static EVERYTHING: AtomicBool = AtomicBool::new(false);

/// Notes that no story is left out.
pub(crate) fn tell_everything() {
    EVERYTHING.store(true, Ordering::SeqCst);
}

/// Whether no story is left out.
pub(crate) fn tells_everything() -> bool {
    EVERYTHING.load(Ordering::SeqCst)
}

/// Whether the stack was started.
pub(crate) fn is_up() -> bool {
    matches!(WORLD.get(), Some(Ok(_)))
}

/// Leaves the stack behind: its folder too, unless all went well.
pub(crate) fn leave(all_well: bool) {
    let Some(Ok(world)) = WORLD.get() else {
        return;
    };
    if all_well {
        // What cannot be removed is in the folder for build products.
        let _ = std::fs::remove_dir_all(&world.folder);
    } else {
        eprintln!("The stack's logs are in {}.", world.folder.display());
    }
}

/// A story as a test: what must hold is its name.
pub(crate) fn story<F, R>(group: &str, name: &str, tell: F) -> Trial
where
    F: FnOnce(&'static Stack) -> R + Send + 'static,
    R: Future<Output = Result<()>>,
{
    let name = format!("{group}::{name}");
    Trial::test(name, move || {
        let world = world()?;
        let telling = async {
            tokio::time::timeout(STORY_LIMIT, Box::pin(tell(&world.stack)))
                .await
                .context("the story did not end in time")?
        };
        let told = world.runtime.block_on(telling);
        told.map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// The stories of a module, by their functions' names.
macro_rules! stories {
    ($($name:ident),+ $(,)?) => {
        pub(crate) fn stories() -> Vec<libtest_mimic::Trial> {
            let group = module_path!().rsplit("::").next().unwrap_or_default();
            vec![$($crate::world::story(group, stringify!($name), $name)),+]
        }
    };
}
pub(crate) use stories;
