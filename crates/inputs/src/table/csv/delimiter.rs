//! Finds the delimiter of a CSV file.

use std::collections::HashSet;

use csv_core::{ReadRecordResult, ReaderBuilder};
use dropcast_domain::model::TableSpec;

use crate::table::header::fold;

/// How much of the text is looked at, in bytes.
pub(super) const SAMPLE: usize = 64 * 1024;

/// How many rows of it.
const SAMPLE_ROWS: usize = 50;

/// How many rows below the first are searched for the names of columns.
const HEADER_ROWS: usize = 10;

/// The delimiters that are known, the usual one first.
const KNOWN: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What was found out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) delimiter: u8,
    /// The length of a first line that only names it.
    pub(super) skipped: usize,
}

/// The delimiter by which the header names the most wanted columns, and, of those, by which
/// the most rows are as wide as the header.
pub(super) fn detect(text: &[u8], is_all: bool, spec: &TableSpec, names: &[&str]) -> Guess {
    if let Some(guess) = declared(text) {
        return guess;
    }
    let wanted: Vec<String> = names.iter().map(|name| fold(name)).collect();
    let mut best = (Score::default(), KNOWN[0]);
    for delimiter in KNOWN {
        let score = Score::of(text, is_all, delimiter, spec.header_row, &wanted);
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    Guess {
        delimiter: best.1,
        skipped: 0,
    }
}

/// A first line `sep=;`.
fn declared(text: &[u8]) -> Option<Guess> {
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let bare: Vec<u8> = line.iter().copied().filter(|byte| *byte != b'"').collect();
    match *bare {
        [s, e, p, b'=', delimiter]
            if [s, e, p].eq_ignore_ascii_case(b"sep") && KNOWN.contains(&delimiter) =>
        {
            let end = match text[line.len()..] {
                [b'\r', b'\n', ..] => 2,
                [_, ..] => 1,
                [] => 0,
            };
            Some(Guess {
                delimiter,
                skipped: line.len() + end,
            })
        }
        _ => None,
    }
}

/// How well a delimiter fits; greater is better.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// How many wanted columns the header names.
    named: usize,
    /// How many of them one of the first rows names: a title may stand above the header.
    named_below: usize,
    /// How many rows are as wide as the header, in percent; 0 when it is one cell wide.
    even: usize,
    /// How many cells the header has; 0 when it is one.
    width: usize,
}

impl Score {
    fn of(
        text: &[u8],
        is_all: bool,
        delimiter: u8,
        header_row: Option<u64>,
        wanted: &[String],
    ) -> Self {
        let mut header: Option<(usize, usize)> = None;
        let (mut rows, mut even, mut named_below) = (0, 0, 0);
        each_row(text, is_all, delimiter, |number, cells| {
            match &header {
                None if header_row.is_none_or(|row| number >= row) => {
                    header = Some((named(cells, wanted), cells.len()));
                }
                None => {}
                Some((_, width)) => {
                    if rows < HEADER_ROWS && header_row.is_none() {
                        named_below = named_below.max(named(cells, wanted));
                    }
                    rows += 1;
                    even += usize::from(cells.len() == *width);
                }
            }
            rows < SAMPLE_ROWS
        });
        let (named, width) = header.unwrap_or_default();
        Self {
            named,
            named_below,
            even: if width < 2 {
                0
            } else {
                (even * 100).checked_div(rows).unwrap_or(100)
            },
            width: if width < 2 { 0 } else { width },
        }
    }
}

/// How many of the wanted names a row holds.
fn named(cells: &[&[u8]], wanted: &[String]) -> usize {
    let names: HashSet<String> = cells
        .iter()
        .map(|cell| fold(&String::from_utf8_lossy(cell)))
        .collect();
    wanted.iter().filter(|name| names.contains(*name)).count()
}

/// Hands over the rows that hold anything, with their numbers, until told to stop. Of a row
/// that may be cut off the whole cells are handed over if it is the first, which may be long.
fn each_row(text: &[u8], is_all: bool, delimiter: u8, mut take: impl FnMut(u64, &[&[u8]]) -> bool) {
    let mut parser = ReaderBuilder::new().delimiter(delimiter).build();
    let mut output = vec![0; text.len() + 1];
    let mut ends = vec![0; text.len() + 2];
    let mut at = 0;
    let mut number = 0;
    let mut taken = false;
    loop {
        while let [first, rest @ ..] = &text[at..]
            && matches!(first, b'\r' | b'\n')
        {
            number += 1;
            at += 1 + usize::from(*first == b'\r' && rest.first() == Some(&b'\n'));
        }
        if at >= text.len() {
            return;
        }
        let (mut result, read, bytes, mut cells) =
            parser.read_record(&text[at..], &mut output, &mut ends);
        at += read;
        if result == ReadRecordResult::InputEmpty && is_all {
            let (last, _, _, more_cells) =
                parser.read_record(b"\n", &mut output[bytes..], &mut ends[cells..]);
            (result, cells) = (last, cells + more_cells);
        }
        if result != ReadRecordResult::Record && (taken || cells == 0) {
            return;
        }
        if text.get(at - 1) == Some(&b'\r') && text.get(at) == Some(&b'\n') {
            at += 1;
        }
        number += 1;
        let mut from = 0;
        let row: Vec<&[u8]> = ends[..cells]
            .iter()
            .map(|&to| &output[std::mem::replace(&mut from, to)..to])
            .collect();
        let holds = |cell: &&[u8]| !cell.trim_ascii().is_empty();
        if row.iter().any(holds) {
            taken = true;
            if !take(number, &row) {
                return;
            }
        }
        if result != ReadRecordResult::Record {
            return;
        }
    }
}
