//! The sizes that Fargate offers: not every memory goes with every number of vCPUs.
//!
//! The table is AWS's own, for Linux:
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size>
//! and, in the words of Batch,
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html>.

use std::fmt;

use thiserror::Error;

use super::{JobSpec, Vcpus};

const GIB: u32 = 1_024;

/// A size of a job: one that Fargate offers, or one that a manifest requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Virtual CPUs.
    pub vcpus: Vcpus,
    /// Memory in MiB.
    pub memory_mib: u32,
}

impl fmt::Display for Size {
    /// Formats the size as in a manifest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "vcpus = {} with memory_mib = {}",
            self.vcpus, self.memory_mib
        )
    }
}

/// Fargate does not offer the size that a manifest requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub struct FargateSizeError {
    /// The size that the manifest requests.
    pub requested: Size,
    /// The nearest size that Fargate offers.
    pub nearest: Size,
}

impl fmt::Display for FargateSizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requested, nearest } = self;
        write!(f, "Fargate does not offer {requested}. ")?;
        if nearest.vcpus < requested.vcpus || nearest.memory_mib < requested.memory_mib {
            write!(
                f,
                "Its largest size is {nearest}; larger jobs need a deployment that runs jobs on EC2."
            )
        } else {
            write!(
                f,
                "The nearest size with at least as much of both is {nearest}."
            )
        }
    }
}

/// Every size that Fargate offers, the smaller number of vCPUs and then the smaller memory first.
pub fn sizes() -> impl Iterator<Item = Size> {
    let stepped = |vcpus, from: u32, to: u32, step: u32| {
        (from..=to)
            .step_by(step as usize)
            .map(move |gib| (vcpus, gib * GIB))
    };
    let listed = |vcpus, mib: &'static [u32]| mib.iter().map(move |mib| (vcpus, *mib));
    listed(Vcpus::QUARTER, &[GIB / 2, GIB, 2 * GIB])
        .chain(stepped(Vcpus::HALF, 1, 4, 1))
        .chain(stepped(Vcpus::ONE, 2, 8, 1))
        .chain(stepped(Vcpus::whole(2), 4, 16, 1))
        .chain(stepped(Vcpus::whole(4), 8, 30, 1))
        .chain(stepped(Vcpus::whole(8), 16, 60, 4))
        .chain(stepped(Vcpus::whole(16), 32, 120, 8))
        .chain(listed(Vcpus::whole(32), &[60 * GIB, 120 * GIB, 244 * GIB]))
        .map(|(vcpus, memory_mib)| Size { vcpus, memory_mib })
}

/// The smallest size with at least as much of both; the largest of all where none has.
pub fn nearest_size(requested: Size) -> Size {
    let fits =
        |size: &Size| size.vcpus >= requested.vcpus && size.memory_mib >= requested.memory_mib;
    sizes()
        .find(fits)
        .or_else(|| sizes().max())
        .unwrap_or(requested)
}

/// Checks that Fargate offers the size of a job.
pub fn check(job: &JobSpec) -> Result<(), FargateSizeError> {
    let requested = Size {
        vcpus: job.vcpus,
        memory_mib: job.memory_mib,
    };
    let nearest = nearest_size(requested);
    if nearest == requested {
        Ok(())
    } else {
        Err(FargateSizeError { requested, nearest })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(vcpus: &str, memory_mib: u32) -> Size {
        Size {
            vcpus: vcpus.parse().unwrap(),
            memory_mib,
        }
    }

    #[test]
    fn the_table_is_awss() {
        let all: Vec<Size> = sizes().collect();
        assert_eq!(all.len(), 3 + 4 + 7 + 13 + 23 + 12 + 12 + 3);
        assert!(all.is_sorted());
        // The values of memory and the vCPUs that Batch's page names for each.
        for (memory, vcpus) in [
            (512, vec!["0.25"]),
            (1_024, vec!["0.25", "0.5"]),
            (2_048, vec!["0.25", "0.5", "1"]),
            (3_072, vec!["0.5", "1"]),
            (4_096, vec!["0.5", "1", "2"]),
            (5_120, vec!["1", "2"]),
            (8_192, vec!["1", "2", "4"]),
            (9_216, vec!["2", "4"]),
            (16_384, vec!["2", "4", "8"]),
            (17_408, vec!["4"]),
            (20_480, vec!["4", "8"]),
            (30_720, vec!["4"]),
            (32_768, vec!["8", "16"]),
            (36_864, vec!["8"]),
            (61_440, vec!["8", "32"]),
            (65_536, vec!["16"]),
            (122_880, vec!["16", "32"]),
            (249_856, vec!["32"]),
        ] {
            let found: Vec<String> = all
                .iter()
                .filter(|size| size.memory_mib == memory)
                .map(|size| size.vcpus.to_string())
                .collect();
            assert_eq!(found, vcpus, "{memory}");
        }
    }

    #[test]
    fn the_nearest_size_is_written_as_in_a_manifest() {
        for (requested, nearest) in [
            (size("0.25", 64), size("0.25", 512)),
            (size("1", 2_500), size("1", 3_072)),
            (size("1", 16_384), size("2", 16_384)),
            (size("3", 1_024), size("4", 8_192)),
            (size("4", 61_440), size("8", 61_440)),
            (size("16", 200_000), size("32", 249_856)),
            (size("64", 2_048), size("32", 249_856)),
        ] {
            assert_eq!(nearest_size(requested), nearest, "{requested}");
        }
        let job = |vcpus: u32, memory_mib| JobSpec {
            command: vec!["x".into()],
            vcpus: Vcpus::whole(vcpus),
            memory_mib,
            timeout_minutes: 1,
            attempts: 1,
            secrets: std::collections::BTreeMap::new(),
        };
        assert_eq!(check(&job(2, 4_096)), Ok(()));
        assert_eq!(
            check(&job(1, 16_384)).unwrap_err().to_string(),
            "Fargate does not offer vcpus = 1 with memory_mib = 16384. The nearest size with at least as much of both is vcpus = 2 with memory_mib = 16384."
        );
        assert_eq!(
            check(&job(64, 2_048)).unwrap_err().to_string(),
            "Fargate does not offer vcpus = 64 with memory_mib = 2048. Its largest size is vcpus = 32 with memory_mib = 249856; larger jobs need a deployment that runs jobs on EC2."
        );
    }

    proptest! {
        #[test]
        fn the_nearest_pair_is_valid_is_enough_and_none_smaller_is(
            vcpus in prop_oneof![Just(Vcpus::QUARTER), Just(Vcpus::HALF), (1u32..=40).prop_map(Vcpus::whole)],
            memory_mib in 64u32..=260_000
        ) {
            let requested = Size { vcpus, memory_mib };
            let nearest = nearest_size(requested);
            prop_assert!(sizes().any(|size| size == nearest));
            let enough = |size: &Size| size.vcpus >= vcpus && size.memory_mib >= memory_mib;
            if sizes().any(|size| enough(&size)) {
                prop_assert!(enough(&nearest));
                prop_assert!(!sizes().any(|size| enough(&size) && size < nearest));
            }
            // What is valid stays as it is.
            prop_assert_eq!(nearest_size(nearest), nearest);
        }
    }
}
