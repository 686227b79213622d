//! What goes wrong, and how often: a budget per seed, so that every violation has a short explanation.

use std::{collections::BTreeSet, fmt};

use strum::VariantArray;

use crate::random::Random;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, VariantArray)]
pub enum Fault {
    /// An invocation ends between two calls, or after its last one.
    Crash,
    /// An invocation pauses for up to a minute.
    Stall,
    /// The caller gives up on an invocation, which goes on regardless.
    CallerGivesUp,
    /// An invocation's result does not reach its caller.
    ResultLost,
    /// A service refuses a call that may be repeated later.
    CallRefused,
    /// A call takes effect, and its caller is told that it failed.
    AnswerLost,
    /// A call takes effect twice: the SDK retries when the first answer is lost.
    CallRepeated,
    /// An event about a job is never delivered.
    JobEventLost,
    /// An event about an upload is never delivered.
    UploadEventLost,
    /// An event of Dropcast itself is never delivered.
    NoticeLost,
}

impl Fault {
    /// Faults that may strike a call or an invocation, without the loss of an event.
    pub const OF_CALLS: &[Self] = &[
        Self::Crash,
        Self::Stall,
        Self::CallerGivesUp,
        Self::ResultLost,
        Self::CallRefused,
        Self::AnswerLost,
        Self::CallRepeated,
    ];

    /// Every fault.
    pub const ALL: &[Self] = Self::VARIANTS;
}

/// A fault that struck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// Its number among those of its seed, by which it can be left out.
    pub number: u32,
    /// Its kind.
    pub fault: Fault,
    /// The call, function or event that it struck.
    pub target: String,
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.fault, self.target)
    }
}

/// The faults of one seed.
#[derive(Debug)]
pub(crate) struct Faults {
    allowed: Vec<Fault>,
    budget: u32,
    per_mille: u32,
    left_out: BTreeSet<u32>,
    drawn: u32,
    struck: Vec<Strike>,
}

impl Faults {
    /// Up to so many faults, of about half of the kinds: with all kinds in every seed, the
    /// frequent ones would leave nothing of the budget to the others.
    pub(crate) fn draw(
        random: &mut Random,
        kinds: &[Fault],
        budget: u32,
        per_mille: u32,
        left_out: BTreeSet<u32>,
    ) -> Self {
        let mut allowed = kinds.to_vec();
        allowed.retain(|_| random.chance(500));
        if allowed.is_empty() {
            allowed = kinds.to_vec();
        }
        Self {
            allowed,
            budget,
            per_mille,
            left_out,
            drawn: 0,
            struck: Vec::new(),
        }
    }

    /// Whether this fault strikes here and now.
    pub(crate) fn strikes(&mut self, random: &mut Random, fault: Fault, target: &str) -> bool {
        if !self.allowed.contains(&fault)
            || self.drawn >= self.budget
            || !random.chance(self.per_mille)
        {
            return false;
        }
        let number = self.drawn;
        self.drawn += 1;
        if self.left_out.contains(&number) {
            return false;
        }
        self.struck.push(Strike {
            number,
            fault,
            target: target.to_owned(),
        });
        true
    }

    pub(crate) fn struck(&self) -> &[Strike] {
        &self.struck
    }

    pub(crate) fn has_struck(&self, fault: Fault) -> bool {
        self.struck.iter().any(|strike| strike.fault == fault)
    }
}
