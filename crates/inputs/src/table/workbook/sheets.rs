//! Which sheet of a workbook is read.

use std::{
    collections::HashSet,
    io::{Read, Seek},
};

use dropcast_domain::{model::TableSpec, problem::nearest, text::quoted};
use dropcast_workbook::{Cell, ReadError, Row, Rows, Sheet, Workbook};

use super::rejected;
use crate::table::{
    Names,
    header::{fold, list},
};

/// How many sheets a sentence lists.
const MAX_LISTED: usize = 10;

/// The most sheets that are looked at for the one that holds the table.
const MAX_SCANNED_SHEETS: usize = 64;

/// How many rows that hold anything are looked at in each: a title may stand above the header.
const SCANNED_ROWS: usize = 10;

/// The sheet that is read.
pub(super) struct Chosen {
    pub(super) name: String,
    /// The others that may have been meant.
    pub(super) unread: Vec<String>,
}

/// The sheet that the model names, else the visible one that holds the columns.
pub(super) fn choose<R: Read + Seek>(
    book: &mut Workbook<R>,
    spec: &TableSpec,
    names: &Names<'_>,
) -> Result<Chosen, ReadError> {
    match &spec.sheet {
        Some(name) => find(book.sheets(), name).map(|name| Chosen {
            name,
            unread: Vec::new(),
        }),
        None => find_by_columns(book, spec.header_row, names),
    }
}

/// The sheet of a name. Excel takes no notice of case in the names of sheets, and nobody
/// sees a space at their ends.
fn find(sheets: &[Sheet], name: &str) -> Result<String, ReadError> {
    let folded = |name: &str| name.trim().to_lowercase();
    let found = sheets.iter().find(|sheet| sheet.name == name).or_else(|| {
        sheets
            .iter()
            .find(|sheet| folded(&sheet.name) == folded(name))
    });
    match found {
        Some(sheet) if sheet.has_cells => Ok(sheet.name.clone()),
        Some(sheet) => Err(rejected(
            &format!("the sheet {} without cells", quoted(&sheet.name)),
            "a sheet of cells",
            &format!(
                "The sheet {} holds a chart or a macro, no cells. Put the table in a sheet of \
                 that name.",
                quoted(&sheet.name)
            ),
        )),
        None => Err(missing(sheets, name)),
    }
}

fn missing(sheets: &[Sheet], name: &str) -> ReadError {
    let mut listed: Vec<String> = sheets
        .iter()
        .take(MAX_LISTED)
        .map(|sheet| quoted(&sheet.name))
        .collect();
    if sheets.len() > MAX_LISTED {
        listed.push(format!("{} more", sheets.len() - MAX_LISTED));
    }
    let listed = match listed.split_last() {
        Some((last, [])) => format!("its only sheet is {last}"),
        Some((last, others)) => format!("its sheets are {} and {last}", others.join(", ")),
        None => "it has no sheets".to_owned(),
    };
    let names = sheets.iter().map(|sheet| sheet.name.as_str());
    let advice = nearest(name, names).map_or_else(
        || format!("Name the sheet that contains the table {}.", quoted(name)),
        |near| {
            format!(
                "Did you mean {}? Rename it to {}.",
                quoted(near),
                quoted(name)
            )
        },
    );
    rejected(
        &listed,
        &format!("a sheet named {}", quoted(name)),
        &format!(
            "The workbook has no sheet {}: {listed}. {advice}",
            quoted(name)
        ),
    )
}

/// The sheet that holds the columns; of a table whose columns nobody knows the first that holds
/// anything.
fn find_by_columns<R: Read + Seek>(
    book: &mut Workbook<R>,
    header_row: Option<u64>,
    names: &Names<'_>,
) -> Result<Chosen, ReadError> {
    let mut visible = Vec::new();
    let mut hidden = Vec::new();
    for sheet in book.sheets() {
        if sheet.has_cells {
            let of_its_kind = if sheet.is_hidden {
                &mut hidden
            } else {
                &mut visible
            };
            of_its_kind.push(sheet.name.clone());
        }
    }
    let columns = Columns::new(names);
    let mut sheets = Vec::new();
    for sheet in visible.into_iter().enumerate().take(MAX_SCANNED_SHEETS) {
        if let Some(scanned) = scan_sheet(book, sheet, header_row, &columns)? {
            sheets.push(scanned);
        }
    }
    if sheets.is_empty() {
        for name in hidden.iter().take(MAX_SCANNED_SHEETS) {
            if book.preview_rows(name)?.next_row(&mut Row::default())? {
                return Err(only_hidden(name));
            }
        }
        return Err(rejected(
            "an empty workbook",
            "a sheet with the table",
            "The workbook is empty: it contains no values.",
        ));
    }
    let at = pick(&sheets, names)?;
    let name = sheets.swap_remove(at).name;
    sheets.sort_by_key(|sheet| sheet.place);
    Ok(Chosen {
        name,
        unread: sheets.into_iter().map(|sheet| sheet.name).collect(),
    })
}

/// Which of several sheets is meant.
fn pick(sheets: &[ScannedSheet], names: &Names<'_>) -> Result<usize, ReadError> {
    if sheets.len() == 1 || names.wanted.is_empty() {
        return Ok(0);
    }
    let whole: Vec<usize> = (0..sheets.len())
        .filter(|&at| sheets[at].is_whole)
        .collect();
    match *whole.as_slice() {
        [only] => return Ok(only),
        [] => {}
        _ => {
            let fitting: Vec<&str> = whole.iter().map(|&at| sheets[at].name.as_str()).collect();
            return Err(several(&fitting));
        }
    }
    // What is missing is said of the sheet that comes nearest.
    let nearest = (0..sheets.len())
        .rev()
        .max_by_key(|&at| sheets[at].named)
        .filter(|&at| sheets[at].named > 0);
    nearest.ok_or_else(|| {
        let names_of: Vec<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
        none(&names_of, &names.wanted)
    })
}

/// The columns that are looked for, by what [`fold`] makes of their names.
struct Columns {
    wanted: HashSet<String>,
    required: HashSet<String>,
}

impl Columns {
    fn new(names: &Names<'_>) -> Self {
        let folded = |names: &[&str]| names.iter().map(|name| fold(name)).collect();
        Self {
            wanted: folded(&names.wanted),
            required: folded(&names.required),
        }
    }
}

/// A sheet that holds something.
struct ScannedSheet {
    name: String,
    /// Which of the visible sheets it is.
    place: usize,
    /// How many known columns one of its first rows names.
    named: usize,
    /// Whether that row names every column that must be there.
    is_whole: bool,
}

/// Looks at the first rows of a sheet; nothing when it holds none.
fn scan_sheet<R: Read + Seek>(
    book: &mut Workbook<R>,
    (place, name): (usize, String),
    header_row: Option<u64>,
    columns: &Columns,
) -> Result<Option<ScannedSheet>, ReadError> {
    let mut found = None;
    let mut row = Row::default();
    let mut seen = 0;
    let read = book.preview_rows(&name).and_then(|mut rows| {
        while seen < SCANNED_ROWS && rows.next_row(&mut row)? {
            seen += 1;
            let best = found.get_or_insert((0, false));
            if header_row.is_none_or(|wanted| wanted == row.number) {
                let names: HashSet<String> = row.cells.iter().filter_map(text_of).collect();
                let known = columns.wanted.intersection(&names).count();
                let is_whole = known > 0 && columns.required.is_subset(&names);
                *best = (*best).max((known, is_whole));
            }
            if header_row.is_some_and(|wanted| wanted <= row.number) {
                break;
            }
        }
        Ok(())
    });
    match read {
        Err(ReadError::Io(error)) => return Err(ReadError::Io(error)),
        // Should it be the one that is meant, reading it says what is wrong with it.
        Err(ReadError::Rejected(_)) => drop(found.get_or_insert((0, false))),
        Ok(()) => {}
    }
    Ok(found.map(|(named, is_whole)| ScannedSheet {
        name,
        place,
        named,
        is_whole,
    }))
}

fn text_of(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(fold(text)),
        _ => None,
    }
}

fn several(names: &[&str]) -> ReadError {
    let listed = list(names);
    rejected(
        &format!("the columns in each of the sheets {listed}"),
        "one sheet with the table",
        &format!(
            "The sheets {listed} each contain the columns of the table, and it is not clear which \
             one is meant. Keep the one that is meant, or hide the others (right click on a sheet's \
             name, Hide), and send the workbook again."
        ),
    )
}

fn none(names: &[&str], wanted: &[&str]) -> ReadError {
    rejected(
        &format!("no known column in the sheets {}", list(names)),
        &format!("a sheet with the columns {}", list(wanted)),
        &format!(
            "None of the sheets {} names a column of the table. The columns are {}: write them in \
             the first row of the sheet that holds the table.",
            list(names),
            list(wanted)
        ),
    )
}

fn only_hidden(name: &str) -> ReadError {
    rejected(
        "only hidden sheets with content",
        "a visible sheet with the table",
        &format!(
            "All visible sheets of the workbook are empty; the hidden sheet {} is not. \
             Show it in Excel (right click on a sheet's name, Unhide), save the workbook, \
             and upload it again.",
            quoted(name)
        ),
    )
}
