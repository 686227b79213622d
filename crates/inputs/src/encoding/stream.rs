//! The text of a table, piece by piece: which encoding it is in, and its bytes as UTF-8.

use std::io::{self, Read, Seek, SeekFrom};

use dropcast_domain::{
    model::TableEncoding,
    problem::{Problem, ProblemList},
};
use dropcast_workbook::ReadError;
use encoding_rs::{
    Decoder, DecoderResult, ISO_8859_2, ISO_8859_15, UTF_16BE, UTF_16LE, WINDOWS_1250, WINDOWS_1252,
};

use super::{Encoding, find_mark};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// The longest sample of a text in characters.
const MAX_SAMPLE_CHARS: usize = 30;

/// A byte that UTF-8 never has: it marks what could not be decoded, so that the cell
/// that contains it is found.
const DAMAGED: u8 = 0xff;

/// The text of a file, piece by piece.
pub(crate) struct Text<R> {
    file: R,
    raw: Vec<u8>,
    /// None for UTF-8, which is taken as it is.
    decoder: Option<Decoder>,
    /// Whether every byte is one character.
    has_code_page: bool,
}

/// The encoding of a file: its byte order mark decides, else what is declared, else where its
/// NUL bytes stand, else whether it is UTF-8. What is not, is taken for Windows-1252, which is a
/// guess: of that the second value tells.
pub(crate) fn detect<R: Read + Seek>(
    file: &mut R,
    declared: Option<TableEncoding>,
) -> Result<(TableEncoding, bool), ReadError> {
    file.rewind()?;
    let mut start = Vec::with_capacity(CHUNK);
    file.take(CHUNK as u64).read_to_end(&mut start)?;
    if start.is_empty() {
        return Err(refuse(
            "an empty file",
            "a row of column names and rows of values",
            "The file is empty. Fill it in, or save it again.",
        ));
    }
    match find_mark(&start).map(|(encoding, _)| encoding) {
        Some(Encoding::Utf32Le | Encoding::Utf32Be) => {
            return Err(refuse(
                "UTF-32 text",
                "UTF-8 text",
                "The file is UTF-32 text. Save it again and choose UTF-8 as its encoding.",
            ));
        }
        Some(Encoding::Utf8 | Encoding::Utf8Bom) => return Ok((TableEncoding::Utf8, false)),
        Some(Encoding::Utf16Le) => return Ok((TableEncoding::Utf16Le, false)),
        Some(Encoding::Utf16Be) => return Ok((TableEncoding::Utf16Be, false)),
        None => {}
    }
    if let Some(declared) = declared {
        return Ok((declared, false));
    }
    if let Some(wide) = by_nul_bytes(&start) {
        return Ok((wide, false));
    }
    file.rewind()?;
    Ok(if is_utf8(file)? {
        (TableEncoding::Utf8, false)
    } else {
        (TableEncoding::Windows1252, true)
    })
}

/// UTF-16 without a byte order mark: the high bytes of Latin text and of all delimiters are 0.
fn by_nul_bytes(start: &[u8]) -> Option<TableEncoding> {
    let nul = |from: usize| {
        start
            .iter()
            .skip(from)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd) = (nul(0), nul(1));
    // Damaged UTF-8 may hold a few of them.
    let many = (start.len() / 2 / 10).max(2);
    if odd > many && even * 10 <= odd {
        Some(TableEncoding::Utf16Le)
    } else if even > many && odd * 10 <= even {
        Some(TableEncoding::Utf16Be)
    } else {
        None
    }
}

/// Whether a file is UTF-8, be it with damaged places: more characters that only UTF-8 writes
/// so than bytes that it does not have.
fn is_utf8<R: Read>(file: &mut R) -> io::Result<bool> {
    let mut buffer = vec![0; CHUNK];
    let (mut held, mut right, mut wrong) = (0, 0_u64, 0_u64);
    loop {
        let read = read_some(file, &mut buffer[held..])?;
        let ended = read == 0;
        let end = held + read;
        let mut at = 0;
        held = 0;
        while at < end {
            let piece = &buffer[at..end];
            let (valid, length) = match std::str::from_utf8(piece) {
                Ok(_) => (piece.len(), None),
                Err(error) => (error.valid_up_to(), Some(error.error_len())),
            };
            if !piece[..valid].is_ascii() {
                let begins = |byte: &&u8| **byte >= 0xc0;
                right += piece[..valid].iter().filter(begins).count() as u64;
            }
            at += valid;
            match length {
                None => {}
                Some(Some(length)) => {
                    wrong += 1;
                    at += length;
                }
                Some(None) if ended => {
                    wrong += 1;
                    at = end;
                }
                Some(None) => {
                    // The rest of the character is in the next piece.
                    held = end - at;
                    break;
                }
            }
        }
        if ended {
            return Ok(wrong == 0 || right > wrong);
        }
        buffer.copy_within(at..at + held, 0);
    }
}

/// Reads once, whatever interrupts it.
fn read_some<R: Read>(file: &mut R, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl<R: Read + Seek> Text<R> {
    /// The text of a file from its beginning, without its byte order mark.
    pub(crate) fn new(mut file: R, encoding: TableEncoding) -> io::Result<Self> {
        file.rewind()?;
        let mut start = Vec::with_capacity(3);
        (&mut file).take(3).read_to_end(&mut start)?;
        let mark = match (encoding, find_mark(&start)) {
            (TableEncoding::Utf8, Some((Encoding::Utf8Bom, mark)))
            | (TableEncoding::Utf16Le, Some((Encoding::Utf16Le, mark)))
            | (TableEncoding::Utf16Be, Some((Encoding::Utf16Be, mark))) => mark,
            _ => 0,
        };
        file.seek(SeekFrom::Start(mark as u64))?;
        let decoder = |encoding: &'static encoding_rs::Encoding| {
            Some(encoding.new_decoder_without_bom_handling())
        };
        Ok(Self {
            file,
            raw: vec![0; CHUNK],
            decoder: match encoding {
                TableEncoding::Utf8 => None,
                TableEncoding::Utf16Le => decoder(UTF_16LE),
                TableEncoding::Utf16Be => decoder(UTF_16BE),
                TableEncoding::Windows1252 => decoder(WINDOWS_1252),
                TableEncoding::Windows1250 => decoder(WINDOWS_1250),
                TableEncoding::Iso8859Part2 => decoder(ISO_8859_2),
                TableEncoding::Iso8859Part15 => decoder(ISO_8859_15),
            },
            has_code_page: !matches!(
                encoding,
                TableEncoding::Utf8 | TableEncoding::Utf16Le | TableEncoding::Utf16Be
            ),
        })
    }

    /// Appends the next piece of the text; false when there is no more after it.
    pub(crate) fn read(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        let Some(decoder) = &mut self.decoder else {
            let start = into.len();
            into.resize(start + CHUNK, 0);
            let read = read_some(&mut self.file, &mut into[start..])?;
            into.truncate(start + read);
            return Ok(read > 0);
        };
        let read = read_some(&mut self.file, &mut self.raw)?;
        let last = read == 0;
        let raw = &self.raw[..read];
        let mut at = 0;
        loop {
            let start = into.len();
            // A byte of UTF-16 or Windows-1252 becomes at most three of UTF-8.
            into.resize(start + 3 * (raw.len() - at) + 16, 0);
            let (result, used, written) =
                decoder.decode_to_utf8_without_replacement(&raw[at..], &mut into[start..], last);
            into.truncate(start + written);
            if self.has_code_page {
                mark_controls(&mut into[start..]);
            }
            at += used;
            match result {
                DecoderResult::InputEmpty => return Ok(!last),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => into.push(DAMAGED),
            }
        }
    }
}

/// Marks the control characters U+0080 to U+009F as damaged. No table holds them: they are what
/// the letters of one code page become when they are read in another.
fn mark_controls(text: &mut [u8]) {
    for at in 1..text.len() {
        if text[at - 1] == 0xc2 && (0x80..=0x9f).contains(&text[at]) {
            text[at - 1..=at].fill(DAMAGED);
        }
    }
}

/// The first word that is not plain ASCII.
pub(crate) fn sample(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let is_between = |c: char| !c.is_alphanumeric() && c.is_ascii();
    let at = text.find(|c: char| !c.is_ascii())?;
    let start = text[..at].rfind(is_between).map_or(0, |before| before + 1);
    let word = text[start..].split(is_between).next()?;
    Some(word.chars().take(MAX_SAMPLE_CHARS).collect())
}

fn refuse(found: &str, allowed: &str, message: &str) -> ReadError {
    ReadError::Rejected(ProblemList::of(Problem::with_message(
        "", found, allowed, message,
    )))
}
