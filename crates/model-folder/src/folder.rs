//! A model's folder, read and checked before anything is made of it.

use std::{
    fs::{self, File},
    io::{BufReader, Write},
    path::{Path, PathBuf},
};

use dropcast_domain::{
    model::{InputFormat, MANIFEST_FILE, Manifest},
    registry::{BuildId, VersionFile, VersionSpec},
};
use dropcast_inputs::{
    declarations,
    file::{Outcome, Reader, format_of},
};
use jiff::Timestamp;

use crate::FolderError;

/// What came of reading a file as an input.
#[derive(Debug)]
pub struct Input {
    /// The format by its name, if the model takes it.
    pub format: Option<InputFormat>,
    /// Whether it is accepted.
    pub outcome: Outcome,
}

/// What a model's folder declares.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFolder {
    /// The manifest.
    pub manifest: Manifest,
    /// The manifest's text.
    pub manifest_text: String,
    /// The text of the input's schema.
    pub input_schema: String,
    /// The text of the schema of one row, where the manifest names one.
    pub row_schema: Option<String>,
}

impl ModelFolder {
    /// Reads the manifest and the schemas, and fails with what is wrong with the first of them
    /// that cannot be used.
    pub fn read(folder: &Path) -> Result<Self, FolderError> {
        let file = folder.join(MANIFEST_FILE);
        let text = fs::read_to_string(&file).map_err(FolderError::at("reading", &file))?;
        let manifest = Manifest::parse(&file.to_string_lossy(), &text)?;
        let input = &manifest.input;
        let input_schema = schema(folder, &input.schema)?;
        let row_schema = match input.table.as_ref().and_then(|table| table.schema.as_ref()) {
            Some(path) => Some(schema(folder, path)?),
            None => None,
        };
        let read = Self {
            manifest,
            manifest_text: text,
            input_schema,
            row_schema,
        };
        read.check(folder)?;
        Ok(read)
    }

    /// The version that this folder becomes.
    pub fn into_version_spec(
        self,
        image: String,
        job_definition: String,
        commit: Option<String>,
        built_at: Timestamp,
    ) -> VersionSpec {
        VersionSpec {
            manifest: self.manifest,
            input_schema: self.input_schema,
            row_schema: self.row_schema,
            image,
            job_definition,
            commit,
            built_at,
        }
    }

    /// What the build that made an image of this folder says of the version.
    pub fn version_file(
        &self,
        build_id: BuildId,
        image: String,
        commit: Option<String>,
        built_at: Timestamp,
    ) -> VersionFile {
        VersionFile {
            build_id,
            image,
            commit,
            built_at,
            manifest: self.manifest_text.clone(),
            input_schema: self.input_schema.clone(),
            row_schema: self.row_schema.clone(),
        }
    }

    /// Whether a registered version was made of the same declarations.
    pub fn is_of(&self, spec: &VersionSpec) -> bool {
        spec.manifest == self.manifest
            && spec.input_schema == self.input_schema
            && spec.row_schema == self.row_schema
    }

    /// The text of the schema that inputs of a format are checked against.
    pub fn schema_of(&self, format: InputFormat) -> &str {
        match &self.row_schema {
            Some(row_schema) if format.is_table() => row_schema,
            _ => &self.input_schema,
        }
    }

    /// Reads an input as a run would, and writes what the model would get to `clean`.
    ///
    /// Fails when the file cannot be read or `clean` cannot be written.
    pub fn read_input(&self, path: &Path, clean: impl Write) -> Result<Input, FolderError> {
        let file = File::open(path).map_err(FolderError::at("opening", path))?;
        let bytes = file
            .metadata()
            .map_err(FolderError::at("reading", path))?
            .len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let input = &self.manifest.input;
        let format = match format_of(input, &name, bytes) {
            Ok(format) => format,
            Err(rejected) => {
                return Ok(Input {
                    format: None,
                    outcome: Outcome::Rejected(rejected),
                });
            }
        };
        let reader = Reader::new(input, format, self.schema_of(format)).map_err(|error| {
            FolderError::Schema {
                file: PathBuf::from(&input.schema),
                problem: error.to_string(),
            }
        })?;
        let outcome = reader
            .read(BufReader::new(file), clean)
            .map_err(FolderError::at("reading", path))?;
        Ok(Input {
            format: Some(format),
            outcome,
        })
    }

    fn check(&self, folder: &Path) -> Result<(), FolderError> {
        declarations::check(
            &self.manifest,
            &self.input_schema,
            self.row_schema.as_deref(),
        )
        .map_err(|unusable| FolderError::Schema {
            file: folder.join(unusable.file),
            problem: unusable.problem,
        })
    }
}

fn schema(folder: &Path, path: &str) -> Result<String, FolderError> {
    let file = folder.join(path);
    fs::read_to_string(&file).map_err(|error| FolderError::Schema {
        file,
        problem: format!("The file cannot be read: {error}."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(table: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let manifest =
            format!("name = \"m\"\ntitle = \"M\"\n[job]\ncommand = [\"true\"]\n[input]\n{table}");
        fs::write(folder.path().join(MANIFEST_FILE), manifest).unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    const ROW: &str = r#"{"type": "object", "properties": {"line": {"type": "string"}}}"#;

    #[test]
    fn a_model_of_tables_alone_has_one_schema_and_one_of_json_too_has_two() {
        let one = folder(
            "accepts = [\"csv\"]\nschema = \"row.json\"\n[input.table]\nkey = [\"line\"]\n",
            &[("row.json", ROW)],
        );
        let read = ModelFolder::read(one.path()).unwrap();
        assert_eq!((read.input_schema.as_str(), read.row_schema), (ROW, None));
        let two = folder(
            "accepts = [\"json\", \"csv\"]\nschema = \"in.json\"\n[input.table]\nschema = \"row.json\"\n",
            &[("row.json", ROW), ("in.json", "{}")],
        );
        let read = ModelFolder::read(two.path()).unwrap();
        assert_eq!(read.row_schema.as_deref(), Some(ROW));
        let spec = read.clone().into_version_spec(
            String::new(),
            String::new(),
            None,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(spec.schema_of(InputFormat::Json), "{}");
        assert_eq!(spec.schema_of(InputFormat::Xlsx), ROW);
        assert!(read.is_of(&spec));
    }

    #[test]
    fn a_schema_that_cannot_be_used_is_named_by_its_file() {
        let table = "accepts = [\"csv\"]\nschema = \"row.json\"\n[input.table]\nkey = [\"lime\"]\n";
        for (content, words) in [
            (None, "row.json: The file cannot be read"),
            (Some("{"), "row.json: "),
            (Some(r#"{"type": "array"}"#), "row.json: "),
            (Some(ROW), "did you mean \"line\"?"),
        ] {
            let files: Vec<_> = content
                .map(|content| ("row.json", content))
                .into_iter()
                .collect();
            let error = ModelFolder::read(folder(table, &files).path()).unwrap_err();
            assert!(matches!(error, FolderError::Schema { .. }), "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
