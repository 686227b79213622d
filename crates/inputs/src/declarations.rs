//! What a model declares, checked as a whole before it becomes a version: one rule for everybody who
//! registers, validates or builds a model.

use std::fmt;

use dropcast_domain::{model::Manifest, problem::Problem};

use crate::{CompiledSchema, table::RowSchema};

/// A schema file of a model that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFileError {
    /// The file, as the manifest names it.
    pub file: String,
    /// What is wrong with it, in one or more sentences.
    pub problem: String,
}

impl fmt::Display for SchemaFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.problem)
    }
}

impl std::error::Error for SchemaFileError {}

/// Checks a manifest's schemas, given as their texts: each is a schema that inputs can be checked
/// against, and has the columns that the manifest names.
///
/// `row_schema` is the text of the file that the manifest names beside the input's own schema.
pub fn check(
    manifest: &Manifest,
    input_schema: &str,
    row_schema: Option<&str>,
) -> Result<(), SchemaFileError> {
    let input = &manifest.input;
    let unusable = |file: &str, problem: String| SchemaFileError {
        file: file.to_owned(),
        problem,
    };
    let schema = CompiledSchema::parse(input_schema.as_bytes())
        .map_err(|error| unusable(&input.schema, error.to_string()))?;
    let Some((table, file)) = input.table.as_ref().zip(input.row_schema()) else {
        return Ok(());
    };
    let rows = match (&table.schema, row_schema) {
        (None, _) => RowSchema::new(schema),
        (Some(_), Some(text)) => RowSchema::parse(text.as_bytes()),
        (Some(_), None) => return Err(unusable(file, "The file is missing.".to_owned())),
    };
    let rows = rows.map_err(|error| unusable(file, error.to_string()))?;
    match rows.misspelt(table).problems.first() {
        None => Ok(()),
        Some(Problem {
            at, found, allowed, ..
        }) => Err(unusable(
            file,
            format!("It has no column {found}, which {at} names; did you mean {allowed}?"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(input: &str) -> Manifest {
        let text =
            format!("name = \"m\"\ntitle = \"M\"\n[job]\ncommand = [\"true\"]\n[input]\n{input}");
        Manifest::parse("model.toml", &text).unwrap()
    }

    const ROW: &str = r#"{"type": "object", "properties": {"line": {"type": "string"}}}"#;

    #[test]
    fn the_schema_that_cannot_be_used_is_named() {
        let json = manifest("accepts = [\"json\"]\nschema = \"in.json\"\n");
        assert_eq!(check(&json, "{}", None), Ok(()));
        let both = manifest(
            "accepts = [\"json\", \"csv\"]\nschema = \"in.json\"\n[input.table]\nschema = \"row.json\"\n",
        );
        assert_eq!(check(&both, "{}", Some(ROW)), Ok(()));
        let keyed = manifest(
            "accepts = [\"csv\"]\nschema = \"row.json\"\n[input.table]\nkey = [\"lime\"]\n",
        );
        for (manifest, input, row, words) in [
            (&json, "{", None, "in.json: "),
            (&json, r#"{"type": "nothing"}"#, None, "in.json: "),
            (&both, "{}", None, "row.json: The file is missing."),
            (&both, "{}", Some(r#"{"type": "array"}"#), "row.json: "),
            (&keyed, ROW, None, "did you mean \"line\"?"),
        ] {
            let error = check(manifest, input, row).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
