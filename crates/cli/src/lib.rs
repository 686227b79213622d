//! The `dropcast` command.
//!
//! `main` parses the command line, finds the stack and calls one module per command. Each command
//! builds a document (printed with `--json`; the types are in `dropcast-api-types`) and renders it
//! as text; errors carry their exit code ([`exit`]).

pub mod args;
mod caller;
pub mod cancel;
mod clock;
pub mod demo;
#[cfg(feature = "doctor")]
pub mod doctor;
pub mod exit;
pub mod local;
pub mod logs;
pub mod mail;
pub mod messages;
pub mod model;
mod model_folder;
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

use std::process::ExitCode;

use args::{Cli, Command};
use clap::{CommandFactory as _, Parser as _};
use exit::Exit;
use screen::Screen;
use stack::Stack;

/// Runs the command in this process's arguments.
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
        Err(error) => screen.report(&exit::to_cli_error(&error.into())),
    };
    exit.into()
}

/// Runs one command and reports its error.
pub async fn run(cli: &Cli, screen: Screen) -> Exit {
    match Box::pin(dispatch(cli, screen)).await {
        Ok(exit) => exit,
        Err(error) => screen.report(&exit::to_cli_error(&error)),
    }
}

async fn dispatch(cli: &Cli, screen: Screen) -> anyhow::Result<Exit> {
    let common = &cli.common;
    match &cli.command {
        Command::Local(command) => Box::pin(local::run(command, common, screen)).await,
        Command::Demo => Box::pin(demo::run(common, screen)).await,
        Command::Mail(args) => mail::run(args, common, screen).await,
        Command::Completions { shell } => print_completions(*shell, screen),
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
        Command::Logs(args) => {
            let stack = Stack::find(common).await?;
            Box::pin(logs::run(args, &stack, screen)).await
        }
        Command::Cancel(args) => {
            let stack = Stack::find(common).await?;
            Box::pin(cancel::run(args, &stack, screen)).await
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

fn print_completions(shell: clap_complete::Shell, screen: Screen) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dropcast", &mut script);
    screen.write(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
