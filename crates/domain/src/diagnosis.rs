//! Why a job waits, does not start or has ended, who can do something about it, and what.
//!
//! [`diagnose`] is the whole rule: from what AWS has said so far to one finding. [`Cause`] is the
//! catalogue. No finding blames the person who uploaded a file for what is the operator's or AWS's.

mod catalogue;
mod checks;
mod evidence;
mod exclusion;
mod finding;
mod texts;

pub use catalogue::{Cause, Facts, Owner, Phase, Platform};
pub use evidence::{
    Blocked, ComputeEnvironment, Consumable, Evidence, Image, Instances, Network, Queue, Quota,
    Quotas, Secret, SecretState, Size, Snapshot, Subnet,
};
pub use finding::{Certainty, Finding};
pub(crate) use texts::{Recognized, recognize_job};

/// Finds the cause that the evidence tells.
///
/// The checks go from the cheapest signal to the most expensive one. The first certain finding is
/// the answer; else the first likely one; else an undetermined one that says what was excluded.
pub fn diagnose(evidence: &Evidence) -> Finding {
    let mut likely = None;
    for check in checks::IN_ORDER {
        match check(evidence) {
            Some(finding) if finding.certainty == Certainty::Certain => return finding,
            Some(finding) if finding.certainty == Certainty::Likely && likely.is_none() => {
                likely = Some(finding);
            }
            _ => {}
        }
    }
    likely.unwrap_or_else(|| exclusion::undetermined(evidence))
}

#[cfg(test)]
mod tests;
