//! What a run is called, made safe to print anywhere.

use crate::text::clean_line;

/// The longest title that is kept, in characters.
pub const TITLE_LENGTH: usize = 120;

/// Cleans a text that a user chose as a run's name: line breaks, control and
/// direction-changing characters become spaces, runs of spaces one, and what
/// is longer than [`TITLE_LENGTH`] is cut with an ellipsis.
///
/// A title goes into a mail's subject and onto terminals, where a line break
/// would become a header and a bidirectional override would reverse the line.
pub fn clean(text: &str) -> String {
    let folded = clean_line(text);
    if folded.chars().count() <= TITLE_LENGTH {
        return folded;
    }
    folded
        .chars()
        .take(TITLE_LENGTH - 1)
        .chain(std::iter::once('…'))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::is_hidden;

    #[test]
    fn a_line_break_in_a_title_becomes_a_space() {
        assert_eq!(
            clean("Q3 plan\r\nBcc: eve@evil.example"),
            "Q3 plan Bcc: eve@evil.example"
        );
    }

    #[test]
    fn a_direction_override_is_taken_out() {
        assert_eq!(clean("plan \u{202e}gnp.exe"), "plan gnp.exe");
    }

    proptest! {
        #[test]
        fn a_clean_title_is_one_short_line(text in any::<String>()) {
            let title = clean(&text);
            prop_assert!(title.chars().count() <= TITLE_LENGTH);
            prop_assert!(!title.chars().any(is_hidden));
            prop_assert_eq!(clean(&title), title);
        }
    }
}
