//! The same stack on one machine: the AWS emulator, a Batch of our own, and the template deployed
//! into them with the very binaries that go to AWS.
//!
//! [`LocalStack::start`] runs a stack inside the calling process; other processes find it with
//! [`LocalStack::attach`]. [`register`] makes a folder a version of a model that it can run.

#![warn(missing_docs)]

pub mod batch;
mod calls;
pub mod codebuild;
mod connection;
mod deploy;
mod emulator;
mod error;
mod http;
mod image;
mod mailbox;
mod options;
mod package;
mod processes;
mod register;
mod service;
mod stack;
mod state;
mod template;
mod venv;

pub use calls::CALLS_FILE;
pub use connection::Connection;
pub use dropcast_model_folder::{FolderError, ModelFolder};
pub use error::Error;
pub use image::{Image, ImageBuilder};
pub use mailbox::Mail;
pub use options::{NoProgress, Options, Progress, Reporter, STATE_FOLDER};
pub use processes::marked as processes_of;
pub use register::{Registered, Registry, register};
pub use service::StartError;
pub use stack::{LocalStack, stop_requested};
pub use venv::user_cache;
