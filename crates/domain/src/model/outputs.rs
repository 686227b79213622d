//! Which of the files that a model wrote are its declared outputs.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::OutputSpec;

/// The longest output pattern in bytes: an S3 key's length.
pub(super) const MAX_PATTERN: usize = 1_024;

/// Matches output paths against a manifest's declarations.
///
/// `*` and `?` stay within one folder, `**` crosses folders, `{a,b}` chooses.
#[derive(Debug, Clone)]
pub struct OutputMatcher {
    globs: GlobSet,
}

impl OutputMatcher {
    /// Compiles the declarations of a manifest.
    ///
    /// Fails on a pattern that is no glob, which a parsed manifest cannot hold.
    pub fn new(outputs: &[OutputSpec]) -> Result<Self, OutputPatternError> {
        let mut globs = GlobSetBuilder::new();
        for output in outputs {
            globs.add(glob(&output.path)?);
        }
        let globs = globs
            .build()
            .map_err(|error| OutputPatternError::of(&error))?;
        Ok(Self { globs })
    }

    /// The position of the first declaration that a path below the output folder belongs to.
    pub fn declaration_of(&self, path: &str) -> Option<usize> {
        self.globs.matches(path).into_iter().min()
    }
}

/// Why a pattern is no output pattern; reads as the end of a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutputPatternError(String);

impl OutputPatternError {
    fn of(error: &globset::Error) -> Self {
        Self(format!("is not a valid pattern: {}", error.kind()))
    }
}

fn glob(pattern: &str) -> Result<Glob, OutputPatternError> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(false)
        .build()
        .map_err(|error| OutputPatternError::of(&error))
}

/// Checks that a pattern is a glob for paths below the output folder.
pub(super) fn check_pattern(pattern: &str) -> Result<(), OutputPatternError> {
    let fault = |text: &str| Err(OutputPatternError(text.to_owned()));
    if pattern.is_empty() {
        return fault("is empty; name a file such as forecast.csv");
    }
    if pattern.len() > MAX_PATTERN {
        return fault("is longer than 1024 bytes");
    }
    if pattern.chars().any(char::is_control) {
        return fault("contains a control character");
    }
    if pattern.contains('\\') {
        return fault("contains a backslash; use / between folders");
    }
    if pattern.starts_with('/') {
        return fault("begins with /; make it relative to the output folder");
    }
    if pattern.ends_with('/') {
        return fault("names a folder; use folder/** for everything in it");
    }
    // An alternative of `{a,b}` can stand at the start of a path segment too.
    let mut segments = pattern.split(['/', '{', '}', ',']);
    if segments.any(|segment| segment == "." || segment == "..") {
        return fault("contains . or .. as a folder; outputs must be inside the output folder");
    }
    if pattern.contains("//") {
        return fault("contains //; use one / between folders");
    }
    glob(pattern).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OutputKind;

    fn spec(path: &str) -> OutputSpec {
        OutputSpec {
            path: path.into(),
            title: path.into(),
            kind: OutputKind::Data,
            required: true,
        }
    }

    #[test]
    fn the_first_declaration_that_fits_wins() {
        let matcher = OutputMatcher::new(&[
            spec("forecast.csv"),
            spec("*.csv"),
            spec("charts/**/*.{png,svg}"),
        ])
        .unwrap();
        assert_eq!(matcher.declaration_of("forecast.csv"), Some(0));
        assert_eq!(matcher.declaration_of("other.csv"), Some(1));
        assert_eq!(matcher.declaration_of("deep/other.csv"), None);
        assert_eq!(matcher.declaration_of("charts/a.png"), Some(2));
        assert_eq!(matcher.declaration_of("charts/2026/q1/a.svg"), Some(2));
        assert_eq!(matcher.declaration_of("charts/a.pdf"), None);
    }

    #[test]
    fn no_pattern_climbs_out_of_the_output_folder() {
        for pattern in [
            "../a",
            "a/../b",
            "/etc/passwd",
            "a/..",
            "..",
            "{../,}a",
            "a\\..\\b",
            "./a",
            "a//b",
            "a/",
            "",
            "[",
            "{a",
        ] {
            assert!(check_pattern(pattern).is_err(), "{pattern}");
        }
        for pattern in [
            "a",
            "a..b",
            "..a",
            "a/*.csv",
            "**",
            "{a,b}.csv",
            "über/é.csv",
            "a b.csv",
        ] {
            assert!(check_pattern(pattern).is_ok(), "{pattern}");
        }
    }
}
