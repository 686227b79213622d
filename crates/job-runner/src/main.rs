//! `dropcast-job`: runs a model inside its container, files in, files out.

use std::process::ExitCode;

fn main() -> ExitCode {
    dropcast_job_runner::main(std::env::args_os(), &|key| std::env::var_os(key))
}
