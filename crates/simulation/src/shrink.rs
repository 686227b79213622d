//! The shortest explanation of a violation.

use std::collections::BTreeSet;

use crate::{Campaign, Outcome, simulate};

/// Leaves out every fault that the violation does not need, and answers what is left, traced.
pub fn shrink(seed: u64, campaign: &Campaign) -> Outcome {
    let mut left_out = BTreeSet::new();
    let mut outcome = simulate(seed, campaign, &left_out, true);
    if outcome.violations.is_empty() {
        return outcome;
    }
    loop {
        let fewer = outcome.struck.iter().find_map(|strike| {
            let mut without = left_out.clone();
            without.insert(strike.number);
            let outcome = simulate(seed, campaign, &without, true);
            (!outcome.violations.is_empty()).then_some((without, outcome))
        });
        match fewer {
            Some((without, fewer)) => (left_out, outcome) = (without, fewer),
            None => return outcome,
        }
    }
}
