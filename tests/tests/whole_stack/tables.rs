//! Tables: a sheet is dropped, and its results, or its faults by their cells, come by mail.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use dropcast_domain::{
    failure::ErrorCode,
    model::{InputFormat, Locale, TableEncoding},
    problem::ProblemList,
    status::Status,
};
use dropcast_tests::{Ended, Stack, Upload, programs};
use libtest_mimic::Trial;
use mail_parser::{MessageParser, MimeHeaders as _};
use sha2::Digest as _;

use crate::{
    checks::{ended_with, fits, flat, is_a_sentence, is_the_only_run, succeeded},
    world::scenario,
};

const ANA: &str = "ana@corp.example";
/// Where the sheets of the example model lie.
const EXAMPLES: &str = "models/revenue-forecast/examples";

/// A sheet that is not accepted.
struct Bad {
    /// What is wrong with it, as the test's name.
    name: &'static str,
    file: &'static str,
    content: fn() -> Vec<u8>,
    /// Words of the sentences that say why.
    says: &'static [&'static str],
    /// Whether its cells can be marked.
    marked: bool,
}

impl Bad {
    const fn cells(
        name: &'static str,
        file: &'static str,
        content: fn() -> Vec<u8>,
        says: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            file,
            content,
            says,
            marked: true,
        }
    }

    const fn whole(
        name: &'static str,
        file: &'static str,
        content: fn() -> Vec<u8>,
        says: &'static [&'static str],
    ) -> Self {
        Self {
            marked: false,
            ..Self::cells(name, file, content, says)
        }
    }
}

const BAD: &[Bad] = &[
    Bad::cells(
        "numbers_and_dates_that_are_none_are_named_by_their_cells",
        "faults.csv",
        || {
            "line;year;growth;from\nHardware;2027;NaN;31.02.2026\nCloud;2027;1e999;2026-13-01\n\
             Services;٣;3;45000\n"
                .into()
        },
        &[
            "row 2, column growth",
            "row 3, column growth",
            "row 4, column year",
            "row 2, column from",
            "row 3, column from",
            "row 4, column from",
        ],
    ),
    Bad::cells(
        "formulas_do_not_come_back_as_formulas",
        "formulas.csv",
        || {
            "line;year;growth\n\"=HYPERLINK(\"\"https://bad.example\"\",\"\"x\"\")\";x;+cmd|' /C calc'!A0\n"
                .into()
        },
        &["row 2, column year", "row 2, column growth"],
    ),
    Bad::cells(
        "a_column_that_turns_its_name_round_is_shown_as_it_is",
        "turned.csv",
        || "line;year;growth;\u{202e}tinu\nHardware;2027;1;percent\n".into(),
        &["\\u202etinu"],
    ),
    Bad::cells(
        "rows_of_one_key_are_named",
        "keys.csv",
        || "line,year,growth\nHardware,2027,1\nHardware,2027,2\n".into(),
        &["row 3", "row 2"],
    ),
    Bad::whole(
        "an_empty_sheet_is_rejected",
        "empty.csv",
        Vec::new,
        &["empty"],
    ),
    Bad::whole(
        "an_xls_renamed_to_csv_is_rejected",
        "renamed.csv",
        || fs::read(example("plan-2027.xls")).unwrap_or_default(),
        &["Excel"],
    ),
    Bad::whole(
        "a_workbook_of_before_2007_renamed_to_xlsx_is_rejected",
        "renamed.xlsx",
        || fs::read(example("plan-2027.xls")).unwrap_or_default(),
        &["xls"],
    ),
    Bad::whole(
        "a_truncated_workbook_is_rejected",
        "truncated.xlsx",
        || {
            let mut whole = fs::read(example("plan-2027.xlsx")).unwrap_or_default();
            whole.truncate(whole.len() / 2);
            whole
        },
        &["workbook"],
    ),
];

pub(crate) fn scenarios() -> Vec<Trial> {
    let own = [
        scenario(
            "tables",
            "an_excel_file_becomes_a_forecast",
            an_excel_file_becomes_a_forecast,
        ),
        scenario(
            "tables",
            "a_faulty_excel_file_becomes_a_mail_with_the_marked_sheet",
            a_faulty_excel_file_becomes_a_mail_with_the_marked_sheet,
        ),
        scenario(
            "tables",
            "a_model_gets_a_clean_table_and_the_original_beside_it",
            a_model_gets_a_clean_table_and_the_original_beside_it,
        ),
    ];
    BAD.iter()
        .map(|bad| scenario("tables", bad.name, move |stack| is_rejected(stack, bad)))
        .chain(own)
        .collect()
}

fn example(name: &str) -> std::path::PathBuf {
    programs::repository().join(EXAMPLES).join(name)
}

async fn an_excel_file_becomes_a_forecast(stack: &Stack) -> Result<()> {
    let model = stack.forecast_model().await?;
    let content = fs::read(example("plan-2027.xlsx"))?;
    let file = Upload::new(&model, "plan-2027.xlsx", content.clone()).notify(ANA);
    let (dropped, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    is_the_only_run(stack, &dropped).await?;
    let paths: Vec<&str> = ended.run.outputs.iter().map(|it| &*it.path).collect();
    assert_eq!(paths, ["forecast.png", "forecast.csv", "summary.md"]);
    let input = ended.run.input.as_ref().context("the accepted input")?;
    ensure!(stack.result(&input.key).await? == content);
    let reading = input.table.as_ref().context("how it was read")?;
    assert_eq!(
        (reading.format, reading.sheet.as_deref()),
        (InputFormat::Xlsx, Some("Plan"))
    );
    let clean = String::from_utf8(stack.result(&input.prepared_key).await?)?;
    ensure!(
        clean.starts_with("product_line,year,growth_percent"),
        "{clean}"
    );
    the_growth_arrived(stack, &ended, &clean).await?;
    let mail = stack.mail(&ended.run.id).await?;
    let text = flat(&mail.text);
    for words in ["plan-2027.xlsx", "Plan", &format!("{} rows", reading.rows)] {
        ensure!(text.contains(words), "no {words} in {text}");
    }
    Ok(())
}

async fn a_faulty_excel_file_becomes_a_mail_with_the_marked_sheet(stack: &Stack) -> Result<()> {
    let model = stack.forecast_model().await?;
    let content = fs::read(example("rejected/growth-as-text.xlsx"))?;
    let file = Upload::new(&model, "growth-as-text.xlsx", content).notify(ANA);
    let (_, ended) = stack.run(&file).await?;
    ended_with(&ended, Status::Rejected, ErrorCode::InputRejected, &[])?;
    let mail = stack.mail(&ended.run.id).await?;
    ensure!(mail.text.contains("Plan!C4"), "{}", mail.text);
    ensure!(mail.html.contains("Plan!C4"), "{}", mail.html);
    let marked = marked_sheet(stack, &ended).await?;
    is_marked(&marked, "C4", "about 5")
}

/// The growth of every row that has one is beside the months that it was applied to.
async fn the_growth_arrived(stack: &Stack, ended: &Ended, clean: &str) -> Result<()> {
    let forecast = ended
        .run
        .outputs
        .iter()
        .find(|it| it.path == "forecast.csv");
    let forecast = stack.result(&forecast.context("the forecast")?.key).await?;
    let forecast = String::from_utf8(forecast)?;
    let mut given = 0;
    for row in clean.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let [line, year, growth, ..] = cells[..] else {
            anyhow::bail!("{row}");
        };
        if growth.is_empty() {
            continue;
        }
        let months = format!("{line},{year}-");
        let mut of_year = forecast
            .lines()
            .filter(|row| row.starts_with(&months))
            .peekable();
        // A year beyond the forecast's end has no months.
        given += usize::from(of_year.peek().is_some());
        for month in of_year {
            ensure!(
                month.rsplit(',').next() == Some(growth),
                "{month}: not {growth}"
            );
        }
    }
    ensure!(given > 2, "{given} of {clean}");
    Ok(())
}

/// Whether a cell of the first sheet is filled as faulty, and has a note that says so.
fn is_marked(workbook: &[u8], cell: &str, says: &str) -> Result<()> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(workbook))?;
    let mut part =
        |name: &str| -> Result<String> { Ok(std::io::read_to_string(archive.by_name(name)?)?) };
    let notes = part("xl/comments1.xml")?;
    let note = notes
        .split("<comment ")
        .find(|note| note.contains(&format!("ref=\"{cell}\"")));
    let note = note.with_context(|| format!("no note at {cell}: {notes}"))?;
    ensure!(note.contains(says), "{note}");
    let sheet = part("xl/worksheets/sheet1.xml")?;
    let (_, at) = sheet
        .split_once(&format!("<c r=\"{cell}\""))
        .context("the cell")?;
    let style = at
        .split('>')
        .next()
        .and_then(|tag| tag.split("s=\"").nth(1));
    let style: usize = style
        .and_then(|it| it.split('"').next())
        .context("its style")?
        .parse()?;
    let styles = part("xl/styles.xml")?;
    let (_, formats) = styles.split_once("<cellXfs").context("the formats")?;
    let format = formats.split("<xf ").nth(1 + style).context("its format")?;
    let fill = format
        .split("fillId=\"")
        .nth(1)
        .and_then(|it| it.split('"').next());
    let fill: usize = fill.context("its fill")?.parse()?;
    let (_, fills) = styles.split_once("<fills").context("the fills")?;
    let fill = fills.split("<fill>").nth(1 + fill).context("its fill")?;
    ensure!(fill.contains("FFC7CE"), "{cell} is not filled: {fill}");
    Ok(())
}

/// Whether a marked copy holds text where the sheet held formulas: in the table, and in the list
/// of what to correct.
fn computes_nothing(workbook: &[u8]) -> Result<()> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(workbook))?;
    for name in ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"] {
        let sheet = std::io::read_to_string(archive.by_name(name)?)?;
        for element in ["<f>", "<f ", "<hyperlink"] {
            ensure!(!sheet.contains(element), "{element} in {name}: {sheet}");
        }
    }
    Ok(())
}

async fn a_model_gets_a_clean_table_and_the_original_beside_it(stack: &Stack) -> Result<()> {
    let model = stack.model("sheet").await?;
    let table = "line;year;growth;from\r\nM\u{fc}ller;2027;123,45;31.12.2026\r\nCloud;2028;-8;\r\n";
    // In Windows-1252, as in Unicode, these characters have the numbers below 256.
    let latin: Vec<u8> = table.chars().map(|c| c as u8).collect();
    let file = Upload::new(&model, "plan.csv", latin.clone()).notify(ANA);
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    let [clean, original] = &ended.run.outputs[..] else {
        anyhow::bail!("{:?}", ended.run.outputs);
    };
    assert_eq!(
        String::from_utf8(stack.result(&clean.key).await?)?,
        "line,year,growth,from,unit\nMüller,2027,123.45,2026-12-31,percent\nCloud,2028,-8,,percent\n"
    );
    assert_eq!(original.path, "original.csv");
    ensure!(stack.result(&original.key).await? == latin);
    let input = ended.run.input.as_ref().context("the accepted input")?;
    let reading = input.table.as_ref().context("how it was read")?;
    assert_eq!((reading.rows, reading.delimiter), (2, Some(';')));
    assert_eq!(reading.encoding, Some(TableEncoding::Windows1252));
    assert_eq!(reading.locale, Some(Locale::DeDe));
    let text = flat(&stack.mail(&ended.run.id).await?.text);
    for words in ["semicolon", "2 rows", "unit"] {
        ensure!(text.contains(words), "no {words} in {text}");
    }
    Ok(())
}

async fn is_rejected(stack: &Stack, bad: &Bad) -> Result<()> {
    let model = stack.model("sheet").await?;
    let file = Upload::new(&model, bad.file, (bad.content)()).notify(ANA);
    let (dropped, ended) = stack.run(&file).await?;
    ended_with(&ended, Status::Rejected, ErrorCode::InputRejected, &[])?;
    is_the_only_run(stack, &dropped).await?;
    let problems = stack.result(&ended.run.keys().problems()).await?;
    fits("problems.schema.json", &serde_json::from_slice(&problems)?)?;
    let problems: ProblemList = serde_json::from_slice(&problems)?;
    let mut said = String::new();
    for problem in &problems.problems {
        is_a_sentence(&problem.message)?;
        said.push_str(&problem.at);
        said.push_str(&problem.message);
        for other in &problem.others {
            said.push_str(other);
        }
    }
    for words in bad.says {
        ensure!(said.contains(words), "no “{words}” in {said}");
    }
    let mail = stack.mail(&ended.run.id).await?;
    ensure!(!mail.html.contains('\u{202e}') && !mail.text.contains('\u{202e}'));
    if bad.marked {
        computes_nothing(&marked_sheet(stack, &ended).await?)?;
    } else {
        ensure!(stack.result(&ended.run.keys().marked()).await.is_err());
        ensure!(attachments(stack, &ended).await?.is_empty());
    }
    Ok(())
}

/// The marked copy of a rejected sheet: kept with the run, and attached to its mail.
async fn marked_sheet(stack: &Stack, ended: &Ended) -> Result<Vec<u8>> {
    let kept = stack.result(&ended.run.keys().marked()).await?;
    let attached = attachments(stack, ended).await?;
    let [(name, content)] = &attached[..] else {
        let names: Vec<_> = attached.iter().map(|(name, _)| name).collect();
        anyhow::bail!("the mail has {names:?} attached");
    };
    ensure!(name.strip_suffix(".xlsx").is_some(), "{name}");
    ensure!(sha2::Sha256::digest(content) == sha2::Sha256::digest(&kept));
    Ok(kept)
}

async fn attachments(stack: &Stack, ended: &Ended) -> Result<Vec<(String, Vec<u8>)>> {
    let mail = stack.mail(&ended.run.id).await?;
    let raw = fs::read(mail.file.as_ref().context("the mail's file")?)?;
    let message = MessageParser::default()
        .parse(&raw)
        .context("a mail that reads")?;
    let named = message
        .attachments()
        .filter(|part| part.content_id().is_none())
        .map(|part| {
            let name = part.attachment_name().unwrap_or_default().to_owned();
            (name, part.contents().to_vec())
        });
    Ok(named.collect())
}
