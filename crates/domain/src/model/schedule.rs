//! When a model's data is refreshed by itself: five-field cron, in UTC.

use std::{fmt, str::FromStr};

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text::quoted;

/// The shortest time between two refreshes. What starts them looks every five minutes.
const MIN: SignedDuration = SignedDuration::from_mins(15);

/// So many moments show the shortest time between two: a pattern repeats within days, or at most
/// within a few months where it names days of the month.
const SAMPLED: usize = 400;

/// The five fields: the name and the allowed values of each.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day of the week", "0 to 7 or SUN to SAT"),
];

const EXAMPLE: &str = "write five fields, minute hour day month weekday in UTC, for example \"0 6 * * *\" for six in the morning";

/// A schedule such as `0 6 * * 1-5`, checked; times are UTC.
///
/// What is deserialized was checked when its version was registered, and is taken as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    description = "A schedule of five fields as cron has them, in UTC.",
    extend("pattern" = pattern())
)]
pub struct Schedule(String);

/// Why a text is not a schedule: the end of a sentence that begins with the name of the field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScheduleError {
    /// There are not five fields.
    #[error("is {}, which is not a schedule; {EXAMPLE}", quoted(.0))]
    Fields(String),
    /// One of cron's words for a whole schedule.
    #[error("is {}; write it as \"{meant}\"", quoted(.word))]
    Word {
        /// The word.
        word: String,
        /// The five fields that it abbreviates.
        meant: &'static str,
    },
    /// A field holds what it cannot.
    #[error("has {} for the {field}; write {range}, *, lists such as 1,15, ranges such as 1-5 or steps such as */2", quoted(.found))]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it may hold.
        range: &'static str,
    },
    /// It comes too often.
    #[error("repeats after {0} minutes; leave at least 15 minutes between refreshes")]
    TooOften(i64),
    /// It never comes.
    #[error("is {}, a date that does not exist; {EXAMPLE}", quoted(.0))]
    Never(String),
}

/// The pattern of a schedule's text, as far as a pattern can tell: one that comes too often or
/// never has it too.
fn pattern() -> String {
    let fields = [
        "[0-5]?[0-9]",
        "(?:[01]?[0-9]|2[0-3])",
        "(?:0?[1-9]|[12][0-9]|3[01])",
        "(?:0?[1-9]|1[0-2]|[A-Za-z]{3})",
        "(?:0?[0-7]|[A-Za-z]{3})",
    ]
    .map(|value| {
        let item = format!(r"(?:(?:\*|{value}-{value})(?:/[0-9]+)?|{value})");
        format!("{item}(?:,{item})*")
    });
    format!(r"^\s*{}\s*$", fields.join(r"\s+"))
}

impl Schedule {
    /// The five fields, one space between them.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last moment of the schedule that is not after `now`, if it is later than `since`: what
    /// is due. Moments that were missed before it are not made up for.
    pub fn due(&self, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let now = now.to_zoned(TimeZone::UTC);
        let last = cron(&self.0)?.find_previous_occurrence(&now, true).ok()?;
        Some(last.timestamp()).filter(|last| *last > since)
    }

    /// The first moment of the schedule after a time.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = after.to_zoned(TimeZone::UTC);
        let next = cron(&self.0)?.find_next_occurrence(&after, false).ok()?;
        Some(next.timestamp())
    }
}

fn cron(text: &str) -> Option<Cron> {
    // What cron's own syntax does not have: seconds, years, and the marks L, W, # and ?.
    let known = |c: char| c.is_ascii_alphanumeric() || " *,-/".contains(c);
    if !text.chars().all(known) {
        return None;
    }
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(text)
        .ok()
}

/// Names of months and weekdays have three letters; a single L or W is not cron's.
fn plain(field: &str) -> bool {
    field
        .split(|c: char| !c.is_ascii_alphabetic())
        .all(|word| word.is_empty() || word.len() == 3)
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let meant = match text.trim() {
            "@hourly" => Some("0 * * * *"),
            "@daily" | "@midnight" => Some("0 0 * * *"),
            "@weekly" => Some("0 0 * * 0"),
            "@monthly" => Some("0 0 1 * *"),
            "@yearly" | "@annually" => Some("0 0 1 1 *"),
            _ => None,
        };
        if let Some(meant) = meant {
            let word = text.trim().to_owned();
            return Err(ScheduleError::Word { word, meant });
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(ScheduleError::Fields(text.to_owned()));
        }
        for (at, (field, range)) in FIELDS.into_iter().enumerate() {
            let mut alone = ["*"; FIELDS.len()];
            alone[at] = fields[at];
            if !plain(fields[at]) || cron(&alone.join(" ")).is_none() {
                let found = fields[at].to_owned();
                return Err(ScheduleError::Field {
                    field,
                    found,
                    range,
                });
            }
        }
        let text = fields.join(" ");
        let Some(cron) = cron(&text) else {
            return Err(ScheduleError::Fields(text));
        };
        // Any time will do; one in the past gives every schedule the same answer for ever.
        let start = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let moments: Vec<Timestamp> = cron
            .iter_after(start)
            .take(SAMPLED)
            .map(|moment| moment.timestamp())
            .collect();
        if moments.is_empty() {
            return Err(ScheduleError::Never(text));
        }
        let shortest = moments
            .windows(2)
            .map(|pair| pair[1].duration_since(pair[0]))
            .min();
        match shortest.filter(|shortest| *shortest < MIN) {
            Some(shortest) => Err(ScheduleError::TooOften(shortest.as_mins())),
            None => Ok(Self(text)),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(text: &str) -> Schedule {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_moment_is_due_once() {
        let daily = schedule("0 6 * * *");
        let yesterday = at("2026-03-01T06:00:00Z");
        let today = at("2026-03-02T06:00:00Z");
        assert_eq!(daily.due(yesterday, at("2026-03-02T05:59:59Z")), None);
        assert_eq!(daily.due(yesterday, today), Some(today));
        assert_eq!(
            daily.due(yesterday, at("2026-03-02T09:00:00Z")),
            Some(today)
        );
        assert_eq!(daily.due(today, at("2026-03-02T09:00:00Z")), None);
    }

    #[test]
    fn moments_that_were_missed_come_as_one() {
        let daily = schedule("0 6 * * *");
        let due = daily.due(at("2026-02-20T06:00:00Z"), at("2026-03-02T09:00:00Z"));
        assert_eq!(due, Some(at("2026-03-02T06:00:00Z")));
    }

    #[test]
    fn the_first_refresh_comes_at_the_first_moment_after_the_version_was_built() {
        let monthly = schedule("30 2 1 * *");
        let built = at("2026-03-01T02:30:00Z");
        assert_eq!(monthly.due(built, at("2026-03-31T23:59:00Z")), None);
        assert_eq!(
            monthly.due(built, at("2026-04-01T02:31:00Z")),
            Some(at("2026-04-01T02:30:00Z"))
        );
        assert_eq!(monthly.next(built), Some(at("2026-04-01T02:30:00Z")));
    }

    #[test]
    fn an_invalid_schedule_is_rejected_with_what_to_write() {
        for (text, words) in [
            ("", "write five fields"),
            ("0 6 * *", "write five fields"),
            ("0 0 6 * * *", "write five fields"),
            ("daily", "write five fields"),
            ("@daily", "write it as \"0 0 * * *\""),
            ("60 6 * * *", "has \"60\" for the minute; write 0 to 59"),
            ("0 24 * * *", "has \"24\" for the hour; write 0 to 23"),
            ("0 6 0 * *", "for the day of the month; write 1 to 31"),
            ("0 6 L * *", "for the day of the month"),
            ("0 6 ? * MON", "for the day of the month"),
            ("0 6 * MAI *", "for the month; write 1 to 12 or JAN to DEC"),
            ("0 6 * * MON#2", "for the day of the week"),
            ("0 6 * * monday", "for the day of the week"),
            ("a b c d e", "for the minute"),
            ("0 6 31 2 *", "a date that does not exist"),
            ("* * * * *", "repeats after 1 minutes"),
            ("*/10 6 * * *", "repeats after 10 minutes"),
            ("0,50 * * * *", "repeats after 10 minutes"),
            ("50,0 0,23 1,31 * *", "repeats after 10 minutes"),
        ] {
            let error = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn what_cron_knows_is_a_schedule() {
        for text in [
            "*/15 * * * *",
            "0 6 * * *",
            " 0  6 * * 1-5 ",
            "0 6 * * mon-fri",
            "5,35 */2 1-7 JAN,jul SUN",
            "0 0 29 2 *",
            "0 6 * * 7",
        ] {
            let schedule = schedule(text);
            let json = serde_json::to_string(&schedule).unwrap();
            assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule);
        }
        assert_eq!(schedule(" 0  6 * * 1-5 ").as_str(), "0 6 * * 1-5");
    }

    proptest! {
        #[test]
        fn what_is_due_is_a_moment_of_the_schedule_between_both_times(
            minute in 0u8..60, hour in 0u8..24, weekday in 0u8..8,
            since in 1_700_000_000i64..1_900_000_000, later in 0i64..3_000_000
        ) {
            let schedule = schedule(&format!("{minute} {hour} * * {weekday}"));
            let (since, now) = (
                Timestamp::from_second(since).unwrap(),
                Timestamp::from_second(since + later).unwrap(),
            );
            match schedule.due(since, now) {
                Some(due) => {
                    prop_assert!(since < due && due <= now);
                    // It is the last one, and it is due no more once it was remembered.
                    prop_assert!(schedule.next(due).unwrap() > now);
                    prop_assert_eq!(schedule.due(due, now), None);
                }
                None => prop_assert!(schedule.next(since).unwrap() > now),
            }
        }

        #[test]
        fn text_of_any_kind_never_makes_the_parser_panic(text in "[-0-9*/,A-Z#@?LW ]{0,30}|\\PC{0,30}") {
            let _ = text.parse::<Schedule>();
        }
    }
}
