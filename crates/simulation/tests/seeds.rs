//! The pipeline under thousands of seeds.

use std::collections::BTreeSet;

use dropcast_simulation::{Campaign, Fault, simulate};

#[test]
fn a_seed_gives_the_same_trace_each_time() {
    let campaign = Campaign {
        uploads: 3,
        max_faults: 3,
        faults: Fault::ALL,
        cancelled_per_mille: 0,
    };
    let trace = |seed| simulate(seed, &campaign, &BTreeSet::new(), true).trace;
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}

/// Seeds that once broke an invariant, each with the campaign that found it.
#[test]
fn what_was_fixed_stays_fixed() {
    let calls = |max_faults| Campaign {
        uploads: 2,
        max_faults,
        faults: Fault::OF_CALLS,
        cancelled_per_mille: 0,
    };
    let cancelled = Campaign {
        uploads: 2,
        max_faults: 3,
        faults: Fault::ALL,
        cancelled_per_mille: 500,
    };
    let found = [
        // A given-up submit-job replaced the token of the next attempt, and the run waited 48 hours.
        (896, calls(2)),
        // A given-up submit-job named its job on the record of a run that had been cancelled.
        (1900, cancelled),
    ];
    for (seed, campaign) in found {
        let outcome = simulate(seed, &campaign, &BTreeSet::new(), false);
        assert_eq!(outcome.violations, Vec::<String>::new(), "seed {seed}");
    }
}

/// How many seeds each campaign below simulates. `make simulate` takes as many as it is told.
const SEEDS: u64 = 1_000;

fn holds(campaign: &Campaign) {
    let broken: Vec<String> = (0..SEEDS)
        .filter_map(|seed| {
            let outcome = simulate(seed, campaign, &BTreeSet::new(), false);
            let first = outcome.violations.first()?;
            Some(format!("seed {seed}: {first}"))
        })
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn without_faults_every_run_ends_as_its_job_did_and_is_mailed_once() {
    holds(&Campaign {
        uploads: 2,
        max_faults: 0,
        faults: &[],
        cancelled_per_mille: 0,
    });
}

#[test]
fn invariant_4_no_run_stays_open_whatever_call_or_function_fails() {
    holds(&Campaign {
        uploads: 2,
        max_faults: 3,
        faults: Fault::OF_CALLS,
        cancelled_per_mille: 0,
    });
}

#[test]
fn invariant_4_no_run_stays_open_whatever_event_is_lost() {
    holds(&Campaign {
        uploads: 2,
        max_faults: 2,
        faults: &[
            Fault::JobEventLost,
            Fault::UploadEventLost,
            Fault::NoticeLost,
        ],
        cancelled_per_mille: 0,
    });
}

#[test]
fn a_cancelled_run_ends_and_its_job_stops_whatever_fails() {
    holds(&Campaign {
        uploads: 2,
        max_faults: 2,
        faults: Fault::ALL,
        cancelled_per_mille: 600,
    });
}
