//! Dates and times as people write them.

use std::fmt::Write;

use dropcast_domain::model::{DateOrder, Locale};
use jiff::civil::Date;

/// What is wrong with a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::table) enum DateProblem {
    /// It is none.
    None,
    /// There is no month of this number.
    NoMonth(i16),
    /// The month has only so many days.
    NoDay { year: i16, month: i8, days: i8 },
    /// A year of two digits.
    ShortYear,
    /// Digits whose order of day and month is not known; the dates that they may represent.
    AmbiguousOrder(Option<Date>, Option<Date>),
    /// A number of days, as Excel counts them, and the date that it would represent.
    Days(Date),
    /// A time that is not midnight where a date is wanted.
    HasTime,
    /// The date is right, the time is none.
    Time,
}

/// Reads a date and writes it as `2026-01-31`.
pub(super) fn date(
    text: &str,
    locale: Option<Locale>,
    canonical: &mut String,
) -> Result<(), DateProblem> {
    let (day, rest) = leading(text, locale)?;
    let time = rest.trim();
    if !time.is_empty() {
        let midnight = time
            .strip_prefix(['T', 't'])
            .unwrap_or(time)
            .bytes()
            .all(|byte| matches!(byte, b'0' | b':' | b'.' | b'Z'));
        return Err(match (midnight, is_time(time)) {
            (true, true) => {
                canonical.clear();
                let _ = write!(canonical, "{day}");
                return Ok(());
            }
            (_, true) => DateProblem::HasTime,
            _ => DateProblem::None,
        });
    }
    canonical.clear();
    if is_iso(text.as_bytes()) {
        canonical.push_str(text);
    } else {
        let _ = write!(canonical, "{day}");
    }
    Ok(())
}

/// Reads a date and time and writes it as RFC 3339 has it; without an offset it is UTC.
pub(super) fn date_time(
    text: &str,
    locale: Option<Locale>,
    canonical: &mut String,
) -> Result<(), DateProblem> {
    let (day, rest) = leading(text, locale)?;
    canonical.clear();
    if is_iso(text.as_bytes().get(..10).unwrap_or_default()) {
        canonical.push_str(&text[..10]);
    } else {
        let _ = write!(canonical, "{day}");
    }
    canonical.push('T');
    let time = rest
        .strip_prefix(['T', 't'])
        .unwrap_or(rest)
        .trim_start_matches(' ');
    if time.is_empty() {
        canonical.push_str("00:00:00Z");
        return Ok(());
    }
    let Some((clock, zone)) = split_zone(time) else {
        return Err(DateProblem::Time);
    };
    if !write_clock(clock.trim_end(), canonical) {
        return Err(DateProblem::Time);
    }
    match zone {
        "" | "z" => canonical.push('Z'),
        zone => canonical.push_str(zone),
    }
    Ok(())
}

/// Reads a time of day and writes it as RFC 3339 has it; without an offset it is UTC. False when
/// it is none.
pub(super) fn time(text: &str, canonical: &mut String) -> bool {
    canonical.clear();
    let Some((clock, zone)) = split_zone(text) else {
        return false;
    };
    let is_clock = write_clock(clock.trim_end(), canonical);
    match zone {
        "" | "z" => canonical.push('Z'),
        zone => canonical.push_str(zone),
    }
    is_clock
}

/// The date that a text begins with, and what follows it.
fn leading(text: &str, locale: Option<Locale>) -> Result<(Date, &str), DateProblem> {
    let bytes = text.as_bytes();
    if bytes.len() >= 10 && is_iso(&bytes[..10]) {
        let number = |range: std::ops::Range<usize>| text[range].parse::<i16>().unwrap_or(0);
        let rest = &text[10..];
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(DateProblem::None);
        }
        return day(number(0..4), number(5..7), number(8..10)).map(|day| (day, rest));
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !is_between(c))
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let Some(parts) = parts(digits) else {
        return Err(explain_text(text));
    };
    if !(rest.is_empty() || rest.starts_with([' ', 'T', 't'])) {
        return Err(DateProblem::None);
    }
    parse_parts(parts, locale).map(|day| (day, rest))
}

/// The separators between the digits of a date.
fn is_between(c: char) -> bool {
    matches!(c, '.' | '/' | '-')
}

/// `31.12.2026` in its three parts.
fn parts(digits: &str) -> Option<[&str; 3]> {
    let separator = digits.chars().find(|&c| is_between(c))?;
    let mut parts = digits.split(separator);
    let parts = [parts.next()?, parts.next()?, parts.next()?]
        .into_iter()
        .chain(parts)
        .collect::<Vec<_>>();
    let is_part = |part: &&str| {
        !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit())
    };
    match *parts {
        [a, b, c] if parts.iter().all(is_part) => Some([a, b, c]),
        _ => None,
    }
}

fn parse_parts(parts: [&str; 3], locale: Option<Locale>) -> Result<Date, DateProblem> {
    let number = |part: &str| part.parse::<i16>().unwrap_or(i16::MAX);
    let [first, second, third] = parts.map(number);
    if parts[0].len() == 4 && parts[1].len() <= 2 && parts[2].len() <= 2 {
        // Nobody writes the day between the year and the month.
        return match locale {
            Some(_) => day(first, second, third),
            None => Err(day(first, second, third).map_or_else(
                |problem| problem,
                |day| DateProblem::AmbiguousOrder(Some(day), None),
            )),
        };
    }
    if parts[0].len() > 2 || parts[1].len() > 2 || parts[2].len() == 3 {
        return Err(DateProblem::None);
    }
    if parts[2].len() < 4 {
        return Err(DateProblem::ShortYear);
    }
    match locale.map(Locale::date_order) {
        Some(DateOrder::MonthDayYear) => day(third, first, second),
        Some(DateOrder::DayMonthYear) => day(third, second, first),
        Some(DateOrder::YearMonthDay) | None => {
            match (day(third, second, first), day(third, first, second)) {
                // 31/02: it can only mean a day of February.
                (Err(DateProblem::NoMonth(_)), Err(problem @ DateProblem::NoDay { .. }))
                | (Err(problem), Err(_)) => Err(problem),
                (one, other) => Err(DateProblem::AmbiguousOrder(one.ok(), other.ok())),
            }
        }
    }
}

fn explain_text(text: &str) -> DateProblem {
    let days = text.split(['.', ',']).next().unwrap_or_default();
    // From 1954 to 2064: smaller and larger numbers are something else.
    match days.parse::<i32>() {
        Ok(days)
            if (20_000..60_000).contains(&days)
                && text.bytes().all(|b| !b.is_ascii_alphabetic()) =>
        {
            excel_day(days).map_or(DateProblem::None, DateProblem::Days)
        }
        _ => DateProblem::None,
    }
}

/// The date of a number of days as Excel counts them, from 1900 and with the 29 February
/// that this year did not have.
pub(super) fn excel_day(days: i32) -> Option<Date> {
    let start = Date::new(1899, 12, 30).ok()?;
    start
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()
}

fn day(year: i16, month: i16, day: i16) -> Result<Date, DateProblem> {
    let Some(month) = i8::try_from(month)
        .ok()
        .filter(|month| (1..=12).contains(month))
    else {
        return Err(DateProblem::NoMonth(month));
    };
    let first = Date::new(year, month, 1).map_err(|_| DateProblem::None)?;
    let days = first.days_in_month();
    match i8::try_from(day) {
        Ok(day) if (1..=days).contains(&day) => {
            Date::new(year, month, day).map_err(|_| DateProblem::None)
        }
        _ => Err(DateProblem::NoDay { year, month, days }),
    }
}

/// Whether these are ten characters such as `2026-01-31`.
fn is_iso(bytes: &[u8]) -> bool {
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn is_time(text: &str) -> bool {
    let text = text.strip_prefix(['T', 't']).unwrap_or(text);
    split_zone(text).is_some_and(|(clock, _)| write_clock(clock.trim_end(), &mut String::new()))
}

/// A time's clock and its zone: nothing, `Z` or `+01:00`.
fn split_zone(text: &str) -> Option<(&str, &str)> {
    let at = text.find(['Z', 'z', '+', '-']);
    let (clock, zone) = text.split_at(at.unwrap_or(text.len()));
    let fits = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            [h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit())
                && (*h1, *h2) < (b'2', b'4')
                && *m1 < b'6'
        }
        _ => false,
    };
    fits.then_some((clock, zone))
}

/// `8:30`, `08:30`, `08:30:15` or `08:30:15.5`, completed to seconds.
fn write_clock(text: &str, out: &mut String) -> bool {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match *parts {
        [hour, minute] if fraction.is_none() => (hour, minute, "00"),
        [hour, minute, second] => (hour, minute, second),
        _ => return false,
    };
    let fits = |part: &str, most: u8| {
        part.len() == 2
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u8>().is_ok_and(|number| number <= most)
    };
    let padded = if hour.len() == 1 {
        format!("0{hour}")
    } else {
        hour.to_owned()
    };
    // A leap second is the validator's affair.
    if !fits(&padded, 23) || !fits(minute, 59) || !fits(second, 60) {
        return false;
    }
    let _ = write!(out, "{padded}:{minute}:{second}");
    match fraction {
        Some(fraction) if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) => {
            return false;
        }
        Some(fraction) => drop(write!(out, ".{fraction}")),
        None => {}
    }
    true
}
