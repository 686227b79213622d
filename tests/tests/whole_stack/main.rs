//! The whole stack on this machine: the real programs, the real template, a real file dropped, and
//! the mail and its links at the end.
//!
//! One stack is started for all stories, which run side by side on it; what must hold for all of
//! them together is checked after the last (`aftermath`). When a story fails, the stack's folder
//! with all logs stays, and its path is printed.
//!
//! Needs `make setup` once and `cargo build --bins` after each change. A filter works as always:
//! `cargo test -p dropcast-tests --test whole_stack -- bad_input`.

mod aftermath;
mod again;
mod attack;
mod bad_input;
mod builds;
mod checks;
mod command_line;
mod doctor;
mod faults;
mod happy_path;
mod history;
mod invariants;
mod least_privilege;
mod links;
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

/// Stories at a time. They mostly wait.
const AT_ONCE: usize = 14;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    if arguments.filter.is_none() && arguments.skip.is_empty() {
        world::tell_everything();
    }
    let stories = [
        // The longest first.
        tables::stories(),
        faults::stories(),
        state_machine::stories(),
        odd_uploads::stories(),
        bad_input::stories(),
        again::stories(),
        invariants::stories(),
        secrets::stories(),
        attack::stories(),
        role_matrix::stories(),
        least_privilege::stories(),
        happy_path::stories(),
        pushes::stories(),
        refresh::stories(),
        history::stories(),
        registry::stories(),
        doctor::stories(),
        links::stories(),
        command_line::stories(),
    ];
    let stories = stories.into_iter().flatten().collect();
    let told = libtest_mimic::run(&arguments, stories);
    if arguments.list {
        return told.exit_code();
    }
    let mut all_well = !told.has_failed();
    if world::is_up() {
        let everything = Arguments {
            // In their order: the last one stops the stack.
            test_threads: Some(1),
            color: arguments.color,
            ..Arguments::default()
        };
        let after = libtest_mimic::run(&everything, aftermath::checks());
        all_well &= !after.has_failed();
        world::leave(all_well);
    }
    if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(101)
    }
}
