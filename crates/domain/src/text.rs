//! Texts, sizes, times and counts as a person reads them.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// The maximum length of an excerpt of a file's content, in characters.
pub const EXCERPT_CHARS: usize = 200;

/// What a tab of a log line becomes.
const TAB: &str = "    ";

/// Makes any text one safe line of at most `max_chars` characters.
///
/// Line breaks, control and direction-changing characters become spaces and
/// runs of spaces one, so that no text from a user can start a new line
/// or reverse the direction of one. Reads no further than it keeps.
pub fn one_line(text: &str, max_chars: usize) -> String {
    without_links(bare_line(text, max_chars), max_chars)
}

fn bare_line(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    let (mut kept, mut gap) = (0, false);
    for c in text.chars() {
        if c.is_whitespace() || is_hidden(c) {
            gap = kept > 0;
            continue;
        }
        if kept + usize::from(gap) >= max_chars {
            return cut(line, max_chars);
        }
        if gap {
            line.push(' ');
            kept += 1;
            gap = false;
        }
        line.push(c);
        kept += 1;
    }
    line
}

/// A line in which no program finds a link: mail readers make one of every `https://…` and
/// `www.…` that they see, also of one that a file's cell put there.
fn without_links(line: String, max_chars: usize) -> String {
    let lower = line.to_ascii_lowercase();
    let is_link = |at: usize| lower[at..].starts_with("://") || lower[at..].starts_with("www.");
    let mut broken = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        broken.push(c);
        let is_www = c == 'w' || c == 'W';
        if c == ':' && is_link(at)
            || is_www && at >= 2 && lower.is_char_boundary(at - 2) && is_link(at - 2)
        {
            broken.push(' ');
        }
    }
    if broken.len() == line.len() {
        return line;
    }
    if broken.chars().count() > max_chars {
        return cut(broken.chars().take(max_chars).collect(), max_chars);
    }
    broken
}

/// Makes a line of a program's output safe to show, indentation kept.
///
/// Terminal colours are taken out, and of a line that a progress bar rewrote,
/// the last state stays.
pub fn log_line(text: &str, max_chars: usize) -> String {
    without_links(bare_log_line(text, max_chars), max_chars)
}

fn bare_log_line(text: &str, max_chars: usize) -> String {
    let last = text.trim_end().rsplit('\r').next().unwrap_or_default();
    let mut line = String::new();
    let (mut kept, mut chars) = (0, last.chars().peekable());
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // A control sequence is ESC [ … up to a letter (ECMA-48, 5.4).
            if chars.next_if_eq(&'[').is_some() {
                while chars.next_if(|c| !('@'..='~').contains(c)).is_some() {}
                chars.next();
            }
            continue;
        }
        if kept >= max_chars {
            return cut(line, max_chars);
        }
        match c {
            '\t' => line.push_str(TAB),
            c if is_hidden(c) => line.push(' '),
            c => line.push(c),
        }
        kept += 1;
    }
    line.trim_end().to_owned()
}

/// The first `max_chars` characters of a text, and an ellipsis where it has more.
pub fn shorten(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Ends a line that is already full with an ellipsis.
fn cut(line: String, max_chars: usize) -> String {
    let keep = line
        .char_indices()
        .nth(max_chars.saturating_sub(1))
        .map_or(line.len(), |(at, _)| at);
    let mut line = line;
    line.truncate(keep);
    line.truncate(line.trim_end().len());
    line.push('…');
    line
}

/// Makes any text one line, of any length: hidden characters and line breaks become spaces, runs
/// of spaces one.
pub fn clean_line(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text in quotation marks, shortened to [`EXCERPT_CHARS`] in all, nothing hidden in it.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", visible(text, EXCERPT_CHARS - 2))
}

/// Text shortened to [`EXCERPT_CHARS`], nothing hidden in it.
pub fn excerpt(text: &str) -> String {
    visible(text, EXCERPT_CHARS)
}

/// At most `limit` characters of a text with everything invisible written out:
/// `\n`, `\u202e`. A shortened text ends in `…`.
pub(crate) fn visible(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit * 2));
    let mut length = 0;
    let mut cut = 0;
    for c in text.chars() {
        let width = if is_written_out(c) {
            escaped(c).chars().count()
        } else {
            1
        };
        if length + width > limit {
            shown.truncate(cut);
            shown.push('…');
            return shown;
        }
        if is_written_out(c) {
            shown.push_str(&escaped(c));
        } else {
            shown.push(c);
        }
        length += width;
        if length < limit {
            cut = shown.len();
        }
    }
    shown
}

fn escaped(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c => format!("\\u{:04x}", u32::from(c)),
    }
}

/// Whether a character hides in a text, breaks its line or reverses its direction: control characters,
/// line separators, Unicode's explicit directional formatting characters (UAX #9), and what has
/// no width.
pub fn is_hidden(c: char) -> bool {
    is_written_out(c) || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200c}' | '\u{200d}')
}

/// The same without those that belong to words: soft hyphens, and the joiners of Persian and of
/// emoji, which an excerpt keeps.
pub(crate) fn is_written_out(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A size as people read it, in powers of 1,000: `312 bytes`, `14.2 kB`, `3.1 GB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1_000 {
        return count(bytes, "byte", "bytes");
    }
    // Tenths of the unit, so that no float is needed.
    let (tenths, unit) = match bytes {
        0..=999_499 => ((bytes + 50) / 100, "kB"),
        999_500..=999_499_999 => ((bytes + 50_000) / 100_000, "MB"),
        _ => (bytes / 100_000_000, "GB"),
    };
    if tenths < 1_000 && tenths % 10 != 0 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", grouped((tenths + 5) / 10))
    }
}

/// A length of time as people say it, in its two largest units: `3 min 12 s`.
pub fn duration(length: SignedDuration) -> String {
    let seconds = u64::try_from(length.as_secs()).unwrap_or(0);
    let pair = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match seconds {
        0 => "less than a second".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => pair(
            seconds / 86_400,
            if seconds < 172_800 { "day" } else { "days" },
            seconds / 3_600 % 24,
            "h",
        ),
    }
}

/// A moment as people write it: `1 March 2026 at 09:30 UTC`.
pub fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%-d %B %Y at %H:%M UTC")
        .to_string()
}

/// A day as people write it: `31 March 2026`.
pub fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%-d %B %Y").to_string()
}

/// A number with its noun: `1 file`, `1,234 files`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

/// A number with its thousands set apart: `1,234`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_read_well_at_every_scale() {
        let said: Vec<_> = [
            0,
            1,
            312,
            999,
            1_000,
            14_230,
            312_400,
            999_999,
            2_000_000,
            3_140_000_000,
            5_000_000_000_000,
        ]
        .map(size)
        .into();
        assert_eq!(
            said,
            [
                "0 bytes",
                "1 byte",
                "312 bytes",
                "999 bytes",
                "1 kB",
                "14.2 kB",
                "312 kB",
                "1 MB",
                "2 MB",
                "3.1 GB",
                "5,000 GB"
            ]
        );
    }

    #[test]
    fn durations_are_formatted_in_their_two_largest_units() {
        let said = [-5, 0, 12, 60, 192, 3_600, 7_500, 90_000, 176_400]
            .map(|s| duration(SignedDuration::from_secs(s)));
        assert_eq!(
            said,
            [
                "less than a second",
                "less than a second",
                "12 s",
                "1 min",
                "3 min 12 s",
                "1 h",
                "2 h 5 min",
                "1 day 1 h",
                "2 days 1 h"
            ]
        );
    }

    #[test]
    fn a_long_line_is_cut_with_an_ellipsis_between_characters() {
        assert_eq!(one_line(&"é".repeat(10_000), 5), "éééé…");
        assert_eq!(one_line("plan 2027", 9), "plan 2027");
        assert_eq!(one_line("plan 2027 b", 9), "plan 202…");
        assert_eq!(one_line("plan  \r\n 2027", 6), "plan…");
    }

    #[test]
    fn no_address_in_a_line_is_a_link() {
        assert_eq!(
            one_line("see https://a.example, WWW.b.example: \u{e9}www.c", 80),
            "see https: //a.example, WWW .b.example: \u{e9}www .c"
        );
        assert_eq!(one_line("a://b", 5), "a: /…");
        assert_eq!(log_line("  http://x", 80), "  http: //x");
        assert_eq!(one_line("ratio 1:2, www", 80), "ratio 1:2, www");
    }

    #[test]
    fn a_log_line_keeps_its_indentation_and_loses_its_colours() {
        assert_eq!(
            log_line("  \u{1b}[31;1mValueError\u{1b}[0m: no\tway\n", 80),
            "  ValueError: no    way"
        );
        assert_eq!(log_line("10 %\r 50 %\r100 %", 80), "100 %");
        assert_eq!(log_line("\u{1b}[", 80), "");
    }

    proptest! {
        #[test]
        fn a_line_is_one_line_and_no_longer_than_asked(text in any::<String>(), max_chars in 1usize..60) {
            let line = one_line(&text, max_chars);
            prop_assert!(line.chars().count() <= max_chars);
            prop_assert!(!line.chars().any(is_hidden));
            prop_assert_eq!(line.trim(), &line);
            prop_assert!(!log_line(&text, max_chars).chars().any(is_hidden));
        }
    }
}
