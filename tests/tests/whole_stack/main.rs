//! The whole stack on this machine: the real programs, the real template, a real file dropped, and
//! the mail and its links at the end.
//!
//! One stack is started for all scenarios, which run side by side on it; what must hold for all of
//! them together is checked after the last (`aftermath`). When a scenario fails, the stack's folder
//! with all logs stays, and its path is printed.
//!
//! Needs `make setup` once and `cargo build --bins` after each change. A filter works as always:
//! `cargo test -p dropcast-tests --test whole_stack -- bad_input`.

mod aftermath;
mod again;
mod attack;
mod bad_input;
mod builds;
mod cancel;
mod checks;
mod command_line;
mod doctor;
mod faults;
mod happy_path;
mod history;
mod invariants;
mod least_privilege;
mod links;
mod logs;
mod odd_uploads;
mod pushes;
mod refresh;
mod registry;
mod role_matrix;
mod secrets;
mod state_machine;
mod tables;
mod world;

use std::process::ExitCode;

use libtest_mimic::Arguments;

/// How many scenarios run at the same time. They mostly wait.
const CONCURRENT_SCENARIOS: usize = 14;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(CONCURRENT_SCENARIOS);
    if arguments.filter.is_none() && arguments.skip.is_empty() {
        world::run_all();
    }
    let scenarios = [
        // The longest first.
        tables::scenarios(),
        faults::scenarios(),
        state_machine::scenarios(),
        odd_uploads::scenarios(),
        bad_input::scenarios(),
        again::scenarios(),
        invariants::scenarios(),
        secrets::scenarios(),
        attack::scenarios(),
        role_matrix::scenarios(),
        least_privilege::scenarios(),
        happy_path::scenarios(),
        pushes::scenarios(),
        refresh::scenarios(),
        history::scenarios(),
        registry::scenarios(),
        doctor::scenarios(),
        links::scenarios(),
        command_line::scenarios(),
        cancel::scenarios(),
        logs::scenarios(),
    ];
    let scenarios = scenarios.into_iter().flatten().collect();
    let results = libtest_mimic::run(&arguments, scenarios);
    if arguments.list {
        return results.exit_code();
    }
    let mut passed = !results.has_failed();
    if world::is_up() {
        let everything = Arguments {
            // In their order: the last one stops the stack.
            test_threads: Some(1),
            color: arguments.color,
            ..Arguments::default()
        };
        let after = libtest_mimic::run(&everything, aftermath::checks());
        passed &= !after.has_failed();
        world::clean_up(passed);
    }
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(101)
    }
}
