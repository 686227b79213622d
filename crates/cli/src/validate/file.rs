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

use super::{model::Model, name_of, open, output::Output, rejection};
use crate::{
    args::Validate,
    exit::Exit,
    problems, reading,
    screen::{Paint, Screen},
    words,
};

/// What is read at a time, in bytes.
const BUFFER: usize = 1 << 18;

/// Checks one file.
pub(super) fn run(
    args: &Validate,
    found: &Metadata,
    model: &Model,
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
        rejection: checked.rejected.as_ref().map(rejection),
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
    screen.show(&document, |paint| {
        let problems = problems::text(&problems, paint);
        text(&document, &problems, paint)
    })?;
    unwritten(args, &document, screen);
    Ok(exit)
}

/// What came of a file.
#[derive(Default)]
struct Checked {
    reading: Option<ReadingView>,
    rejected: Option<FileRejection>,
    clean: Option<String>,
    marked: Option<String>,
}

fn check(args: &Validate, found: &Metadata, model: &Model) -> anyhow::Result<Checked> {
    // Said before a large file is read for nothing.
    let begin = |place: &Option<PathBuf>| {
        let begun = place.as_ref().map(|place| Output::begin(place, &args.path));
        begun.transpose()
    };
    let (clean, marked) = (begin(&args.clean)?, begin(&args.marked)?);
    let format = match format_of(model.input(), &name_of(&args.path), found.len()) {
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
    let outcome = outcome.with_context(|| format!("{} was being read", args.path.display()))?;
    let mut checked = Checked::default();
    match outcome {
        Outcome::Accepted(reading) => {
            checked.reading = Some(reading::view(&reading));
            checked.clean = clean.map(Output::finish).transpose()?;
        }
        Outcome::Rejected(rejected) => {
            checked.reading = rejected.reading().map(ReadingView::from);
            if let Some(marked) = marked
                && reader
                    .mark(file()?, &rejected, marked.writer()?)
                    .with_context(|| format!("{} was being marked", args.path.display()))?
            {
                checked.marked = Some(marked.finish()?);
            }
            checked.rejected = Some(rejected);
        }
    }
    Ok(checked)
}

/// Says of each file that was asked for why it was not written.
fn unwritten(args: &Validate, document: &Validated, screen: Screen) {
    let told = [
        (&args.clean, &document.clean, "the file is not accepted"),
        (
            &args.marked,
            &document.marked,
            "there are no faulty cells to mark",
        ),
    ];
    for (wanted, written, why) in told {
        if let (Some(wanted), None) = (wanted, written) {
            screen.note(&format!("{} is not written: {why}.", wanted.display()));
        }
    }
}

fn text(document: &Validated, problems: &str, paint: Paint) -> String {
    let file = paint.bold(&words::printable(&document.file));
    let model = model_name(&document.model);
    let mut text = match &document.rejection {
        None => format!("{file} is {} by {model}.\n", paint.good("accepted")),
        Some(rejection) => format!(
            "{file} is {} by {model}. {}\n",
            paint.bad("not accepted"),
            words::printable(&rejection.message)
        ),
    };
    if !problems.is_empty() {
        let _ = write!(text, "\n{problems}");
    }
    let mut facts = document
        .reading
        .as_ref()
        .map(reading::facts)
        .unwrap_or_default();
    facts.push(("Clean form", document.clean.clone().unwrap_or_default()));
    facts.push(("Marked copy", document.marked.clone().unwrap_or_default()));
    let facts = paint.facts(&facts);
    if !facts.is_empty() {
        let _ = write!(text, "\n{facts}");
    }
    text
}

fn model_name(model: &CheckedModel) -> String {
    let name = &model.name;
    match (&model.folder, model.version, &model.stack) {
        (Some(folder), ..) => format!("{name} (in {})", words::printable(folder)),
        (None, Some(version), Some(stack)) => {
            format!("{name} version {version} (on the stack {stack})")
        }
        _ => name.clone(),
    }
}
