//! Which sheet of a workbook is read.

use std::io::{Read, Seek};

use calamine::{Sheet, SheetType, SheetVisible};
use dropcast_domain::problem::{nearest, quoted};

use super::{Book, refused};
use crate::table::rows::{ReadError, Row, Rows};

/// How many sheets a sentence lists.
const MOST_LISTED: usize = 10;

/// The sheet that the model names, else the first visible one that holds anything.
pub(super) fn choose<R: Read + Seek>(
    book: &mut Book<R>,
    named: Option<&str>,
) -> Result<String, ReadError> {
    match named {
        Some(name) => find(book.sheets(), name),
        None => first_that_holds_anything(book),
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
        Some(sheet) if sheet.typ == SheetType::WorkSheet => Ok(sheet.name.clone()),
        Some(sheet) => Err(refused(
            "",
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
        .take(MOST_LISTED)
        .map(|sheet| quoted(&sheet.name))
        .collect();
    if sheets.len() > MOST_LISTED {
        listed.push(format!("{} more", sheets.len() - MOST_LISTED));
    }
    let listed = match listed.split_last() {
        Some((last, [])) => format!("its only sheet is {last}"),
        Some((last, others)) => format!("its sheets are {} and {last}", others.join(", ")),
        None => "it has no sheets".to_owned(),
    };
    let names = sheets.iter().map(|sheet| sheet.name.as_str());
    let advice = nearest(name, names).map_or_else(
        || format!("Name the sheet that holds the table {}.", quoted(name)),
        |near| {
            format!(
                "Did you mean {}? Rename it to {}.",
                quoted(near),
                quoted(name)
            )
        },
    );
    refused(
        "",
        &listed,
        &format!("a sheet named {}", quoted(name)),
        &format!(
            "The workbook has no sheet {}: {listed}. {advice}",
            quoted(name)
        ),
    )
}

fn first_that_holds_anything<R: Read + Seek>(book: &mut Book<R>) -> Result<String, ReadError> {
    let of_cells: Vec<(String, bool)> = book
        .sheets()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
        .collect();
    let mut row = Row::default();
    for (name, visible) in &of_cells {
        if *visible && book.rows(name)?.next_row(&mut row)? {
            return Ok(name.clone());
        }
    }
    for (name, visible) in &of_cells {
        if !visible && book.rows(name)?.next_row(&mut row)? {
            return Err(refused(
                "",
                "nothing but hidden sheets that hold anything",
                "a visible sheet with the table",
                &format!(
                    "No visible sheet of the workbook holds anything; the hidden sheet {} does. \
                     Show it in Excel (right click on a sheet's name, Unhide), save the workbook, \
                     and send it again.",
                    quoted(name)
                ),
            ));
        }
    }
    Err(refused(
        "",
        "an empty workbook",
        "a sheet with the table",
        "The workbook is empty: no sheet holds anything.",
    ))
}
