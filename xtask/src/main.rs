//! Chores of the repository, as `cargo xtask <chore>`. Each chore is a module with its arguments and a `run`.

mod codegen;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

/// Chores of the repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    Codegen(codegen::Args),
    Tidy(tidy::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    match Chore::parse() {
        Chore::Codegen(args) => codegen::run(&args),
        Chore::Tidy(args) => tidy::run(&args),
    }
}
