//! Excel's dates: days since an epoch, with the time of day as their fraction.
//!
//! A workbook counts from 1900 (where day 1 is 1900-01-01, and day 60 is 1900-02-29, a
//! date that never was: Excel keeps the mistake of Lotus 1-2-3) or from 1904 (where
//! day 0 is 1904-01-01). Times are read to the millisecond, which is what Excel keeps.

use calamine::ExcelDateTime;
use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, Time},
};

use crate::Cell;

const DAY_MILLIS: i64 = 86_400_000;

/// Day 0 when days are counted from 1900, for all days after the false leap day.
const EPOCH_1900: Date = Date::constant(1899, 12, 30);

/// Day 0 for the days before the false leap day.
const EPOCH_1900_EARLY: Date = Date::constant(1899, 12, 31);

/// Day 0 when days are counted from 1904.
const EPOCH_1904: Date = Date::constant(1904, 1, 1);

/// The day in February 1900 that only Excel has.
const FALSE_LEAP_DAY: i64 = 60;

/// What a number holds that the workbook shows as a date, a time or a duration.
pub(crate) fn to_cell(value: &ExcelDateTime, is_1904: bool) -> Cell {
    let serial = value.as_f64();
    if value.is_duration() {
        return Cell::Unusable(duration(serial));
    }
    from_serial(serial, is_1904)
}

/// A day count as a date; the text of what it is where no calendar has it.
fn from_serial(serial: f64, is_1904: bool) -> Cell {
    // The last day is 9999-12-31; the comparison refuses what is not a number, too.
    let last = if is_1904 { 2_957_004.0 } else { 2_958_466.0 };
    if !(0.0..last).contains(&serial) {
        return Cell::Unusable(serial.to_string());
    }
    let millis = to_millis(serial);
    let day = millis / DAY_MILLIS;
    let is_time_of_day = if is_1904 {
        day == 0 && millis > 0
    } else {
        day == 0
    };
    if is_time_of_day {
        return Cell::Unusable(time_of_day(millis));
    }
    let epoch = match (is_1904, day) {
        (true, _) => EPOCH_1904,
        (false, FALSE_LEAP_DAY) => return Cell::Unusable("1900-02-29".to_owned()),
        (false, ..FALSE_LEAP_DAY) => EPOCH_1900_EARLY,
        (false, _) => EPOCH_1900,
    };
    // The date on its own: the sum with a time cannot reach the last day.
    let time = SignedDuration::from_millis(millis % DAY_MILLIS);
    let dated = epoch
        .checked_add(day.days())
        .and_then(|date| date.to_datetime(Time::midnight()).checked_add(time));
    match dated {
        Ok(date) => Cell::DateTime(date),
        Err(_) => Cell::Unusable(serial.to_string()),
    }
}

/// A date as the ISO 8601 text that a strict Office Open XML file holds.
pub(crate) fn from_iso(text: &str) -> Cell {
    text.trim_end_matches('Z')
        .parse()
        .map_or_else(|_| Cell::Unusable(text.to_owned()), Cell::DateTime)
}

/// Days in milliseconds, which is as exactly as Excel keeps them.
fn to_millis(days: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "those who ask checked the range: below 1e9 days"
    )]
    let millis = (days * 86_400_000.0).round() as i64;
    millis
}

/// A time of day without a date: `12:30:00`.
fn time_of_day(millis: i64) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let fraction = if millis == 0 {
        String::new()
    } else {
        format!(".{millis:03}")
    };
    format!("{hours:02}:{minutes:02}:{:02}{fraction}", seconds % 60)
}

/// A duration as Excel shows it: `36:00:00`.
fn duration(days: f64) -> String {
    if !(-1e9..1e9).contains(&days) {
        return days.to_string();
    }
    let millis = to_millis(days);
    let minus = if millis < 0 { "-" } else { "" };
    format!("{minus}{}", time_of_day(millis.abs()))
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    fn read(serial: f64, is_1904: bool) -> String {
        shown(from_serial(serial, is_1904))
    }

    fn shown(cell: Cell) -> String {
        match cell {
            Cell::DateTime(date) => date.to_string(),
            Cell::Unusable(text) => format!("unusable {text}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_epochs_and_the_false_leap_day() {
        assert_eq!(read(1.0, false), "1900-01-01T00:00:00");
        assert_eq!(read(59.0, false), "1900-02-28T00:00:00");
        assert_eq!(read(60.0, false), "unusable 1900-02-29");
        assert_eq!(read(60.75, false), "unusable 1900-02-29");
        assert_eq!(read(61.0, false), "1900-03-01T00:00:00");
        assert_eq!(read(45000.0, false), "2023-03-15T00:00:00");
        assert_eq!(read(2_958_465.0, false), "9999-12-31T00:00:00");
        assert_eq!(read(0.0, true), "1904-01-01T00:00:00");
        assert_eq!(read(43538.0, true), "2023-03-15T00:00:00");
        assert_eq!(read(2_957_003.0, true), "9999-12-31T00:00:00");
    }

    #[test]
    fn times_are_exact_to_the_millisecond() {
        assert_eq!(read(45943.541, false), "2025-10-13T12:59:02.4");
        assert_eq!(read(45_000.999_999_999_99, false), "2023-03-16T00:00:00");
    }

    #[test]
    fn what_is_no_date_is_shown_as_its_text() {
        for (serial, is_1904, text) in [
            (0.5, false, "12:00:00"),
            (0.0, false, "00:00:00"),
            (0.5, true, "12:00:00"),
            (-1.0, false, "-1"),
            (2_958_466.0, false, "2958466"),
            (f64::NAN, false, "NaN"),
            (f64::INFINITY, true, "inf"),
        ] {
            assert_eq!(read(serial, is_1904), format!("unusable {text}"));
        }
        let hours = ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false);
        assert_eq!(shown(to_cell(&hours, false)), "unusable 36:00:00");
        assert_eq!(duration(-0.25), "-06:00:00");
        assert_eq!(duration(1e300), format!("{}", 1e300));
    }

    #[test]
    fn a_strict_workbook_writes_dates_as_text() {
        assert_eq!(shown(from_iso("2026-03-15")), "2026-03-15T00:00:00");
        assert_eq!(
            shown(from_iso("2026-03-15T08:30:00Z")),
            "2026-03-15T08:30:00"
        );
        assert_eq!(shown(from_iso("soon")), "unusable soon");
    }
}
