//! Times, durations, sizes and other text in the form in which people read them.

use std::time::Duration;

use dropcast_domain::{
    status::{Progress, Status},
    upload::RunKind,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// A timestamp in UTC: `2026-03-01 09:30:00 UTC`.
pub fn format_timestamp(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S UTC")
        .to_string()
}

/// A timestamp in a column whose heading says UTC: `2026-03-01 09:30:00`.
pub fn format_timestamp_in_column(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A time of day with milliseconds: `09:30:00.125`.
pub fn format_time_of_day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%H:%M:%S%.3f")
        .to_string()
}

/// A duration, as exact as is useful: `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 07 min`.
pub fn format_duration(length: SignedDuration) -> String {
    let millis = length.as_millis().max(0);
    match millis {
        0..10_000 => format!("{}.{:02} s", millis / 1_000, millis % 1_000 / 10),
        10_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", millis / 60_000, millis % 60_000 / 1_000),
        3_600_000..172_800_000 => format!(
            "{} h {:02} min",
            millis / 3_600_000,
            millis % 3_600_000 / 60_000
        ),
        _ => format!("{} days", millis / 86_400_000),
    }
}

/// A duration from the command line, in the largest whole unit: `15 minutes`.
pub fn format_whole_duration(length: Duration) -> String {
    let seconds = length.as_secs();
    let (count, unit) = match seconds {
        0 => (0, "second"),
        _ if seconds.is_multiple_of(86_400) => (seconds / 86_400, "day"),
        _ if seconds.is_multiple_of(3_600) => (seconds / 3_600, "hour"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    format_count(count, unit)
}

/// A number with its noun: `1 run`, `3 runs`.
pub fn format_count(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A size in decimal units, as in file managers: `812 B`, `3.4 kB`, `1.2 MB`.
pub fn format_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let bytes = u128::from(bytes);
    let mut divisor: u128 = 1_000;
    for unit in UNITS {
        let tenths = (bytes * 10 + divisor / 2) / divisor;
        if tenths < 1_000 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        let whole = (bytes + divisor / 2) / divisor;
        if whole < 1_000 || unit == UNITS[3] {
            return format!("{whole} {unit}");
        }
        divisor *= 1_000;
    }
    format!("{bytes} B")
}

/// The attempt to which a step of a run belongs, or the number of attempts at its end; empty for
/// the first.
pub fn describe_attempt(progress: Progress) -> String {
    match (progress.status, progress.attempts) {
        (_, 0) => String::new(),
        (Status::Submitted | Status::Waiting | Status::Starting | Status::Running, finished) => {
            format!("attempt {}", finished + 1)
        }
        (_, 1) => String::new(),
        (_, finished) => format!("after {finished} attempts"),
    }
}

/// Joins lines into a text, each ending with a newline.
pub fn join_lines(lines: impl IntoIterator<Item = String>) -> String {
    lines
        .into_iter()
        .flat_map(|line| [line, "\n".to_owned()])
        .collect()
}

/// Makes untrusted text safe for a terminal: control characters, including the start of escape
/// sequences, are replaced by visible ones.
pub fn sanitize(line: &str) -> String {
    line.chars()
        .map(|c| match c {
            '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            _ if c.is_control() => '\u{fffd}',
            _ => c,
        })
        .collect()
}

/// The suffix of the model's name for runs of a special kind.
pub fn describe_kind(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Run => "",
        RunKind::Refresh => " (refresh)",
    }
}

/// Parses a duration: `90s`, `15m`, `2h`, `1d`, or a number of seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (digits, seconds) = match text.trim().char_indices().next_back() {
        Some((at, 's')) => (&text.trim()[..at], 1),
        Some((at, 'm')) => (&text.trim()[..at], 60),
        Some((at, 'h')) => (&text.trim()[..at], 3_600),
        Some((at, 'd')) => (&text.trim()[..at], 86_400),
        _ => (text.trim(), 1),
    };
    digits
        .trim()
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(seconds))
        .filter(|seconds| (1..=31_536_000).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| {
            "a duration is a whole number with s, m, h or d, for example 90s, 15m or 2h".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_as_exact_as_useful() {
        let formatted = |millis| format_duration(SignedDuration::from_millis(millis));
        assert_eq!(formatted(424), "0.42 s");
        assert_eq!(formatted(12_345), "12.3 s");
        assert_eq!(formatted(185_000), "3 min 05 s");
        assert_eq!(formatted(7_620_000), "2 h 07 min");
        assert_eq!(formatted(864_000_000), "10 days");
        assert_eq!(formatted(-5), "0.00 s");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(format_size(0), "0 B");
        assert_eq!(format_size(999), "999 B");
        assert_eq!(format_size(1_000), "1.0 kB");
        assert_eq!(format_size(3_449), "3.4 kB");
        assert_eq!(format_size(65_536), "65.5 kB");
        assert_eq!(format_size(123_456), "123 kB");
        assert_eq!(format_size(999_999), "1.0 MB");
        assert_eq!(format_size(5_000_000_000), "5.0 GB");
    }

    #[test]
    fn a_length_is_read_with_its_unit() {
        assert_eq!(parse_duration("90s").unwrap().as_secs(), 90);
        assert_eq!(parse_duration("15m").unwrap().as_secs(), 900);
        assert_eq!(parse_duration("2h").unwrap().as_secs(), 7_200);
        assert_eq!(parse_duration(" 45 ").unwrap().as_secs(), 45);
        for bad in ["", "m", "-1s", "0", "1.5h", "5é", "99999999999999999999d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_asked_for_reads_back_in_whole_units() {
        assert_eq!(format_whole_duration(Duration::from_hours(1)), "1 hour");
        assert_eq!(format_whole_duration(Duration::from_mins(15)), "15 minutes");
        assert_eq!(format_whole_duration(Duration::from_secs(61)), "61 seconds");
    }

    #[test]
    fn times_say_that_they_are_utc() {
        let at: Timestamp = "2026-03-01T10:30:00.1259+01:00".parse().unwrap();
        assert_eq!(format_timestamp(at), "2026-03-01 09:30:00 UTC");
        assert_eq!(format_time_of_day(at), "09:30:00.125");
    }

    #[test]
    fn the_attempt_is_said_from_the_second_on() {
        let formatted = |attempts, status| describe_attempt(Progress { attempts, status });
        assert_eq!(formatted(0, Status::Running), "");
        assert_eq!(formatted(1, Status::Waiting), "attempt 2");
        assert_eq!(formatted(1, Status::Collecting), "");
        assert_eq!(formatted(2, Status::Failed), "after 2 attempts");
    }

    #[test]
    fn a_line_of_somebody_else_cannot_steer_the_terminal() {
        assert_eq!(sanitize("a\tb\u{1b}[2Jc\r"), "a b\u{fffd}[2Jc\u{fffd}");
    }

    proptest! {
        #[test]
        fn a_size_never_grows_long(bytes: u64) {
            // 18,446,744 TB is the most that a u64 holds.
            prop_assert!(format_size(bytes).len() <= "18446744 TB".len());
        }
    }
}
