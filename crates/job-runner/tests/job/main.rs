//! `dropcast-job`, the program itself, against an emulator's S3.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

mod emulator;
mod local_run;
mod publishing;
mod running;
