//! A local run of a model on one input: the files that it needs, and the outputs that it must
//! have written at the end.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use dropcast_domain::{
    model::{OutputMatcher, OutputSpec},
    upload::safe_file_name,
};
use dropcast_inputs::file::{FileRejection, Outcome, Reading};

use crate::{FolderError, ModelFolder};

/// The folders and files of a local run, laid out as `dropcast-job --local-run` expects them.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Holds the others.
    pub folder: PathBuf,
    /// The input as the model reads it: with defaults filled in, or a clean CSV.
    pub input: PathBuf,
    /// The input as it is.
    pub original: PathBuf,
    /// An empty folder for the outputs.
    pub outputs: PathBuf,
    /// A folder for what the model keeps.
    pub cache: PathBuf,
    /// A folder for temporary files.
    pub temporary: PathBuf,
    /// How the input was read.
    pub reading: Reading,
}

impl Stage {
    /// Reads an input as a run would and lays everything out in an empty folder.
    ///
    /// The inner error says why the input is not accepted; the outer one that a file cannot be
    /// read or written.
    pub fn prepare(
        folder: &Path,
        model: &ModelFolder,
        input: &Path,
    ) -> Result<Result<Self, FileRejection>, FolderError> {
        let create = |name: &str| {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(FolderError::at("creating", &path))?;
            Ok::<_, FolderError>(path)
        };
        let name = input.file_name().unwrap_or_default().to_string_lossy();
        let name = safe_file_name(&name);
        let prepared = create("input")?.join(prepared_name(model, &name));
        let clean = File::create(&prepared).map_err(FolderError::at("writing", &prepared))?;
        let clean = std::io::BufWriter::new(clean);
        let reading = match model.read_input(input, clean)?.outcome {
            Outcome::Accepted(reading) => reading,
            Outcome::Rejected(rejected) => return Ok(Err(rejected)),
        };
        let original = create("original")?.join(&name);
        fs::copy(input, &original).map_err(FolderError::at("copying", input))?;
        Ok(Ok(Self {
            folder: folder.to_owned(),
            input: prepared,
            original,
            outputs: create("output")?,
            cache: create("cache")?,
            temporary: create("tmp")?,
            reading,
        }))
    }
}

/// What a job calls the input that it gives to the model.
fn prepared_name(model: &ModelFolder, name: &str) -> String {
    let format = model.manifest.input.format_of(name);
    if !format.is_some_and(dropcast_domain::model::InputFormat::is_table) {
        return name.to_owned();
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    format!("{stem}.csv")
}

/// The files that a model wrote, matched with the outputs that it declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedOutputs<'a> {
    /// For each file the declaration that it belongs to, in the order of the files.
    pub declarations: Vec<Option<&'a OutputSpec>>,
    /// Required outputs that no file belongs to.
    pub missing: Vec<&'a OutputSpec>,
}

/// Finds the declaration of each file and the required outputs that are missing, by the rules
/// by which a run publishes.
pub fn match_outputs<'a>(declared: &'a [OutputSpec], paths: &[&str]) -> MatchedOutputs<'a> {
    // A manifest that was parsed holds patterns only.
    let matcher = OutputMatcher::new(declared).ok();
    let place = |path: &&str| matcher.as_ref()?.declaration_of(path);
    let places: Vec<Option<usize>> = paths.iter().map(place).collect();
    let missing = declared
        .iter()
        .enumerate()
        .filter(|(at, spec)| spec.required && !places.contains(&Some(*at)));
    MatchedOutputs {
        missing: missing.map(|(_, spec)| spec).collect(),
        declarations: places
            .iter()
            .map(|at| at.and_then(|at| declared.get(at)))
            .collect(),
    }
}

/// Names missing required outputs in a sentence, the one that a run gives too.
pub fn describe_missing(missing: &[&OutputSpec]) -> String {
    let named: Vec<String> = missing
        .iter()
        .map(|spec| format!("“{}” ({})", spec.title, spec.path))
        .collect();
    format!(
        "The model exited without an error but did not write {}.",
        named.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use dropcast_domain::model::Manifest;

    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "name = \"m\"\ntitle = \"M\"\n[job]\ncommand = [\"true\"]\n[input]\naccepts = [\"csv\"]\nschema = \"row.json\"\n[[outputs]]\npath = \"a.csv\"\ntitle = \"A\"\nkind = \"table\"\n[[outputs]]\npath = \"n/*.md\"\ntitle = \"N\"\nkind = \"document\"\nrequired = false\n";
        let row = r#"{"type": "object", "properties": {"n": {"type": "integer", "default": 3}}}"#;
        fs::write(folder.path().join("model.toml"), manifest).unwrap();
        fs::write(folder.path().join("row.json"), row).unwrap();
        fs::write(folder.path().join("In put.TSV"), "n\tx\n\t1\n").unwrap();
        fs::write(folder.path().join("bad.csv"), "n\nx\n").unwrap();
        folder
    }

    #[test]
    fn an_accepted_input_is_laid_out_clean_beside_the_original() {
        let (folder, place) = (folder(), tempfile::tempdir().unwrap());
        let model = ModelFolder::read(folder.path()).unwrap();
        let set = |name| Stage::prepare(place.path(), &model, &folder.path().join(name)).unwrap();
        let stage = set("In put.TSV").unwrap();
        assert_eq!(stage.input, place.path().join("input/In put.csv"));
        assert_eq!(fs::read_to_string(&stage.input).unwrap(), "n,x\n3,1\n");
        assert_eq!(fs::read_to_string(&stage.original).unwrap(), "n\tx\n\t1\n");
        assert!(stage.outputs.is_dir() && stage.cache.is_dir());
        assert_eq!(set("bad.csv").unwrap_err().problems().total(), 1);
    }

    #[test]
    fn required_outputs_that_no_file_belongs_to_are_missing() {
        let folder = folder();
        let text = fs::read_to_string(folder.path().join("model.toml")).unwrap();
        let outputs = Manifest::parse("m", &text).unwrap().outputs;
        let matched = match_outputs(&outputs, &["n/x.md", "other"]);
        assert_eq!(matched.declarations, [Some(&outputs[1]), None]);
        assert_eq!(
            describe_missing(&matched.missing),
            "The model exited without an error but did not write “A” (a.csv)."
        );
        assert!(match_outputs(&outputs, &["a.csv"]).missing.is_empty());
    }
}
