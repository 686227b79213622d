//! The `dropcast` command.
//!
//! `main` reads the command line, finds the stack and hands both to one module
//! per command. Each command makes a document (what `--json` prints, in
//! `dropcast-api-types`) and a text from it; errors carry their exit code ([`exit`]).

pub mod args;
mod caller;
mod clock;
pub mod demo;
#[cfg(feature = "doctor")]
pub mod doctor;
pub mod exit;
pub mod local;
pub mod mail;
pub mod model;
mod problems;
mod progress;
pub mod reading;
pub mod refresh;
mod registry;
mod repository;
pub mod runs;
pub mod screen;
pub mod show;
pub mod stack;
pub mod submit;
pub mod upload;
pub mod validate;
pub mod wait;
pub mod words;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::{CommandFactory as _, Parser as _};
use exit::Exit;
use screen::Screen;
use stack::Stack;

/// Runs the command that this process was called with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let screen = Screen::new(cli.common.json);
    if std::env::var_os("RUST_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_writer(std::io::stderr)
            .init();
    }
    let exit = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(run(&cli, screen)),
        Err(error) => screen.report(&exit::told(&error.into())),
    };
    exit.into()
}

/// Runs one command, and tells what went wrong.
pub async fn run(cli: &Cli, screen: Screen) -> Exit {
    match Box::pin(perform(cli, screen)).await {
        Ok(exit) => exit,
        Err(error) => screen.report(&exit::told(&error)),
    }
}

async fn perform(cli: &Cli, screen: Screen) -> anyhow::Result<Exit> {
    let common = &cli.common;
    match &cli.command {
        Command::Local(command) => Box::pin(local::run(command, common, screen)).await,
        Command::Demo => Box::pin(demo::run(common, screen)).await,
        Command::Mail(args) => mail::run(args, common, screen).await,
        Command::Completions { shell } => completions(*shell, screen),
        Command::Validate(args) => Box::pin(validate::run(args, common, screen)).await,
        Command::Submit(args) => {
            let stack = Stack::find(common).await?;
            Box::pin(submit::run(args, &stack, screen)).await
        }
        Command::Runs(args) => {
            let stack = Stack::find(common).await?;
            Box::pin(runs::run(args, &stack, screen)).await
        }
        Command::Show(args) => {
            let stack = Stack::find(common).await?;
            Box::pin(show::run(args, &stack, screen)).await
        }
        Command::Wait(args) => {
            let stack = Stack::find(common).await?;
            Box::pin(wait::run(args, &stack, screen)).await
        }
        #[cfg(feature = "doctor")]
        Command::Doctor(args) => {
            let stack = Stack::find(common).await?;
            Box::pin(doctor::run(args, &stack, screen)).await
        }
        Command::Model(command) => Box::pin(model::run(command, common, screen)).await,
    }
}

fn completions(shell: clap_complete::Shell, screen: Screen) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dropcast", &mut script);
    screen.write(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
