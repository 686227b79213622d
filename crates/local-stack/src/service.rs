//! What the local services have in common: they answer AWS's protocols on a port of their own,
//! publish events, write logs and run processes as containers.

pub(crate) mod aws;
pub(crate) mod clock;
pub(crate) mod events;
pub(crate) mod lines;
pub(crate) mod logs;
pub(crate) mod process;
pub(crate) mod server;
