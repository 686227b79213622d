//! `dropcast-simulation`: simulates seeds, or replays one.

use std::{collections::BTreeMap, process::ExitCode, thread};

use clap::Parser;
use dropcast_simulation::{Campaign, Fault, shrink, simulate};

/// Simulate the pipeline under seeds that crash functions, lose events and repeat calls.
///
/// Without --seed, simulates many seeds and lists the kinds of violations, each with the seed
/// that needs the fewest faults. With --seed, replays that one and prints what happened.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds to simulate
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Replay this seed
    #[arg(long)]
    seed: Option<u64>,
    /// How many files are uploaded
    #[arg(long, default_value_t = 2)]
    uploads: u32,
    /// The most faults that strike one seed
    #[arg(long, default_value_t = 3)]
    faults: u32,
    /// Lose no events
    #[arg(long)]
    keep_events: bool,
    /// How many runs somebody cancels, per thousand
    #[arg(long, default_value_t = 0)]
    cancelled: u32,
}

/// What was found over many seeds.
#[derive(Debug, Default)]
struct Tally {
    seeds: u64,
    steps: u64,
    struck: BTreeMap<Fault, u64>,
    /// By violation: how often, and the seed with the fewest faults.
    violations: BTreeMap<String, (u64, u64, usize)>,
}

impl Tally {
    fn of(seeds: impl Iterator<Item = u64>, campaign: &Campaign) -> Self {
        let mut tally = Self::default();
        for seed in seeds {
            let outcome = simulate(seed, campaign, &[].into(), false);
            tally.seeds += 1;
            tally.steps += outcome.steps;
            for strike in &outcome.struck {
                *tally.struck.entry(strike.fault).or_default() += 1;
            }
            for violation in outcome.violations {
                tally.add(violation, 1, seed, outcome.struck.len());
            }
        }
        tally
    }

    fn add(&mut self, violation: String, count: u64, seed: u64, faults: usize) {
        let entry = self
            .violations
            .entry(violation)
            .or_insert((0, seed, faults));
        entry.0 += count;
        if faults < entry.2 {
            (entry.1, entry.2) = (seed, faults);
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.seeds += other.seeds;
        self.steps += other.steps;
        for (fault, count) in other.struck {
            *self.struck.entry(fault).or_default() += count;
        }
        for (violation, (count, seed, faults)) in other.violations {
            self.add(violation, count, seed, faults);
        }
        self
    }
}

#[expect(
    clippy::print_stdout,
    reason = "The findings are what this program is for."
)]
fn main() -> ExitCode {
    let args = Args::parse();
    let campaign = Campaign {
        uploads: args.uploads,
        max_faults: args.faults,
        faults: if args.keep_events {
            Fault::OF_CALLS
        } else {
            Fault::ALL
        },
        cancelled_per_mille: args.cancelled,
    };
    if let Some(seed) = args.seed {
        let outcome = shrink(seed, &campaign);
        for line in &outcome.trace {
            println!("{line}");
        }
        for strike in &outcome.struck {
            println!("fault: {strike}");
        }
        for violation in &outcome.violations {
            println!("violated: {violation}");
        }
        return ExitCode::from(u8::from(!outcome.violations.is_empty()));
    }
    let tally = run(&args, &campaign);
    println!("{} seeds, {} steps", tally.seeds, tally.steps);
    for (fault, count) in &tally.struck {
        println!("{count:>9} × {fault:?}");
    }
    for (violation, (count, seed, faults)) in &tally.violations {
        println!("{count:>9} × violated: {violation} (--seed {seed}, {faults} faults)");
    }
    ExitCode::from(u8::from(!tally.violations.is_empty()))
}

/// All seeds, shared among the processors.
fn run(args: &Args, campaign: &Campaign) -> Tally {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let seeds = args.first..args.first + args.seeds;
    thread::scope(|scope| {
        let tallies: Vec<_> = (0..threads)
            .map(|thread| {
                let mine = seeds.clone().skip(thread).step_by(threads);
                scope.spawn(move || Tally::of(mine, campaign))
            })
            .collect();
        tallies
            .into_iter()
            .filter_map(|tally| tally.join().ok())
            .fold(Tally::default(), Tally::merge)
    })
}
