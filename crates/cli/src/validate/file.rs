//! `dropcast validate FILE`.

use std::{
    fmt::Write as _,
    fs::Metadata,
    io::{self, BufReader},
    path::PathBuf,
};

use anyhow::Context as _;
use dropcast_api_types::{CheckedModel, ReadingView, Validated};
use dropcast_inputs::file::{FileRejection, Outcome, format_of};

use super::{file_name_of, model::CheckingModel, open, output::OutputFile};
use crate::{
    args::Validate,
    exit::Exit,
    messages, problems, reading,
    screen::{Screen, Style},
};

/// The size of the read buffer, in bytes.
const BUFFER: usize = 1 << 18;

/// Checks one file.
pub(super) fn run(
    args: &Validate,
    found: &Metadata,
    model: &CheckingModel,
    screen: Screen,
) -> anyhow::Result<Exit> {
    let checked = check(args, found, model)?;
    let problems = checked
        .rejected
        .as_ref()
        .map(|rejected| rejected.problems().clone())
        .unwrap_or_default();
    let document = Validated {
        file: args.path.display().to_string(),
        bytes: found.len(),
        model: model.view.clone(),
        accepted: checked.rejected.is_none(),
        reading: checked.reading,
        rejection: checked.rejected.as_ref().map(problems::to_rejection_view),
        problem_count: problems.total(),
        problems: problems.problems.clone(),
        more_problems: problems.more,
        clean: checked.clean,
        marked: checked.marked,
    };
    let exit = if document.accepted {
        Exit::Done
    } else {
        Exit::Failed
    };
    screen.show(&document, |style| {
        let problems = problems::render(&problems, style);
        render(&document, &problems, style)
    })?;
    note_unwritten_files(args, &document, screen);
    Ok(exit)
}

/// The result of checking a file.
#[derive(Default)]
struct Checked {
    reading: Option<ReadingView>,
    rejected: Option<FileRejection>,
    clean: Option<String>,
    marked: Option<String>,
}

fn check(args: &Validate, found: &Metadata, model: &CheckingModel) -> anyhow::Result<Checked> {
    // Before the file is read, which may take long.
    let create = |place: &Option<PathBuf>| {
        let created = place
            .as_ref()
            .map(|place| OutputFile::create(place, &args.path));
        created.transpose()
    };
    let (clean, marked) = (create(&args.clean)?, create(&args.marked)?);
    let format = match format_of(model.input(), &file_name_of(&args.path), found.len()) {
        Ok(format) => format,
        Err(rejected) => {
            return Ok(Checked {
                rejected: Some(rejected),
                ..Checked::default()
            });
        }
    };
    let reader = model.reader(format)?;
    let file = || open(&args.path).map(|file| BufReader::with_capacity(BUFFER, file));
    let outcome = match &clean {
        Some(clean) => reader.read(file()?, clean.writer()?),
        None => reader.read(file()?, io::sink()),
    };
    let outcome = outcome.with_context(|| format!("reading {}", args.path.display()))?;
    let mut checked = Checked::default();
    match outcome {
        Outcome::Accepted(reading) => {
            checked.reading = Some(reading::to_reading_view(&reading));
            checked.clean = clean.map(OutputFile::finish).transpose()?;
        }
        Outcome::Rejected(rejected) => {
            checked.reading = rejected.reading().map(ReadingView::from);
            if let Some(marked) = marked
                && reader
                    .mark(file()?, &rejected, marked.writer()?)
                    .with_context(|| format!("marking {}", args.path.display()))?
            {
                checked.marked = Some(marked.finish()?);
            }
            checked.rejected = Some(rejected);
        }
    }
    Ok(checked)
}

/// Notes why a requested file was not written.
fn note_unwritten_files(args: &Validate, document: &Validated, screen: Screen) {
    let requested = [
        (&args.clean, &document.clean, "the file is not accepted"),
        (
            &args.marked,
            &document.marked,
            "there are no faulty cells to mark",
        ),
    ];
    for (wanted, written, why) in requested {
        if let (Some(wanted), None) = (wanted, written) {
            screen.note(&format!("{} is not written: {why}.", wanted.display()));
        }
    }
}

fn render(document: &Validated, problems: &str, style: Style) -> String {
    let file = style.bold(&messages::sanitize(&document.file));
    let model = describe_model(&document.model);
    let mut text = match &document.rejection {
        None => format!("{file} is {} by {model}.\n", style.success("accepted")),
        Some(rejection) => format!(
            "{file} is {} by {model}. {}\n",
            style.failure("not accepted"),
            messages::sanitize(&rejection.message)
        ),
    };
    if !problems.is_empty() {
        let _ = write!(text, "\n{problems}");
    }
    let mut facts = document
        .reading
        .as_ref()
        .map(reading::list_fields)
        .unwrap_or_default();
    facts.push(("Clean form", document.clean.clone().unwrap_or_default()));
    facts.push(("Marked copy", document.marked.clone().unwrap_or_default()));
    let facts = style.format_fields(&facts);
    if !facts.is_empty() {
        let _ = write!(text, "\n{facts}");
    }
    text
}

fn describe_model(model: &CheckedModel) -> String {
    let name = &model.name;
    match (&model.folder, model.version, &model.stack) {
        (Some(folder), ..) => format!("{name} (in {})", messages::sanitize(folder)),
        (None, Some(version), Some(stack)) => {
            format!("{name} version {version} (on the stack {stack})")
        }
        _ => name.clone(),
    }
}
