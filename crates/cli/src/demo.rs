//! `dropcast demo`: one file's whole way, live, in about a minute.

mod links;
mod story;

use dropcast_api_types::{Demo, RunDetail};
use dropcast_domain::status::Status;
use dropcast_local_stack::{Connection, LocalStack, stop_requested};

use crate::{
    args::Common,
    exit::{Exit, Stop},
    local,
    progress::Steps,
    repository,
    screen::{Paint, Screen},
    stack::{self, Stack},
};

/// Tells the whole story.
pub async fn run(common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let teller = Teller { screen };
    let repository = repository::options(&common.state_dir)?.repository;
    teller.say(&format!(
        "{}\n",
        screen
            .paint
            .bold("Dropcast demo: a file goes in, a mail with a forecast comes out. All of it on this machine.")
    ));
    let host = tokio::select! {
        biased;
        asked = stop_requested() => return interrupted(asked),
        host = Host::find(common, teller) => host?,
    };
    let told = async {
        let stack = Stack::of_connection(host.connection().clone())?;
        Box::pin(story::tell(&stack, &repository, host.is_ours(), teller)).await
    };
    let told = tokio::select! {
        biased;
        asked = stop_requested() => Err(interrupted(asked).err().unwrap_or_else(|| Stop::new(Exit::Interrupted, "").into())),
        told = told => told,
    };
    let ours = host.is_ours();
    host.stop(teller).await;
    let demo = told?;
    if screen.json {
        screen.show(&demo, |_| String::new())?;
    } else {
        teller.say(&next(&demo, ours, screen.paint));
    }
    Ok(Exit::Done)
}

fn interrupted(asked: Result<(), dropcast_local_stack::Error>) -> anyhow::Result<Exit> {
    asked?;
    Err(Stop::new(Exit::Interrupted, "The demo was stopped before its end.").into())
}

/// Tells the story on stdout, unless that is for the document.
#[derive(Debug, Clone, Copy)]
pub struct Teller {
    screen: Screen,
}

impl Teller {
    fn paint(self) -> Paint {
        self.screen.paint
    }

    /// Says some lines.
    fn say(self, text: &str) {
        if !self.screen.json {
            // A reader that went away is told nothing more.
            let _ = self.screen.write(&format!("{text}\n"));
        }
    }

    /// Begins a chapter.
    fn chapter(self, number: u32, title: &str) {
        let paint = self.paint();
        self.say(&format!(
            "{} {}",
            paint.dim(&format!("{number}.")),
            paint.bold(title)
        ));
    }
}

/// The stack that the demo runs on.
enum Host {
    Ours(Box<LocalStack>),
    Standing(Box<Connection>),
}

impl Host {
    async fn find(common: &Common, teller: Teller) -> anyhow::Result<Self> {
        teller.chapter(1, "The stack");
        if let Ok(standing) = Connection::attach(&common.state_dir) {
            teller.say(&format!(
                "   The local stack in {} is up and is used.\n",
                common.state_dir.display()
            ));
            return Ok(Self::Standing(Box::new(standing)));
        }
        let stack = local::start(&common.state_dir, Steps::on(teller.screen).indented()).await?;
        teller.say(&format!(
            "   An AWS emulator at {}, with template.yaml and eleven functions in it; a job queue at {}.\n",
            stack.connection().endpoint,
            stack.connection().batch_endpoint
        ));
        Ok(Self::Ours(Box::new(stack)))
    }

    fn connection(&self) -> &Connection {
        match self {
            Self::Ours(stack) => stack.connection(),
            Self::Standing(connection) => connection,
        }
    }

    fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(_))
    }

    async fn stop(self, teller: Teller) {
        if let Self::Ours(stack) = self {
            stack.stop().await;
            teller.say("   The stack is stopped; nothing is left running.\n");
        }
    }
}

fn next(demo: &Demo, ours: bool, paint: Paint) -> String {
    let dropcast = stack::program();
    let up = if ours {
        format!("  {dropcast} local up\n      keeps a stack up; then, in another terminal:\n")
    } else {
        String::new()
    };
    let (done, next) = (
        paint.good("All of it happened."),
        paint.bold("What to try next"),
    );
    let folder = demo.folder.display();
    format!(
        "{done} What was downloaded is in {folder}.\n\n{next}
{up}  {dropcast} submit models/revenue-forecast/examples/next-year-cautious.json -m revenue-forecast --wait
      drops a file and shows its run
  {dropcast} mail --last
      reads the mail about it
  docs/MODELS.md
      says how to bring a model of your own
"
    )
}

/// The end of a demo in which something did not happen.
fn did_not_happen(what: &str, run: Option<&RunDetail>) -> anyhow::Error {
    let why = run
        .and_then(|run| run.summary.failure.as_ref())
        .map_or_else(String::new, |failure| format!(" {}", failure.message));
    let log = run.map_or_else(String::new, |run| {
        let lines = run.log.iter().map(|line| crate::words::printable(line));
        format!("\n{}", crate::words::lines(lines))
    });
    Stop::new(Exit::Failed, format!("{what}{why}{log}"))
        .advice("The logs of the stack are in the state folder's logs/.")
        .into()
}

/// Checks how a run ended.
fn ended(run: &RunDetail, wanted: Status) -> anyhow::Result<()> {
    if run.summary.status == wanted {
        return Ok(());
    }
    let what = format!(
        "The run {} should have {wanted}, but it {}.",
        run.summary.id, run.summary.status
    );
    Err(did_not_happen(&what, Some(run)))
}
