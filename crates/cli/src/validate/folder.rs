//! `dropcast validate DIR`.

use std::{fmt::Write as _, path::Path};

use dropcast_local_stack::ModelFolder;

use super::{
    document::{Example, ValidatedModel},
    examples,
    model::Model,
};
use crate::{
    exit::Exit,
    model::{check_folder, not_accepted},
    screen::{Paint, Screen},
    words,
};

/// Checks a model's folder: its manifest, its schemas and its examples.
pub(super) fn run(folder: &Path, screen: Screen) -> anyhow::Result<Exit> {
    check_folder(folder)?;
    let mut document = ValidatedModel {
        folder: folder.display().to_string(),
        model: None,
        valid: false,
        faults: Vec::new(),
        examples: Vec::new(),
    };
    match ModelFolder::read(folder) {
        Ok(read) => {
            let model = Model::of_folder(folder, read);
            document.model = Some(model.view.name.clone());
            document.examples = examples::check(folder, &model)?;
        }
        Err(error) if is_the_models_fault(&error) => document.faults.push(error.to_string()),
        Err(error) => return Err(not_accepted(error)),
    }
    document.valid =
        document.faults.is_empty() && document.examples.iter().all(|example| example.passes);
    screen.show(&document, |paint| text(&document, paint))?;
    Ok(if document.valid {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn is_the_models_fault(error: &dropcast_local_stack::Error) -> bool {
    use dropcast_local_stack::Error;
    matches!(error, Error::Manifest(_) | Error::Schema { .. })
}

fn text(document: &ValidatedModel, paint: Paint) -> String {
    let folder = words::printable(&document.folder);
    let mut text = String::new();
    if document.faults.is_empty() {
        let name = document.model.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "{}  manifest and schemas of {name}",
            paint.good("ok   ")
        );
    }
    for fault in &document.faults {
        let _ = write!(
            text,
            "{}  {folder}\n{}",
            paint.bad("fails"),
            indented(fault)
        );
    }
    for example in &document.examples {
        text += &line(example, paint);
    }
    let _ = write!(text, "\n{}\n", paint.bold(&sum(document)));
    text
}

fn line(example: &Example, paint: Paint) -> String {
    let file = words::printable(&example.file);
    if !example.passes {
        let faults: String = example.faults.iter().map(|fault| indented(fault)).collect();
        return format!("{}  {file}\n{faults}", paint.bad("fails"));
    }
    let comes_to = if let Some(reading) = &example.reading {
        format!("accepted: {}", crate::reading::summary(reading))
    } else {
        let count = example.problem_list().total();
        format!("rejected: {}", words::counted(count, "problem"))
    };
    format!(
        "{}  {file}  {}\n",
        paint.good("ok   "),
        paint.dim(&comes_to)
    )
}

/// A fault of several lines, set in.
fn indented(fault: &str) -> String {
    words::lines(
        fault
            .lines()
            .map(|line| format!("       {}", words::printable(line))),
    )
}

fn sum(document: &ValidatedModel) -> String {
    let folder = words::printable(&document.folder);
    let failing = document.examples.iter().filter(|it| !it.passes).count() as u64;
    let all = document.examples.len() as u64;
    match (document.faults.is_empty(), failing, all) {
        (false, ..) => format!("{folder} is no model that can be registered."),
        (true, 0, 0) => format!("{folder} is a model. It has no examples."),
        (true, 0, _) => format!(
            "{folder} is a model, and {} as it should.",
            match all {
                1 => "its one example does".to_owned(),
                _ => format!("each of its {all} examples does"),
            }
        ),
        (true, ..) => format!(
            "{failing} of {} in {folder} {} not do as {} should.",
            words::counted(all, "example"),
            if failing == 1 { "does" } else { "do" },
            if failing == 1 { "it" } else { "they" },
        ),
    }
}
