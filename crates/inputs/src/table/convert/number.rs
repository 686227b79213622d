//! Numbers as people write them.

use dropcast_domain::model::Locale;
use serde_json::Number;

/// What is wrong with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::table) enum NumberProblem {
    /// It is none.
    None,
    /// A decimal comma, or thousands separators, without a locale that has them.
    Separators,
    /// Digits other than 0 to 9.
    Digits,
    /// `NaN`, `inf`.
    NoSuch,
    /// A number with a unit, a currency or another symbol.
    Unit,
    /// A negative number as accountants write it: `(4.5)`, `4.5-`; or with a dash.
    Negative,
    /// What people write where they have no number: `n/a`, `-`.
    Placeholder,
    /// A number with a percent sign.
    Percent,
    /// Beyond the range of a double.
    TooLarge,
    /// A whole number of more digits than 64 bits hold.
    TooLong,
    /// Decimals where a whole number is wanted.
    NotWhole,
}

impl NumberProblem {
    /// Whether what to write instead follows from the very text.
    pub(super) fn is_clear_from_text(self) -> bool {
        matches!(self, Self::Separators | Self::Negative)
    }
}

/// Reads a number and writes its canonical text: the same digits, a decimal point, no separators
/// between the thousands, no plus sign, no leading zeros. A `whole` one comes without decimals.
pub(super) fn parse(
    text: &str,
    locale: Option<Locale>,
    whole: bool,
    canonical: &mut String,
) -> Result<Number, NumberProblem> {
    canonical.clear();
    if !write_canonical(text, locale, canonical) {
        return Err(why(text, locale));
    }
    let is_plain = !canonical.contains(['.', 'e']);
    if is_plain {
        if let Ok(number) = canonical.parse::<i64>() {
            return Ok(number.into());
        }
        if let Ok(number) = canonical.parse::<u64>() {
            return Ok(number.into());
        }
        if whole {
            return Err(NumberProblem::TooLong);
        }
    }
    let double: f64 = canonical.parse().map_err(|_| NumberProblem::None)?;
    let number = Number::from_f64(double).ok_or(NumberProblem::TooLarge)?;
    if !whole {
        return Ok(number);
    }
    let Some(integer) = self::whole(double) else {
        return Err(if double.fract() == 0.0 {
            NumberProblem::TooLong
        } else {
            NumberProblem::NotWhole
        });
    };
    canonical.clear();
    canonical.push_str(&integer.to_string());
    Ok(integer.into())
}

/// A double as the whole number that it exactly is.
pub(super) fn whole(double: f64) -> Option<i64> {
    // Beyond 2^53 a double does not tell neighbouring whole numbers apart.
    #[expect(clippy::cast_possible_truncation, reason = "Whole, and below 2^53.")]
    (double.fract() == 0.0 && double.abs() <= 9_007_199_254_740_992.0).then_some(double as i64)
}

/// A number without the digits that multiplying or dividing by a hundred left behind the
/// fifteenth, which is as many as Excel keeps.
pub(super) fn shortened(double: f64) -> f64 {
    format!("{double:.14e}").parse().unwrap_or(double)
}

/// The number in its canonical text; false when it is none.
fn write_canonical(text: &str, locale: Option<Locale>, out: &mut String) -> bool {
    let decimal = locale.map_or('.', Locale::decimal);
    let unsigned = match text.strip_prefix(['-', '+']) {
        Some(unsigned) => {
            if text.starts_with('-') {
                out.push('-');
            }
            unsigned
        }
        // The minus sign of typesetters, which some programs write.
        None => match text.strip_prefix('\u{2212}') {
            Some(unsigned) => {
                out.push('-');
                unsigned
            }
            None => text,
        },
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (integer, fraction) = match mantissa.split_once(decimal) {
        Some((integer, fraction)) => (integer, Some(fraction)),
        None => (mantissa, None),
    };
    if integer.is_empty() && fraction.is_none_or(str::is_empty) {
        return false;
    }
    let start = out.len();
    if !write_integer(integer, locale, out) {
        return false;
    }
    let digits = out[start..].trim_start_matches('0').len();
    let zeros = out.len() - start - digits;
    out.replace_range(start..start + zeros, "");
    if out.len() == start {
        out.push('0');
    }
    if let Some(fraction) = fraction.filter(|fraction| !fraction.is_empty()) {
        if !is_digits(fraction) {
            return false;
        }
        out.push('.');
        out.push_str(fraction);
    }
    let Some(exponent) = exponent else {
        return true;
    };
    let (negative, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => (true, exponent),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    out.push('e');
    if negative {
        out.push('-');
    }
    out.push_str(exponent);
    !exponent.is_empty() && is_digits(exponent)
}

/// The digits before the decimal separator, without the thousands separators.
fn write_integer(text: &str, locale: Option<Locale>, out: &mut String) -> bool {
    if is_digits(text) {
        out.push_str(text);
        return true;
    }
    let separators = locale.map_or(&[][..], Locale::grouping);
    let Some(separator) = text.chars().find(|c| !c.is_ascii_digit()) else {
        return false;
    };
    let is_space = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}');
    if !(separators.contains(&separator) || is_space(separator) && separators.contains(&' ')) {
        return false;
    }
    for (index, group) in text.split(separator).enumerate() {
        let fits = match index {
            0 => (1..=3).contains(&group.len()),
            _ => group.len() == 3,
        };
        if !fits || !is_digits(group) {
            return false;
        }
        out.push_str(group);
    }
    true
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A negative number that is written in another way, with a minus sign before it.
pub(super) fn negative(text: &str) -> Option<String> {
    let is_dash = |c: char| {
        matches!(
            c,
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}'
        )
    };
    let in_brackets = || text.strip_prefix('(')?.strip_suffix(')');
    let bare = in_brackets()
        .or_else(|| text.strip_suffix(is_dash))
        .or_else(|| text.strip_prefix(is_dash))?;
    let bare = bare.trim();
    bare.starts_with(|c: char| c.is_ascii_digit())
        .then(|| format!("-{bare}"))
}

/// Whether a text is a placeholder for a missing number.
fn is_placeholder(text: &str) -> bool {
    let bare = text.trim_matches(['-', '\u{2013}', '\u{2014}', '.', '?', '/', '*']);
    let lower = bare.to_ascii_lowercase();
    bare.is_empty()
        || matches!(
            lower.as_str(),
            "n/a"
                | "na"
                | "n.a"
                | "n.v"
                | "k.a"
                | "#n/a"
                | "#nv"
                | "null"
                | "none"
                | "nil"
                | "tbd"
                | "tba"
                | "open"
                | "offen"
        )
}

/// Why a text is no number.
fn why(text: &str, locale: Option<Locale>) -> NumberProblem {
    let is_number = |text: String| write_canonical(&text, locale, &mut String::new());
    if negative(text).is_some_and(is_number) {
        return NumberProblem::Negative;
    }
    if is_placeholder(text) {
        return NumberProblem::Placeholder;
    }
    let unsigned = text.strip_prefix(['+', '-', '\u{2212}']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(
        lower.as_str(),
        "nan" | "inf" | "infinity" | "-nan" | "1.#inf" | "∞"
    ) {
        return NumberProblem::NoSuch;
    }
    if text.chars().any(|c| c.is_numeric() && !c.is_ascii_digit()) {
        return NumberProblem::Digits;
    }
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return NumberProblem::None;
    }
    let is_separator = |c: char| {
        matches!(
            c,
            '.' | ',' | '\'' | '\u{2019}' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'
        )
    };
    if !unsigned.is_empty()
        && unsigned
            .chars()
            .all(|c| c.is_ascii_digit() || is_separator(c))
    {
        return NumberProblem::Separators;
    }
    let is_unit = |c: char| c.is_alphabetic() || is_separator(c) || "%‰€$£¥₹/~≈*<>≤≥±#".contains(c);
    let bare = text.trim_matches(|c| is_unit(c) || c == '-' || c == '+');
    let amount = bare.chars().all(|c| c.is_ascii_digit() || is_separator(c));
    let has_unit = text.chars().any(|c| is_unit(c) && !is_separator(c));
    if amount && has_unit && !bare.is_empty() {
        let behind = text.trim_end_matches('%');
        if behind.len() < text.len() && !behind.chars().any(|c| is_unit(c) && !is_separator(c)) {
            return NumberProblem::Percent;
        }
        NumberProblem::Unit
    } else {
        NumberProblem::None
    }
}
