//! Tables as several programs write them into a workbook.

use std::fmt::Write;

use dropcast_domain::model::InputFormat;
use jiff::civil::{Date, DateTime, Time, date};
use rust_xlsxwriter::Format;

use crate::table::excel::{
    cell_address,
    fixtures::{Biff, WORKBOOK, pack, plan, sheet_xml},
};

/// What a cell holds.
#[derive(Debug, Clone)]
pub(super) enum Held {
    Nothing,
    Text(String),
    Number(f64),
    Truth(bool),
    /// A number that is shown as a date, and as a time where it is not midnight.
    Moment(DateTime),
}

/// Who writes a workbook.
#[derive(Debug, Clone, Copy)]
pub(super) enum Maker {
    /// A library, as xlsx.
    Library,
    /// A program that keeps texts within their cells and counts days from 1904, as xlsx.
    From1904,
    /// A program of before 2007, as xls.
    Older,
}

impl Maker {
    pub(super) const ALL: [Self; 3] = [Self::Library, Self::From1904, Self::Older];

    pub(super) fn format(self) -> InputFormat {
        match self {
            Self::Library | Self::From1904 => InputFormat::Xlsx,
            Self::Older => InputFormat::Xls,
        }
    }

    /// The first day that it can count to, with a time of day or without, as everybody does.
    pub(super) fn first_day(self) -> Date {
        match self {
            Self::From1904 => date(1904, 1, 2),
            // Before it lies a day that only Excel has.
            Self::Library | Self::Older => date(1900, 3, 1),
        }
    }

    /// A workbook whose one sheet holds the rows from a cell on.
    pub(super) fn write(self, rows: &[Vec<Held>], at: (u32, u16)) -> Vec<u8> {
        match self {
            Self::Library => library(rows, at),
            Self::From1904 => from_1904(rows, at),
            Self::Older => older(rows, at),
        }
    }
}

/// A moment as days since another day.
fn days_since(first: Date, moment: DateTime) -> f64 {
    let days = moment.date().since(first).unwrap().get_days();
    let time = moment.time().duration_since(Time::midnight());
    f64::from(days) + time.as_secs_f64() / 86_400.0
}

/// A moment as days since 1900, as Excel counts them from March of that year on.
fn days_since_1900(moment: DateTime) -> f64 {
    days_since(date(1899, 12, 30), moment)
}

fn is_day(moment: DateTime) -> bool {
    moment.time() == Time::midnight()
}

fn library(rows: &[Vec<Held>], at: (u32, u16)) -> Vec<u8> {
    let dated = Format::new().set_num_format("d. mmmm yyyy");
    let timed = Format::new().set_num_format("d/m/yyyy hh:mm:ss");
    plan(|sheet| {
        for (row, cells) in (at.0..).zip(rows) {
            for (column, cell) in (at.1..).zip(cells) {
                let written = match cell {
                    Held::Nothing => continue,
                    Held::Text(text) => sheet.write_string(row, column, text),
                    Held::Number(number) => sheet.write_number(row, column, *number),
                    Held::Truth(truth) => sheet.write_boolean(row, column, *truth),
                    Held::Moment(moment) => {
                        let format = if is_day(*moment) { &dated } else { &timed };
                        let days = days_since_1900(*moment);
                        sheet.write_number_with_format(row, column, days, format)
                    }
                };
                written.unwrap();
            }
        }
    })
}

fn from_1904(rows: &[Vec<Held>], at: (u32, u16)) -> Vec<u8> {
    let cell = |row: u64, column: usize, cell: &Held| {
        let address = cell_address("Plan", row, column);
        let (_, at) = address.split_once('!').unwrap();
        match cell {
            Held::Nothing => String::new(),
            Held::Text(text) => format!(
                "<c r=\"{at}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
                escaped(text)
            ),
            Held::Number(number) => format!("<c r=\"{at}\"><v>{number:e}</v></c>"),
            Held::Truth(truth) => format!("<c r=\"{at}\" t=\"b\"><v>{}</v></c>", u8::from(*truth)),
            Held::Moment(moment) => {
                let style = if is_day(*moment) { 1 } else { 2 };
                let days = days_since(date(1904, 1, 1), *moment);
                format!("<c r=\"{at}\" s=\"{style}\"><v>{days}</v></c>")
            }
        }
    };
    let mut xml = String::new();
    for (row, cells) in (u64::from(at.0) + 1..).zip(rows) {
        let cells: String = (usize::from(at.1)..)
            .zip(cells)
            .map(|(column, held)| cell(row, column, held))
            .collect();
        write!(xml, "<row r=\"{row}\">{cells}</row>").unwrap();
    }
    let workbook = WORKBOOK.replace("<sheets>", "<workbookPr date1904=\"1\"/><sheets>");
    let styles = "<styleSheet><cellXfs><xf/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>";
    pack(&[
        ("xl/workbook.xml", &workbook),
        ("xl/styles.xml", styles),
        ("xl/worksheets/sheet1.xml", &sheet_xml(&xml)),
    ])
}

/// A text as a workbook's XML holds it: what would be read as an escape is escaped, and so is a
/// carriage return, which XML takes for a line feed.
fn escaped(text: &str) -> String {
    text.replace("_x", "_x005F_x")
        .replace('\r', "_x000D_")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn older(rows: &[Vec<Held>], at: (u32, u16)) -> Vec<u8> {
    let mut book = Biff::new();
    for format in [0, 14, 22] {
        book = book.global(0xe0, &[0, 0, format, 0]);
    }
    let mut texts = Vec::new();
    let first = u16::try_from(at.0).unwrap();
    for (row, cells) in (first..).zip(rows) {
        for (column, cell) in (at.1..).zip(cells) {
            book = match cell {
                Held::Nothing => book,
                Held::Text(text) => {
                    let index = u32::try_from(texts.len()).unwrap();
                    texts.push(text.as_str());
                    book.cell(0xfd, row, column, &index.to_le_bytes())
                }
                Held::Number(number) => book.cell(0x203, row, column, &number.to_le_bytes()),
                Held::Truth(truth) => book.cell(0x205, row, column, &[u8::from(*truth), 0]),
                Held::Moment(moment) => {
                    let style = if is_day(*moment) { 1 } else { 2 };
                    let days = days_since_1900(*moment);
                    book.formatted(0x203, row, column, style, &days.to_le_bytes())
                }
            };
        }
    }
    book.texts(&texts).file()
}
