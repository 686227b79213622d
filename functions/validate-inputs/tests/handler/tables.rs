//! Tables through the handler.

use dropcast_domain::{
    model::{InputFormat, Locale, TableEncoding, TableSpec},
    table::FilledColumn,
};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::*;

const TABLES: &str = "growth-table";

/// A deployment whose model takes JSON and every table, one row a month, and a file that was
/// dropped into it.
async fn table(file: &str, content: &[u8], change: impl FnOnce(&mut TableSpec)) -> (World, Run) {
    let (world, run) = dropped(TABLES, file, content).await;
    let mut spec = version_spec(TABLES);
    let input = &mut spec.manifest.input;
    input.accepts = InputFormat::ALL.to_vec();
    let mut table = TableSpec {
        schema: Some("row.schema.json".into()),
        key: vec!["month".into()],
        ..TableSpec::default()
    };
    change(&mut table);
    input.table = Some(table);
    spec.row_schema = Some(
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["line", "month"],
            "properties": {
                "line": { "type": "string" },
                "month": { "type": "string", "format": "date" },
                "growth": { "type": "number", "maximum": 100 },
                "currency": { "enum": ["EUR", "USD"], "default": "EUR" }
            }
        })
        .to_string(),
    );
    world.store.register(&spec).await.unwrap();
    (world, run)
}

/// Validates, and gives the rejection's code, sentence and problems.
async fn refused(world: &World, run: &Run) -> (String, String, Value) {
    let outcome = serde_json::to_value(validate(world, run).await).unwrap();
    assert_eq!(outcome["outcome"], "rejected", "{outcome}");
    let text = |key: &str| outcome[key].as_str().unwrap().to_owned();
    (text("code"), text("message"), problems(world, run))
}

fn workbook(growth: &str) -> Vec<u8> {
    let mut book = Workbook::new();
    let date = Format::new().set_num_format("dd.mm.yyyy");
    let sheet = book.add_worksheet().set_name("Plan").unwrap();
    for (column, name) in ["line", "month", "growth"].into_iter().enumerate() {
        sheet
            .write_string(0, u16::try_from(column).unwrap(), name)
            .unwrap();
    }
    sheet.write_string(1, 0, "Hardware").unwrap();
    let day = ExcelDateTime::from_ymd(2027, 1, 31).unwrap();
    sheet.write_datetime_with_format(1, 1, &day, &date).unwrap();
    match growth.parse::<f64>() {
        Ok(number) => sheet.write_number(1, 2, number).unwrap(),
        Err(_) => sheet.write_string(1, 2, growth).unwrap(),
    };
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn a_csv_file_is_kept_as_it_was_and_as_one_clean_csv() {
    let content = "Line;month;Growth\r\nHardware;31.01.2027;1.234,5\r\nCafé;28.02.2027;\r\n";
    let content = content.replace("1.234,5", "12,5");
    let windows: Vec<u8> = content
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let (world, run) = table("Plan Q3.CSV", &windows, |spec| {
        spec.locale = Some(Locale::DeDe);
    })
    .await;
    let outcome = validate(&world, &run).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let input = record(&world, &run).await.input.unwrap();
    assert_eq!(input.key, run.keys().input("Plan Q3.CSV"));
    assert_eq!(input.prepared_key, run.keys().prepared_table("Plan Q3.CSV"));
    assert_eq!(
        input.prepared_key,
        format!("runs/{}/{}/prepared/Plan Q3.csv", run.request.model, run.id)
    );
    assert_eq!(kept(&world, &input.key).unwrap(), windows);
    assert_eq!(
        String::from_utf8(kept(&world, &input.prepared_key).unwrap()).unwrap(),
        "line,month,growth,currency\nHardware,2027-01-31,12.5,EUR\nCafé,2027-02-28,,EUR\n"
    );
    let reading = input.table.unwrap();
    assert_eq!((reading.format, reading.rows), (InputFormat::Csv, 2));
    assert_eq!(reading.delimiter, Some(';'));
    assert_eq!(reading.encoding, Some(TableEncoding::Windows1252));
    assert_eq!(reading.locale, Some(Locale::DeDe));
    assert_eq!(
        reading.defaults,
        [FilledColumn {
            column: "currency".into(),
            cells: 2
        }]
    );
    assert_eq!(kept(&world, &run.keys().marked()), None);
}

#[tokio::test]
async fn a_workbook_is_read_from_its_sheet() {
    let content = workbook("12.5");
    let (world, run) = table("plan.xlsx", &content, |_| ()).await;
    let outcome = validate(&world, &run).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let input = record(&world, &run).await.input.unwrap();
    assert_eq!(kept(&world, &input.key).unwrap(), content);
    assert_eq!(
        input.prepared_key,
        format!("runs/{}/{}/prepared/plan.csv", run.request.model, run.id)
    );
    assert_eq!(
        kept(&world, &input.prepared_key).unwrap(),
        b"line,month,growth,currency\nHardware,2027-01-31,12.5,EUR\n"
    );
    let reading = input.table.unwrap();
    assert_eq!(reading.sheet.as_deref(), Some("Plan"));
    assert_eq!((reading.rows, reading.delimiter), (1, None));
}

#[tokio::test]
async fn faulty_cells_are_named_and_a_marked_copy_is_kept() {
    let csv =
        b"line,month,growth\nHardware,2027-01-31,ten\nSoftware,2027-02-28,5\nCloud,2027-02-28,5\n"
            .to_vec();
    for (file, content, at, count) in [
        ("plan.csv", csv, "row 2, column growth", 2),
        ("plan.xlsx", workbook("ten"), "Plan!C2", 1),
    ] {
        let (world, run) = table(file, &content, |_| ()).await;
        let (code, message, problems) = refused(&world, &run).await;
        assert_eq!(code, "InputRejected");
        let expected = match count {
            1 => "The file has one problem.",
            _ => "The file has 2 problems.",
        };
        assert_eq!(message, expected, "{problems}");
        let places: Vec<_> = problems["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|problem| problem["at"].as_str().unwrap())
            .collect();
        assert!(places.contains(&at), "{problems}");
        let record = record(&world, &run).await;
        assert_eq!(record.problem_count, Some(count));
        assert!(record.marked);
        let marked = kept(&world, &run.keys().marked()).unwrap();
        assert!(marked.starts_with(b"PK"), "a workbook");
        assert_eq!(world.files.kept.lock().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn the_same_fault_in_many_cells_is_one_problem_with_the_full_count() {
    use std::fmt::Write as _;
    let mut content = "line,month,growth\n".to_owned();
    for day in 0..300 {
        let month = jiff::civil::date(2027, 1, 1)
            .checked_add(jiff::Span::new().days(day))
            .unwrap();
        writeln!(content, "Hardware,{month},ten").unwrap();
    }
    let (world, run) = table("plan.csv", content.as_bytes(), |_| ()).await;
    let (_, message, problems) = refused(&world, &run).await;
    assert_eq!(message, "The file has 300 problems.");
    assert_eq!(problems["problems"][0]["count"], 300);
    assert_eq!(problems["problems"].as_array().unwrap().len(), 1);
    assert_eq!(record(&world, &run).await.problem_count, Some(300));
}

#[tokio::test]
async fn what_is_in_a_file_and_its_name_must_agree() {
    let csv: &[u8] = b"line,month\nHardware,2027-01-31\n";
    let book = workbook("1");
    for (file, content) in [
        ("plan.csv", book.as_slice()),
        ("plan.json", &book),
        ("plan.xls", &book),
        ("plan.xlsx", csv),
        ("plan.xls", csv),
        ("plan.xlsx", b"{}"),
        ("plan.xlsx", b""),
        ("plan.csv", b""),
        ("plan.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"),
    ] {
        let (world, run) = table(file, content, |_| ()).await;
        let (code, message, problems) = refused(&world, &run).await;
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("InputRejected", "The file has one problem."),
            "{file}: {problems}"
        );
        assert!(!record(&world, &run).await.marked);
        assert_eq!(kept(&world, &run.keys().marked()), None);
    }
}

#[tokio::test]
async fn a_table_that_is_too_large_is_refused_from_its_size() {
    let (mut world, run) = table("plan.csv", b"", |_| ()).await;
    // There is nothing to read: if it were read, it would be an empty file.
    world.files.declared = Some(2 << 30);
    let (code, message, _) = refused(&world, &run).await;
    assert_eq!(code, "InputTooLarge");
    assert!(message.contains("2147483648 bytes"), "{message}");
}

#[tokio::test]
async fn a_model_of_tables_and_json_still_takes_json() {
    let (world, run) = table("plan.json", br#"{"lines":[]}"#, |_| ()).await;
    let outcome = validate(&world, &run).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(record(&world, &run).await.input.unwrap().table, None);
}

#[tokio::test]
async fn validating_a_table_again_gives_the_same() {
    for content in [
        &b"line,month\nHardware,2027-01-31\n"[..],
        b"line,month\nHardware,x\n",
    ] {
        let (world, run) = table("plan.csv", content, |_| ()).await;
        let first = validate(&world, &run).await;
        let (before, files) = (
            record(&world, &run).await,
            world.files.kept.lock().unwrap().clone(),
        );
        assert_eq!(validate(&world, &run).await, first);
        assert_eq!(record(&world, &run).await, before);
        let keys = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&world.files.kept.lock().unwrap()), keys(&files));
    }
}
