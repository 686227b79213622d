//! A CloudFormation template as its YAML says it: its parameters, and what it points to beside itself.

use std::ops::Range;

use saphyr::{LoadableYamlNode as _, MarkedYaml};

/// Resource types that point to files, each with the property that does.
const POINTERS: [(&str, &str, Kind); 3] = [
    ("AWS::Serverless::Function", "CodeUri", Kind::Function),
    (
        "AWS::Serverless::StateMachine",
        "DefinitionUri",
        Kind::Definition,
    ),
    ("AWS::CloudFormation::Stack", "TemplateURL", Kind::Template),
];

/// What a pointer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The folder of a function.
    Function,
    /// The definition of a state machine.
    Definition,
    /// A nested template.
    Template,
}

/// A property that points to a file or folder beside its template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) kind: Kind,
    /// The path, relative to the template's folder.
    pub(crate) path: String,
    /// The position of the path in the template, in bytes.
    range: Range<usize>,
}

/// A template that was read.
#[derive(Debug)]
pub(crate) struct Template {
    text: String,
    parameters: Vec<String>,
    pointers: Vec<Pointer>,
}

impl Template {
    /// Reads a template. The error is a clause that says what is wrong with it.
    pub(crate) fn parse(text: String) -> Result<Self, String> {
        let documents = MarkedYaml::load_from_str(&text).map_err(|error| error.to_string())?;
        let [document] = documents.as_slice() else {
            return Err(format!(
                "it contains {} YAML documents instead of one",
                documents.len()
            ));
        };
        let parameters = entries(document, "Parameters").map(|(name, _)| name.to_owned());
        let parameters = parameters.collect();
        let mut pointers = Vec::new();
        for (_, resource) in entries(document, "Resources") {
            pointers.extend(pointer(resource, &text));
        }
        // Later they are replaced from the first to the last.
        pointers.sort_by_key(|pointer| pointer.range.start);
        Ok(Self {
            text,
            parameters,
            pointers,
        })
    }

    /// The names of its parameters.
    pub(crate) fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// What it points to, in the order of its text. An address or an expression is no pointer.
    pub(crate) fn pointers(&self) -> &[Pointer] {
        &self.pointers
    }

    /// The text with an address in the place of each pointer's path, and everything else as it was.
    pub(crate) fn with_addresses<'a>(&self, addresses: impl Iterator<Item = &'a str>) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut copied = 0;
        for (pointer, address) in self.pointers.iter().zip(addresses) {
            text.push_str(&self.text[copied..pointer.range.start]);
            text.push_str(address);
            copied = pointer.range.end;
        }
        text.push_str(&self.text[copied..]);
        text
    }
}

/// The entries of a section, by name.
fn entries<'a>(
    document: &'a MarkedYaml<'a>,
    section: &str,
) -> impl Iterator<Item = (&'a str, &'a MarkedYaml<'a>)> {
    let section = document.data.as_mapping_get(section);
    let entries = section.and_then(|section| section.data.as_mapping());
    entries
        .into_iter()
        .flatten()
        .filter_map(|(name, entry)| Some((name.data.as_str()?, entry)))
}

fn pointer(resource: &MarkedYaml<'_>, text: &str) -> Option<Pointer> {
    let of_resource = resource.data.as_mapping_get("Type")?.data.as_str()?;
    let (_, property, kind) = POINTERS.iter().find(|(known, ..)| *known == of_resource)?;
    let properties = resource.data.as_mapping_get("Properties")?;
    let value = properties.data.as_mapping_get(property)?;
    // An expression such as `!Ref Address` is tagged, and so no text.
    let path = value.data.as_str()?;
    if path.contains("://") {
        return None;
    }
    // The parser counts characters.
    let byte = |index| {
        text.char_indices()
            .nth(index)
            .map_or(text.len(), |(byte, _)| byte)
    };
    let start = byte(value.span.start.index());
    let end = byte(value.span.end.index());
    let end = start + text[start..end].trim_end().len();
    Some(Pointer {
        kind: *kind,
        path: path.to_owned(),
        range: start..end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# One arrow ─► before, of three bytes a character.
Parameters:
  # The first.
  A: { Type: String }

  B:
    Type: String
Rules:
  C:
    CodeUri: functions/rule/
Resources:
  Run:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../functions/run/ # A comment.
  Machine: { Type: AWS::Serverless::StateMachine, Properties: { DefinitionUri: \"run.json\" } }
  Nested:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: nested.yaml
      Parameters: { TemplateURL: as-it-is.yaml }
  Elsewhere:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: https://s3.amazonaws.com/b/elsewhere.yaml
  Expression:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: !Ref Address
";

    #[test]
    fn the_parameters_of_a_template_are_known_by_name() {
        let template = Template::parse(TEXT.to_owned()).unwrap();
        assert_eq!(template.parameters(), ["A", "B"]);
    }

    #[test]
    fn only_paths_of_resources_are_pointers() {
        let template = Template::parse(TEXT.to_owned()).unwrap();
        let pointers: Vec<_> = template
            .pointers()
            .iter()
            .map(|pointer| (pointer.kind, pointer.path.as_str()))
            .collect();
        assert_eq!(
            pointers,
            [
                (Kind::Function, "../functions/run/"),
                (Kind::Definition, "run.json"),
                (Kind::Template, "nested.yaml"),
            ]
        );
    }

    #[test]
    fn nothing_but_the_paths_is_replaced() {
        let template = Template::parse(TEXT.to_owned()).unwrap();
        let expected = TEXT
            .replace("../functions/run/ #", "s3://b/run #")
            .replace("\"run.json\"", "s3://b/machine")
            .replace("TemplateURL: nested.yaml", "TemplateURL: https://b/nested");
        let addresses = ["s3://b/run", "s3://b/machine", "https://b/nested"];
        assert_eq!(template.with_addresses(addresses.into_iter()), expected);
    }

    #[test]
    fn what_is_no_yaml_is_refused() {
        assert!(Template::parse("Resources: [".to_owned()).is_err());
        let problem = Template::parse(String::new()).unwrap_err();
        assert_eq!(problem, "it contains 0 YAML documents instead of one");
    }
}
