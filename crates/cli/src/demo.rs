//! `dropcast demo`: one file from upload to mail, live, in about a minute.

mod links;
mod scenario;

use dropcast_api_types::{Demo, RunDetail};
use dropcast_domain::status::Status;
use dropcast_local_stack::{Connection, LocalStack, stop_requested};

use crate::{
    args::Common,
    exit::{CliError, Exit},
    local,
    progress::StepReporter,
    repository,
    screen::{Screen, Style},
    stack::{self, Stack},
};

/// Runs the demo.
pub async fn run(common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let printer = Printer { screen };
    let repository = repository::locate_options(&common.state_dir)?.repository;
    printer.print(&format!(
        "{}\n",
        screen
            .style
            .bold("Dropcast demo: a file is uploaded and a mail with a forecast comes back. All of it runs on this machine.")
    ));
    let host = tokio::select! {
        biased;
        asked = stop_requested() => return interrupted(asked),
        host = Host::find(common, printer) => host?,
    };
    let outcome = async {
        let stack = Stack::from_connection(host.connection().clone())?;
        Box::pin(scenario::play(
            &stack,
            &repository,
            host.is_started_here(),
            printer,
        ))
        .await
    };
    let outcome = tokio::select! {
        biased;
        asked = stop_requested() => Err(interrupted(asked).err().unwrap_or_else(|| CliError::new(Exit::Interrupted, "").into())),
        outcome = outcome => outcome,
    };
    let started_here = host.is_started_here();
    host.stop(printer).await;
    let demo = outcome?;
    if screen.json {
        screen.show(&demo, |_| String::new())?;
    } else {
        printer.print(&render_next_steps(&demo, started_here, screen.style));
    }
    Ok(Exit::Done)
}

fn interrupted(asked: Result<(), dropcast_local_stack::Error>) -> anyhow::Result<Exit> {
    asked?;
    Err(CliError::new(Exit::Interrupted, "The demo was interrupted.").into())
}

/// Prints the demo's progress on stdout, unless that is reserved for the document.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    screen: Screen,
}

impl Printer {
    fn style(self) -> Style {
        self.screen.style
    }

    /// Prints some lines.
    fn print(self, text: &str) {
        if !self.screen.json {
            // If the reader has gone, there is nobody to print for.
            let _ = self.screen.write(&format!("{text}\n"));
        }
    }

    /// Prints the heading of a part.
    fn print_heading(self, number: u32, title: &str) {
        let style = self.style();
        self.print(&format!(
            "{} {}",
            style.dim(&format!("{number}.")),
            style.bold(title)
        ));
    }
}

/// The stack that the demo runs on.
enum Host {
    Started(Box<LocalStack>),
    Existing(Box<Connection>),
}

impl Host {
    async fn find(common: &Common, printer: Printer) -> anyhow::Result<Self> {
        printer.print_heading(1, "The stack");
        if let Ok(existing) = Connection::attach(&common.state_dir) {
            printer.print(&format!(
                "   Using the running local stack in {}.\n",
                common.state_dir.display()
            ));
            return Ok(Self::Existing(Box::new(existing)));
        }
        let stack = local::start(
            &common.state_dir,
            StepReporter::new(printer.screen).indented(),
        )
        .await?;
        printer.print(&format!(
            "   An AWS emulator at {}, to which template.yaml and its functions are deployed; a local AWS Batch at {}.\n",
            stack.connection().endpoint,
            stack.connection().batch_endpoint
        ));
        Ok(Self::Started(Box::new(stack)))
    }

    fn connection(&self) -> &Connection {
        match self {
            Self::Started(stack) => stack.connection(),
            Self::Existing(connection) => connection,
        }
    }

    fn is_started_here(&self) -> bool {
        matches!(self, Self::Started(_))
    }

    async fn stop(self, printer: Printer) {
        if let Self::Started(stack) = self {
            stack.stop().await;
            printer.print("   The stack has been stopped; nothing is left running.\n");
        }
    }
}

fn render_next_steps(demo: &Demo, started_here: bool, style: Style) -> String {
    let dropcast = stack::program();
    let up = if started_here {
        format!("  {dropcast} local up\n      keeps a stack running; then, in another terminal:\n")
    } else {
        String::new()
    };
    let (done, next) = (
        style.success("Every step succeeded."),
        style.bold("What to try next"),
    );
    let folder = demo.folder.display();
    format!(
        "{done} The downloaded files are in {folder}.\n\n{next}
{up}  {dropcast} submit models/revenue-forecast/examples/next-year-cautious.json -m revenue-forecast --wait
      submits a file and shows its run
  {dropcast} mail --last
      shows the mail about it
  docs/MODELS.md
      explains how to add your own model
"
    )
}

/// The error of a demo in which a step failed.
fn demo_failed(what: &str, run: Option<&RunDetail>) -> anyhow::Error {
    let why = run
        .and_then(|run| run.summary.failure.as_ref())
        .map_or_else(String::new, |failure| format!(" {}", failure.message));
    let log = run.map_or_else(String::new, |run| {
        let lines = run.log.iter().map(|line| crate::messages::sanitize(line));
        format!("\n{}", crate::messages::join_lines(lines))
    });
    CliError::new(Exit::Failed, format!("{what}{why}{log}"))
        .advice("The stack's logs are in the folder logs/ of its state folder.")
        .into()
}

/// Checks how a run ended.
fn check_status(run: &RunDetail, wanted: Status) -> anyhow::Result<()> {
    if run.summary.status == wanted {
        return Ok(());
    }
    let what = format!(
        "The run {} should have the status {wanted}, but has the status {}.",
        run.summary.id, run.summary.status
    );
    Err(demo_failed(&what, Some(run)))
}
