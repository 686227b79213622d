//! `dropcast`: see `dropcast --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dropcast_cli::main()
}
