//! From bytes to text: which encoding a file is in, and where it breaks.
//!
//! A document is decoded whole; a table, which may be of any length, as a [`stream`].

pub(crate) mod stream;

use std::{borrow::Cow, fmt};

use dropcast_domain::problem::Problem;

/// How a file's text was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 with a byte order mark, which is no part of the text.
    Utf8Bom,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// UTF-32, low byte first.
    Utf32Le,
    /// UTF-32, high byte first.
    Utf32Be,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Bom => "UTF-8 with a byte order mark",
            Self::Utf16Le => "UTF-16 (little-endian)",
            Self::Utf16Be => "UTF-16 (big-endian)",
            Self::Utf32Le => "UTF-32 (little-endian)",
            Self::Utf32Be => "UTF-32 (big-endian)",
        })
    }
}

/// Files that people mistake for text, by their first bytes.
const BINARY: [(&[u8], &str); 5] = [
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
];

/// Decodes a file. The byte order mark decides; without one, the pattern of NUL
/// bytes at its start does, as RFC 4627, section 3, describes.
///
/// The text borrows from the bytes where they are UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), Box<Problem>> {
    if let Some((_, name)) = BINARY.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Box::new(Problem::with_message(
            "",
            name,
            "a text file",
            &format!(
                "The file is {name}; a text file is expected. Save it in a format that the model accepts."
            ),
        )));
    }
    let (encoding, mark) = detect(bytes);
    let body = &bytes[mark..];
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => std::str::from_utf8(body)
            .map(Cow::Borrowed)
            .map_err(|error| Box::new(not_utf8(body, error.valid_up_to(), mark))),
        Encoding::Utf16Le | Encoding::Utf16Be => utf16(body, encoding, mark).map(Cow::Owned),
        Encoding::Utf32Le | Encoding::Utf32Be => utf32(body, encoding, mark).map(Cow::Owned),
    }
    .map(|text| (text, encoding))
}

/// The encoding that a byte order mark indicates, and the mark's length in bytes; `None` for
/// text without a mark.
pub(crate) fn find_mark(bytes: &[u8]) -> Option<(Encoding, usize)> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Some((Encoding::Utf8Bom, 3)),
        [0xff, 0xfe, 0, 0, ..] => Some((Encoding::Utf32Le, 4)),
        [0, 0, 0xfe, 0xff, ..] => Some((Encoding::Utf32Be, 4)),
        [0xff, 0xfe, ..] => Some((Encoding::Utf16Le, 2)),
        [0xfe, 0xff, ..] => Some((Encoding::Utf16Be, 2)),
        _ => None,
    }
}

/// The encoding of a document, and the length of its byte order mark.
fn detect(bytes: &[u8]) -> (Encoding, usize) {
    if let Some(marked) = find_mark(bytes) {
        return marked;
    }
    match bytes {
        [0, 0, 0, 1..=255, ..] => (Encoding::Utf32Be, 0),
        [1..=255, 0, 0, 0, ..] => (Encoding::Utf32Le, 0),
        [0, 1..=255, 0, 1..=255, ..] | [0, 1..=255] => (Encoding::Utf16Be, 0),
        [1..=255, 0, 1..=255, 0, ..] | [1..=255, 0] => (Encoding::Utf16Le, 0),
        _ => (Encoding::Utf8, 0),
    }
}

fn utf16(body: &[u8], encoding: Encoding, mark: usize) -> Result<String, Box<Problem>> {
    let unit = |pair: &[u8]| {
        let pair = [pair[0], pair[1]];
        if encoding == Encoding::Utf16Le {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    };
    let pairs = body.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let mut text = String::with_capacity(body.len() / 2);
    let mut at = mark;
    for decoded in char::decode_utf16(pairs.map(unit)) {
        let Ok(c) = decoded else {
            return Err(Box::new(broken(encoding, at, &text, "half of a character")));
        };
        text.push(c);
        at += 2 * c.len_utf16();
    }
    if odd {
        Err(Box::new(broken(
            encoding,
            at,
            &text,
            "half of a character at the end",
        )))
    } else {
        Ok(text)
    }
}

fn utf32(body: &[u8], encoding: Encoding, mark: usize) -> Result<String, Box<Problem>> {
    let mut text = String::with_capacity(body.len() / 4);
    for (index, chunk) in body.chunks(4).enumerate() {
        let code = <[u8; 4]>::try_from(chunk).ok().map(|quad| {
            if encoding == Encoding::Utf32Le {
                u32::from_le_bytes(quad)
            } else {
                u32::from_be_bytes(quad)
            }
        });
        match code.and_then(char::from_u32) {
            Some(c) => text.push(c),
            None => {
                return Err(Box::new(broken(
                    encoding,
                    mark + 4 * index,
                    &text,
                    "a code that is not a character",
                )));
            }
        }
    }
    Ok(text)
}

fn broken(encoding: Encoding, at: usize, before: &str, found: &str) -> Problem {
    let (line, column) = position(before, before.len());
    let message = format!(
        "The file is {encoding}, but holds {found} after byte {at} (line {line}, column {column}). \
         It may have been cut off or damaged: save it again as UTF-8."
    );
    Problem::with_message("", found, "text", &message)
}

fn not_utf8(body: &[u8], valid: usize, mark: usize) -> Problem {
    let (before, rest) = body.split_at(valid);
    // The part before the problem was found to be UTF-8.
    let before = std::str::from_utf8(before).unwrap_or_default();
    let (line, column) = position(before, before.len());
    let byte = rest.first().copied().unwrap_or_default();
    let found = format!("the byte 0x{byte:02X}");
    // Windows-1252 and Latin-1 agree from 0xA0; it is what most such files are.
    let guess = match byte {
        0xa0.. if rest.len() < 2 || rest[1] < 0x80 => {
            format!(
                " In a file saved as Windows-1252 it would be \"{}\".",
                char::from(byte)
            )
        }
        _ => String::new(),
    };
    let message = format!(
        "The file is not UTF-8: {found} after byte {} (line {line}, column {column}) is not part of a character.{guess} \
         Save the file again and choose UTF-8 as its encoding.",
        valid + mark
    );
    Problem::with_message("", &found, "UTF-8 text", &message)
}

/// Line and column, both from 1, of a byte offset; the column counts characters.
pub(crate) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = 1 + before.bytes().filter(|&byte| byte == b'\n').count();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, 1 + before[start..].chars().count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(bytes: &[u8]) -> String {
        decode(bytes).unwrap_err().message
    }

    #[test]
    fn the_byte_that_is_not_utf8_is_named_with_its_place() {
        assert_eq!(
            message(b"{\n  \"caf\xe9\": 1}"),
            "The file is not UTF-8: the byte 0xE9 after byte 8 (line 2, column 7) is not part of a character. \
             In a file saved as Windows-1252 it would be \"é\". Save the file again and choose UTF-8 as its encoding."
        );
        assert!(
            message(b"\xef\xbb\xbfa\xc3").contains("the byte 0xC3 after byte 4 (line 1, column 2)")
        );
        assert!(message(b"[1,\xf0\x9f\x92]").contains("0xF0 after byte 3"));
    }

    #[test]
    fn a_binary_file_is_named_by_what_it_is() {
        assert!(
            message(b"PK\x03\x04rest")
                .starts_with("The file is a zip archive or an Excel workbook;")
        );
        assert!(message(b"\xd0\xcf\x11\xe0rest").contains("an old Excel or Word file"));
        assert!(message(b"%PDF-1.7").contains("a PDF document"));
    }

    #[test]
    fn half_characters_in_utf16_and_utf32_are_named() {
        assert!(message(b"\xff\xfe[\0\0\xd8]\0").contains("half of a character after byte 4"));
        assert!(
            message(b"\xff\xfe[\0]\0x").contains("half of a character at the end after byte 6")
        );
        assert!(
            message(b"\xff\xfe\0\0[\0\0\0\0\0\x11\0")
                .contains("a code that is not a character after byte 8")
        );
        assert!(message(b"\xff\xfe\0\0[\0\0\0]\0").contains("after byte 8"));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(
            decode(b"\xef\xbb\xbf[]").unwrap(),
            (Cow::Borrowed("[]"), Encoding::Utf8Bom)
        );
        assert_eq!(decode(b"").unwrap(), (Cow::Borrowed(""), Encoding::Utf8));
    }

    proptest! {
        #[test]
        fn text_in_any_unicode_encoding_arrives_as_it_was(text in "[\\[\"{0-9]\\PC{0,40}", marked in any::<bool>()) {
            // Without a mark the guess needs two ASCII characters at the start, as JSON has.
            prop_assume!(marked || text.chars().take(2).all(|c| c.is_ascii()));
            let mark = if marked { "\u{feff}" } else { "" };
            let whole = format!("{mark}{text}");
            let utf16: Vec<u16> = whole.encode_utf16().collect();
            let files = [
                (whole.clone().into_bytes(), if marked { Encoding::Utf8Bom } else { Encoding::Utf8 }),
                (utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(), Encoding::Utf16Le),
                (utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect(), Encoding::Utf16Be),
                (whole.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(), Encoding::Utf32Le),
                (whole.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(), Encoding::Utf32Be),
            ];
            for (bytes, encoding) in files {
                let (decoded, found) = decode(&bytes).unwrap();
                prop_assert_eq!(found, encoding);
                prop_assert_eq!(decoded.as_ref(), &text);
            }
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
        }
    }
}
