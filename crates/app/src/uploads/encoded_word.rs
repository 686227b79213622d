//! Text in S3 user metadata, which travels as HTTP header values and so must be ASCII.
//!
//! What is not plain ASCII goes as encoded words of RFC 2047 (UTF-8, base64),
//! which is also what S3 itself answers for metadata that is not ASCII. See
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail_parser::parsers::MessageStream;

/// UTF-8 bytes per encoded word: 45 give 60 characters of base64, and 72 with
/// `=?UTF-8?B?` and `?=`; RFC 2047 allows 75.
const BYTES_PER_WORD: usize = 45;

/// The text as a header value: itself when it is plain, encoded words otherwise.
pub(super) fn encode(text: &str) -> String {
    let plain = text.bytes().all(|b| matches!(b, b' '..=b'~'))
        && !text.contains("=?")
        && text.trim() == text
        && !text.contains("  ");
    if plain {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        // RFC 2047, section 5: a character never spans two words.
        let cut = (1..=BYTES_PER_WORD.min(rest.len()))
            .rev()
            .find(|at| rest.is_char_boundary(*at))
            .unwrap_or(rest.len());
        let (word, tail) = rest.split_at(cut);
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = tail;
    }
    words.join(" ")
}

/// The text of a header value. Some uploaders encode a text as one word that is longer than the 75
/// characters that the RFC allows; it is decoded all the same.
pub(super) fn decode(value: &str) -> String {
    // The parser reads a header up to the end of its line.
    let line = value.replace(['\r', '\n'], " ");
    MessageStream::new(format!("{line}\n").as_bytes())
        .parse_unstructured()
        .into_text()
        .map_or_else(|| value.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes what [`encode`] writes, and nothing else.
    fn decode_strictly(value: &str) -> String {
        let bytes: Vec<u8> = value
            .split(' ')
            .flat_map(|word| {
                let inner = word
                    .strip_prefix("=?UTF-8?B?")
                    .and_then(|word| word.strip_suffix("?="));
                STANDARD.decode(inner.unwrap()).unwrap()
            })
            .collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(encode("Q3 plan (v2)"), "Q3 plan (v2)");
        assert_eq!(encode(""), "");
    }

    #[test]
    fn other_text_becomes_encoded_words() {
        assert_eq!(encode("Prévision"), "=?UTF-8?B?UHLDqXZpc2lvbg==?=");
        assert_eq!(decode_strictly(&encode("a\r\nb")), "a\r\nb");
    }

    #[test]
    fn a_title_beyond_ascii_is_decoded() {
        assert_eq!(decode("=?UTF-8?B?UGzDoW4gUTM=?="), "Plán Q3");
        assert_eq!(decode("Q3 plan"), "Q3 plan");
    }

    #[test]
    fn a_long_title_in_one_encoded_word_is_decoded() {
        let word = format!("=?UTF-8?Q?{}?=", "=C3=A9".repeat(60));
        assert_eq!(decode(&word), "é".repeat(60));
    }

    #[test]
    fn a_title_of_several_encoded_words_is_decoded() {
        let title = "Prévision de l’année à venir, révisée après réunion";
        let value = encode(title);
        assert!(value.contains(' '), "{value}");
        assert_eq!(decode(&value), title);
    }

    #[test]
    fn words_and_text_side_by_side_are_decoded() {
        let words = "=?UTF-8?B?UGzDoW4=?= =?UTF-8?Q?_Q3?=";
        assert_eq!(decode(words), "Plán Q3");
        assert_eq!(
            decode("For =?UTF-8?Q?M=C3=BCnchen?= 2027"),
            "For München 2027"
        );
        assert_eq!(decode("=?ISO-8859-1?Q?Se=F1ales?="), "Señales");
    }

    #[test]
    fn what_is_no_encoded_word_stays() {
        for text in ["", "=?", "=?UTF-8?X?abc?=", "2 =? 3", "Plán Q3"] {
            assert_eq!(decode(text), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_survives_as_short_ascii_words(text in any::<String>()) {
            let value = encode(&text);
            prop_assert!(value.bytes().all(|b| (b' '..=b'~').contains(&b)));
            if value != text {
                prop_assert!(value.split(' ').all(|word| word.len() <= 75));
                prop_assert_eq!(decode_strictly(&value), text);
            }
        }
    }
}
