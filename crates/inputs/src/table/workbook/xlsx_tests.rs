use std::{fmt::Write, io::Cursor};

use dropcast_domain::model::InputFormat;
use dropcast_workbook::{Cell, Row, Rows};
use rust_xlsxwriter::{Color, Format, Formula, Workbook as Writer};

use super::{
    fixtures::{Read as Held, WORKBOOK, pack, packed, plan, read_as, sheet_xml},
    *,
};

fn read_with(bytes: &[u8], spec: &TableSpec) -> Result<Held, String> {
    read_as(bytes, InputFormat::Xlsx, spec)
}

fn read(bytes: &[u8]) -> Result<Held, String> {
    read_with(bytes, &TableSpec::default())
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn date(text: &str) -> Cell {
    Cell::DateTime(text.parse().unwrap())
}

#[test]
fn every_kind_of_value_is_read() {
    let dated = Format::new().set_num_format("dd.mm.yyyy");
    let timed = Format::new().set_num_format_index(22);
    let lasting = Format::new().set_num_format("[h]:mm:ss");
    let bytes = plan(|sheet| {
        sheet.write(0, 0, "month").unwrap();
        sheet.write(0, 2, 3.25).unwrap();
        sheet.write(0, 3, true).unwrap();
        sheet.write_with_format(2, 0, 46_000, &dated).unwrap();
        sheet.write_with_format(2, 1, 46_000.75, &timed).unwrap();
        sheet.write_with_format(2, 2, 1.5, &lasting).unwrap();
        sheet.write(2, 3, " \t").unwrap();
        let bold = Format::new().set_bold();
        let rich = [(&Format::default(), "a "), (&bold, "b")];
        sheet.write_rich_string(3, 0, &rich).unwrap();
        sheet
            .write_formula(3, 1, Formula::new("=1+1").set_result("2"))
            .unwrap();
        sheet
            .write_formula(3, 2, Formula::new("=A9").set_result("#REF!"))
            .unwrap();
    });
    assert_eq!(
        read(&bytes).unwrap(),
        [
            (
                1,
                vec![
                    text("month"),
                    Cell::Empty,
                    Cell::Number(3.25),
                    Cell::Bool(true)
                ]
            ),
            (
                3,
                vec![
                    date("2025-12-09T00:00"),
                    date("2025-12-09T18:00"),
                    Cell::Unusable("36:00:00".to_owned()),
                ]
            ),
            (
                4,
                vec![text("a b"), Cell::Number(2.0), Cell::Error("#REF!")]
            ),
        ]
    );
}

#[test]
fn a_formula_that_was_never_computed_is_no_empty_cell() {
    let bytes = packed(&sheet_xml(
        "<row r=\"1\"><c r=\"A1\" t=\"str\"><f>\"\"</f><v></v></c><c \
         r=\"B1\"><f>1+1</f></c><c r=\"C1\"><f>\"\"</f><v/></c></row>",
    ));
    assert_eq!(
        read(&bytes).unwrap(),
        [(1, vec![Cell::Empty, Cell::Uncomputed])]
    );
}

#[test]
fn what_is_no_number_that_can_be_counted_with_is_unusable() {
    let bytes = packed(&sheet_xml(
        "<row r=\"1\"><c r=\"A1\"><v>1e999</v></c><c r=\"B1\" t=\"n\"><v>NaN</v></c></row>",
    ));
    let unusable = |text: &str| Cell::Unusable(text.to_owned());
    assert_eq!(
        read(&bytes).unwrap(),
        [(1, vec![unusable("inf"), unusable("NaN")])]
    );
}

#[test]
fn the_epoch_of_1904_is_heard() {
    let workbook = WORKBOOK.replace("<sheets>", "<workbookPr date1904=\"1\"/><sheets>");
    let styles = "<styleSheet><cellXfs><xf/><xf numFmtId=\"14\"/></cellXfs></styleSheet>";
    let bytes = pack(&[
        ("xl/workbook.xml", &workbook),
        ("xl/styles.xml", styles),
        (
            "xl/worksheets/sheet1.xml",
            &sheet_xml("<row r=\"1\"><c r=\"A1\" s=\"1\"><v>43538</v></c></row>"),
        ),
    ]);
    assert_eq!(read(&bytes).unwrap(), [(1, vec![date("2023-03-15T00:00")])]);
}

#[test]
fn the_first_visible_sheet_that_holds_anything_is_read() {
    let mut writer = Writer::new();
    writer.add_worksheet().set_name("Cover").unwrap();
    let hidden = writer.add_worksheet();
    hidden.set_name("Old").unwrap().set_hidden(true);
    hidden.write(0, 0, "old").unwrap();
    let plan = writer.add_worksheet();
    plan.set_name("Q3 plan").unwrap();
    plan.write(6, 2, "new").unwrap();
    let bytes = writer.save_to_buffer().unwrap();
    let spec = TableSpec::default();
    let mut book = TableWorkbook::open(
        Cursor::new(&bytes),
        WorkbookFormat::Xlsx,
        &spec,
        &Names::default(),
    )
    .unwrap();
    assert_eq!(book.sheet(), "Q3 plan");
    let rows = book.rows().unwrap();
    assert_eq!(rows.address(7, 2, "ignored"), "'Q3 plan'!C7");

    let named = |name: &str| {
        let sheet = Some(name.to_owned());
        read_with(
            &bytes,
            &TableSpec {
                sheet,
                ..TableSpec::default()
            },
        )
    };
    assert_eq!(named("Old").unwrap()[0].1, [text("old")]);
    assert_eq!(named("q3 PLAN ").unwrap()[0].0, 7);
    assert_eq!(named("Cover").unwrap(), []);
    assert_eq!(
        named("Q3 plans").unwrap_err(),
        "The workbook has no sheet \"Q3 plans\": its sheets are \"Cover\", \"Old\" and \"Q3 \
         plan\". Did you mean \"Q3 plan\"? Rename it to \"Q3 plans\"."
    );
}

#[test]
fn a_workbook_without_anything_to_read_says_so() {
    let empty = plan(|_| {});
    assert_eq!(
        read(&empty).unwrap_err(),
        "The workbook is empty: it contains no values."
    );
    let mut writer = Writer::new();
    writer.add_worksheet();
    let hidden = writer.add_worksheet();
    hidden.set_name("Plan").unwrap().set_hidden(true);
    hidden.write(0, 0, "month").unwrap();
    let message = read(&writer.save_to_buffer().unwrap()).unwrap_err();
    assert!(
        message.contains("the hidden sheet \"Plan\" is not"),
        "{message}"
    );
}

#[test]
fn hidden_rows_and_columns_count_and_merged_cells_hold_one_value() {
    let bytes = plan(|sheet| {
        sheet.write(0, 0, "a").unwrap();
        sheet.write(0, 1, "b").unwrap();
        sheet.write(1, 0, 1).unwrap();
        sheet.write(1, 1, 2).unwrap();
        sheet.set_row_hidden(1).unwrap();
        sheet.set_column_hidden(1).unwrap();
        let filled = Format::new().set_background_color(Color::Yellow);
        sheet.merge_range(2, 0, 3, 1, "both", &filled).unwrap();
    });
    assert_eq!(
        read(&bytes).unwrap(),
        [
            (1, vec![text("a"), text("b")]),
            (2, vec![Cell::Number(1.0), Cell::Number(2.0)]),
            (3, vec![text("both")]),
        ]
    );
}

#[test]
fn declared_cells_cost_nothing() {
    // The sheet says that it has 17,179,869,184 cells, and that all of them are one.
    let bytes = packed(
        "<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData><row r=\"1048576\"><c \
         r=\"NTP1048576\"><v>1</v></c></row></sheetData><mergeCells count=\"1\"><mergeCell \
         ref=\"A1:XFD1048576\"/></mergeCells></worksheet>",
    );
    let rows = read(&bytes).unwrap();
    assert_eq!(
        (rows.len(), rows[0].0, rows[0].1.len()),
        (1, 1_048_576, 10_000)
    );
}

#[test]
fn values_far_to_the_right_of_every_row_are_refused_before_they_take_minutes() {
    let mut rows = String::new();
    for row in 1..=3_000 {
        write!(
            rows,
            "<row r=\"{row}\"><c r=\"NTP{row}\"><v>1</v></c></row>"
        )
        .unwrap();
    }
    let message = read(&packed(&sheet_xml(&rows))).unwrap_err();
    assert!(
        message.starts_with("The sheet has values far to the right"),
        "{message}"
    );
}

#[test]
fn cells_out_of_order_or_twice_are_refused_with_their_address() {
    for (rows, at) in [
        (
            "<row r=\"2\"><c r=\"A2\"><v>1</v></c></row><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>",
            "Plan!A1",
        ),
        (
            "<row r=\"1\"><c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c></row>",
            "Plan!A1",
        ),
        (
            "<row r=\"1\"><c r=\"B1\"><v>1</v></c><c r=\"B1\"><v>1</v></c></row>",
            "Plan!B1",
        ),
    ] {
        let sheet = sheet_xml(rows);
        let mut book = TableWorkbook::open(
            Cursor::new(packed(&sheet)),
            WorkbookFormat::Xlsx,
            &TableSpec {
                sheet: Some("Plan".to_owned()),
                ..TableSpec::default()
            },
            &Names::default(),
        )
        .unwrap();
        let mut all = book.rows().unwrap();
        let mut row = Row::default();
        let refused = loop {
            match all.next_row(&mut row) {
                Ok(true) => {}
                Ok(false) => panic!("{rows} was read"),
                Err(ReadError::Rejected(problems)) => break problems,
                Err(ReadError::Io(error)) => panic!("{error}"),
            }
        };
        assert_eq!(refused.problems[0].at, at);
    }
}

#[test]
fn cells_without_addresses_follow_each_other() {
    let rows = "<row><c><v>1</v></c><c><v>2</v></c></row><row><c t=\"inlineStr\"><is><t>x</t></is></c></row>";
    assert_eq!(
        read(&packed(&sheet_xml(rows))).unwrap(),
        [
            (1, vec![Cell::Number(1.0), Cell::Number(2.0)]),
            (2, vec![text("x")])
        ]
    );
}

#[test]
fn an_error_that_no_reader_knows_names_the_cell_before_it() {
    let rows = "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\" t=\"e\"><v>#SPILL!</v></c></row>";
    let message = read(&packed(&sheet_xml(rows))).unwrap_err();
    assert!(
        message.contains("\"#SPILL!\"") && message.contains("Plan!A1"),
        "{message}"
    );
}

#[test]
fn the_reader_expands_no_entities_even_without_the_check() {
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>";
    let sheet = sheet_xml("<row r=\"1\"><c r=\"A1\" t=\"str\"><v>&b;</v></c></row>");
    let bytes = packed(&format!("{laughs}{sheet}"));
    let mut book = Workbook::open(Cursor::new(&bytes), WorkbookFormat::Xlsx).unwrap();
    let mut rows = book.rows("Plan").unwrap();
    assert!(rows.next_row(&mut Row::default()).is_err());
    let message = read(&bytes).unwrap_err();
    assert!(message.contains("a document type declaration"), "{message}");
}
