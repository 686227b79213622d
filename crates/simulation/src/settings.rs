//! What a seed is simulated with.

use crate::{faults::Fault, random::Random};

/// What the seeds of a campaign have in common.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    /// How many files are uploaded.
    pub uploads: u32,
    /// The most faults that strike one seed.
    pub max_faults: u32,
    /// The kinds of faults that may strike.
    pub faults: &'static [Fault],
    /// How many runs somebody cancels, per thousand.
    pub cancelled_per_mille: u32,
}

/// How slow and how patient the world of one seed is.
///
/// Drawn per seed: with the same settings for all, rare interleavings stay rare whatever the
/// number of seeds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// How often an invocation stalls before it goes on, per thousand polls.
    pub(crate) stall_per_mille: u32,
    /// The longest stall, in milliseconds.
    pub(crate) stall_ms: i64,
    /// The longest that a job stays in one status, in milliseconds.
    pub(crate) job_step_ms: i64,
    /// The longest that an event is on its way, in milliseconds.
    pub(crate) delivery_ms: i64,
    /// How long a new job is missing from Batch's list, at most, in milliseconds.
    pub(crate) listing_lag_ms: i64,
    /// How often a fault strikes where one may, per thousand.
    pub(crate) fault_per_mille: u32,
    /// How many messages a queue hands to one invocation at most.
    pub(crate) batch_size: u64,
}

impl Settings {
    pub(crate) fn draw(random: &mut Random) -> Self {
        Self {
            stall_per_mille: random.pick(&[5, 40, 150]),
            stall_ms: random.pick(&[50, 500, 2_000]),
            job_step_ms: random.pick(&[100, 2_000, 20_000, 1_200_000]),
            delivery_ms: random.pick(&[200, 8_000, 90_000]),
            listing_lag_ms: random.pick(&[1, 4_000, 30_000]),
            fault_per_mille: random.pick(&[5, 15, 60]),
            batch_size: random.pick(&[1, 10]),
        }
    }
}
