use proptest::prelude::*;

use super::*;
use crate::upload::Upload;

fn version(number: u32) -> Version {
    number.to_string().parse().unwrap()
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_772_443_800_000 + milliseconds).unwrap()
}

fn ana(milliseconds: i64) -> AuditStamp<'static> {
    AuditStamp {
        by: Some("arn:aws:iam::111122223333:user/ana"),
        at: at(milliseconds),
    }
}

fn first() -> Defaults {
    Defaults {
        entries: vec![DefaultEntry::first(Version::FIRST, ana(0))],
        retired: Vec::new(),
    }
}

impl Defaults {
    fn add(&mut self, entry: DefaultEntry) {
        self.entries.insert(0, entry);
    }

    fn version(&self) -> u32 {
        self.current().unwrap().version.number()
    }
}

#[test]
fn a_rollback_returns_to_what_was_before_and_a_second_one_to_what_was_before_that() {
    let mut defaults = first();
    for (number, milliseconds) in [(2, 10), (3, 20)] {
        let entry = defaults
            .promote(version(number), ana(milliseconds))
            .unwrap();
        defaults.add(entry);
    }
    for expected in [2, 1] {
        let entry = defaults.roll_back(ana(30)).unwrap();
        assert_eq!(entry.kind, DefaultKind::RolledBack);
        defaults.add(entry);
        assert_eq!(defaults.version(), expected);
    }
    assert_eq!(
        defaults.roll_back(ana(40)),
        Err(PromotionError::NoPreviousDefault(Version::FIRST))
    );
    assert!(defaults.entries.iter().all(|entry| entry.by.is_some()));
}

#[test]
fn a_promotion_after_a_rollback_forgets_what_was_rolled_back() {
    let mut defaults = first();
    let steps = [Some(2), None, Some(3), None];
    for (step, promoted) in steps.into_iter().enumerate() {
        let stamp = ana(i64::try_from(step).unwrap() + 1);
        let entry = match promoted {
            Some(number) => defaults.promote(version(number), stamp),
            None => defaults.roll_back(stamp),
        };
        defaults.add(entry.unwrap());
    }
    assert_eq!(defaults.version(), 1);
}

#[test]
fn what_cannot_be_promoted_or_retired_says_why() {
    let mut defaults = first();
    assert_eq!(
        defaults.promote(Version::FIRST, ana(1)),
        Err(PromotionError::IsDefault(Version::FIRST))
    );
    assert_eq!(
        defaults.retire(Version::FIRST, ana(1)),
        Err(PromotionError::IsDefault(Version::FIRST))
    );
    let retired = defaults.retire(version(2), ana(1)).unwrap();
    defaults.retired.push(retired);
    for refused in [
        defaults.promote(version(2), ana(2)).unwrap_err(),
        defaults.retire(version(2), ana(2)).unwrap_err(),
    ] {
        assert_eq!(refused, PromotionError::Retired(version(2)));
    }
    assert_eq!(
        Defaults::default().roll_back(ana(1)),
        Err(PromotionError::NoSuchModel)
    );
}

#[test]
fn a_rollback_passes_over_what_was_retired_since() {
    let mut defaults = first();
    for number in [2, 3] {
        let entry = defaults.promote(version(number), ana(i64::from(number)));
        defaults.add(entry.unwrap());
    }
    let retired = defaults.retire(version(2), ana(5)).unwrap();
    defaults.retired.push(retired);
    let entry = defaults.roll_back(ana(6)).unwrap();
    assert_eq!((entry.version, entry.back), (Version::FIRST, None));
}

#[test]
fn clocks_that_differ_do_not_put_an_entry_before_the_one_it_replaces() {
    let mut defaults = first();
    let entry = defaults.promote(version(2), ana(-60_000)).unwrap();
    assert_eq!(entry.at, at(1));
    defaults.add(entry);
    assert_eq!(defaults.at(at(0)).unwrap().version, Version::FIRST);
    assert_eq!(defaults.at(at(1)).unwrap().version, version(2));
    assert_eq!(defaults.at(at(-1)), None);
}

#[test]
fn a_whole_second_of_an_upload_means_its_end() {
    assert_eq!(default_moment(at(0)), at(999));
    assert_eq!(default_moment(at(1)), at(1));
}

#[test]
fn open_runs_count_for_the_version_that_they_have_or_will_get() {
    let mut defaults = first();
    let entry = defaults.promote(version(2), ana(10_000)).unwrap();
    defaults.add(entry);
    let run = |folder: &str, milliseconds, settled: Option<u32>| {
        let upload = Upload {
            bucket: "inputs".into(),
            key: format!("inputs/{folder}/{milliseconds}.json"),
            version_id: None,
            sequencer: None,
            bytes: 1,
            at: at(milliseconds),
        };
        let mut run = Run::received(upload, at(100_000));
        run.version = settled.map(version);
        run
    };
    let runs = [
        run("m", 1, None),
        run("m", 11_000, None),
        run("m@1", 12_000, None),
        run("m", 13_000, Some(1)),
        run("m@x", 14_000, None),
    ];
    let of = |number| defaults.is_run_by(version(number), &runs);
    assert_eq!(of(1), [0, 2, 3].map(|run: usize| runs[run].id.clone()));
    assert_eq!(of(2), [runs[1].id.clone()]);
    assert!(of(3).is_empty());
}

/// Something that somebody does to a model's default.
#[derive(Debug, Clone)]
enum Step {
    Promote(u32),
    RollBack,
    Retire(u32),
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let step = prop_oneof![
        (1u32..6).prop_map(Step::Promote),
        Just(Step::RollBack),
        (1u32..6).prop_map(Step::Retire),
    ];
    prop::collection::vec((step, -5_000i64..5_000), 0..40)
}

proptest! {
    /// A plain stack of numbers, from which retired ones disappear, says the same.
    #[test]
    fn defaults_are_a_stack(steps in steps()) {
        let mut defaults = first();
        let mut stack = vec![1];
        for (step, milliseconds) in steps {
            match step {
                Step::Promote(number) => {
                    let promoted = defaults.promote(version(number), ana(milliseconds));
                    let may = stack.last() != Some(&number)
                        && defaults.retirement(version(number)).is_none();
                    prop_assert_eq!(promoted.is_ok(), may);
                    if let Ok(entry) = promoted {
                        defaults.add(entry);
                        stack.push(number);
                    }
                }
                Step::RollBack => {
                    let top = *stack.last().unwrap();
                    let mut below = stack.clone();
                    while below.last().is_some_and(|number| {
                        *number == top || defaults.retirement(version(*number)).is_some()
                    }) {
                        below.pop();
                    }
                    match defaults.roll_back(ana(milliseconds)) {
                        Ok(entry) => {
                            defaults.add(entry);
                            stack = below;
                        }
                        Err(error) => {
                            prop_assert_eq!(error, PromotionError::NoPreviousDefault(version(top)));
                            prop_assert!(below.is_empty());
                        }
                    }
                }
                Step::Retire(number) => {
                    if let Ok(retired) = defaults.retire(version(number), ana(milliseconds)) {
                        prop_assert_ne!(stack.last(), Some(&number));
                        defaults.retired.push(retired);
                    }
                }
            }
            prop_assert_eq!(defaults.version(), *stack.last().unwrap());
            prop_assert!(defaults.retirement(defaults.current().unwrap().version).is_none());
            // The newest entry is the newest by its time too, and every moment has one answer.
            prop_assert!(defaults.entries.is_sorted_by(|newer, older| newer.at > older.at));
            for entry in &defaults.entries {
                prop_assert_eq!(defaults.at(entry.at), Some(entry));
            }
        }
    }
}
