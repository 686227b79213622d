//! What the tests of the whole stack share: one stack per process, with the real programs,
//! and words for what is done to it and awaited from it.
//!
//! Nothing here sleeps for a fixed time: everything is awaited by its condition, with a limit
//! after which the wait says how far things had got.

mod events;
mod follow;
mod http;
mod invoke;
mod jobs;
mod logs;
mod mails;
mod models;
pub mod permissions;
mod postgres;
mod privileges;
pub mod programs;
mod resources;
mod stack;
pub mod stand_ins;
mod uploads;

pub use events::Event;
pub use follow::Ended;
pub use http::Page;
pub use logs::LogLine;
pub use postgres::{FlakyConnection, Postgres};
pub use privileges::{Call, Grant, Privileges};
pub use resources::{NESTED_STACK, Resource};
pub use stack::{LIMIT, OPERATOR, SENDER, Stack, options, until};
pub use uploads::{Dropped, Upload};
