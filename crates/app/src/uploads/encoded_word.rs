//! Text in S3 user metadata, which travels as HTTP header values and so must be ASCII.
//!
//! What is not plain ASCII goes as encoded words of RFC 2047 (UTF-8, base64),
//! which is also what S3 itself answers for metadata that is not ASCII. See
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>.

use base64::{Engine as _, engine::general_purpose::STANDARD};

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(value: &str) -> String {
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
        assert_eq!(decode(&encode("a\r\nb")), "a\r\nb");
    }

    proptest! {
        #[test]
        fn every_text_survives_as_short_ascii_words(text in any::<String>()) {
            let value = encode(&text);
            prop_assert!(value.bytes().all(|b| (b' '..=b'~').contains(&b)));
            if value != text {
                prop_assert!(value.split(' ').all(|word| word.len() <= 75));
                prop_assert_eq!(decode(&value), text);
            }
        }
    }
}
