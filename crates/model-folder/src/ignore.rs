//! `.dockerignore`: what of a folder goes into no image, by Docker's rules
//! (<https://docs.docker.com/build/concepts/context/#dockerignore-files>).

use std::{fs, io, path::Path};

use globset::{GlobBuilder, GlobMatcher};

use crate::FolderError;

/// The file's name.
const FILE: &str = ".dockerignore";
/// What the builder itself reads: Docker sends both whatever the file says.
const ALWAYS_SENT: [&str; 2] = [FILE, "Dockerfile"];

/// The rules of one folder.
#[derive(Debug, Default)]
pub(crate) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    pattern: GlobMatcher,
    /// The line begins with `!`.
    keeps: bool,
}

impl Ignore {
    /// The rules of a folder; none when it has no such file.
    pub(crate) fn of(folder: &Path) -> Result<Self, FolderError> {
        let file = folder.join(FILE);
        match fs::read_to_string(&file) {
            Ok(text) => Self::parse(&text).map_err(|problem| FolderError::Item {
                path: file,
                problem,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(FolderError::at("reading", &file)(error)),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (keeps, pattern) = match line.strip_prefix('!') {
                Some(pattern) => (true, pattern.trim()),
                None => (false, line),
            };
            let pattern = pattern.trim_matches('/');
            let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
            if matches!(pattern, "" | ".") {
                continue;
            }
            // Docker knows no alternatives.
            let pattern = pattern.replace('{', "[{]").replace('}', "[}]");
            let glob = GlobBuilder::new(&pattern)
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map_err(|error| format!("its line {line:?} is no pattern ({})", error.kind()))?;
            rules.push(Rule {
                pattern: glob.compile_matcher(),
                keeps,
            });
        }
        Ok(Self { rules })
    }

    /// Whether a file is left out: the last rule that fits it or a folder around it decides.
    pub(crate) fn leaves_out(&self, path: &Path) -> bool {
        if ALWAYS_SENT.iter().any(|name| path == Path::new(name)) {
            return false;
        }
        let fits = |rule: &&Rule| {
            path.ancestors()
                .filter(|part| !part.as_os_str().is_empty())
                .any(|part| rule.pattern.is_match(part))
        };
        let last = self.rules.iter().rev().find(fits);
        last.is_some_and(|rule| !rule.keeps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(rules: &str, path: &str) -> bool {
        Ignore::parse(rules).unwrap().leaves_out(Path::new(path))
    }

    #[test]
    fn patterns_mean_what_they_mean_to_docker() {
        for (rules, path, expected) in [
            ("tests", "tests/a/b.py", true),
            ("tests", "a/tests/b.py", false),
            ("**/tests", "a/tests/b.py", true),
            ("**/tests", "tests/b.py", true),
            ("/tests/", "tests/b.py", true),
            ("./tests", "tests/b.py", true),
            ("*.md", "README.md", true),
            ("*.md", "docs/README.md", false),
            ("docs/*", "docs/a/b", true),
            ("a?.txt", "ab.txt", true),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
            ("[a-c].txt", "b.txt", true),
            ("# tests", "tests", false),
            ("*", "main.py", true),
            ("*\n!main.py", "main.py", false),
            ("*\n!src", "src/a.py", false),
            ("!src\n*", "src/a.py", true),
            ("*", "Dockerfile", false),
            ("", "main.py", false),
        ] {
            assert_eq!(left_out(rules, path), expected, "{rules:?} {path}");
        }
    }

    #[test]
    fn a_line_that_is_no_pattern_is_named() {
        let problem = Ignore::parse("[a").unwrap_err();
        assert!(problem.contains("\"[a\""), "{problem}");
    }
}
