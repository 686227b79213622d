//! The problems that reading a rejected example must report, listed in `FILE.problems.json`.

use dropcast_domain::{
    problem::{Problem, ProblemList},
    text::quoted,
};
use serde::Deserialize;

/// The extension that the list adds to the name of its file.
pub(crate) const EXTENSION: &str = ".problems.json";

/// One problem that must be reported.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedProblem {
    /// Its place, exactly as it is reported.
    at: String,
    /// A part of its message; any message if `None`.
    #[serde(default)]
    message: Option<String>,
}

/// Reads a list of expected problems; the error says why it is not one.
pub(crate) fn parse(text: &str) -> Result<Vec<ExpectedProblem>, String> {
    match serde_json::from_str::<Vec<ExpectedProblem>>(text) {
        Ok(expected) if expected.is_empty() => {
            Err("It lists no problems, but a rejected file has at least one.".to_owned())
        }
        Ok(expected) => Ok(expected),
        Err(error) => Err(format!(
            "It is not a list of problems such as [{{ \"at\": \"Plan!C7\", \"message\": \"#REF!\" }}]: {error}."
        )),
    }
}

/// The list for a file with these problems, to be saved next to it.
pub(crate) fn format_file(found: &ProblemList) -> String {
    let entry = |problem: &Problem| {
        let value = serde_json::json!({ "at": problem.at, "message": problem.message });
        format!("  {value}")
    };
    let entries: Vec<String> = found.problems.iter().map(entry).collect();
    format!("[\n{}\n]", entries.join(",\n"))
}

/// The differences between the expected problems and those found, as sentences; empty if there
/// are none.
pub(crate) fn find_differences(expected: &[ExpectedProblem], found: &ProblemList) -> Vec<String> {
    let mut taken = vec![false; found.problems.len()];
    let mut order = Vec::new();
    let mut failures = Vec::new();
    for wanted in expected {
        let is_it = |problem: &Problem| wanted.at == problem.at;
        let says_it = |problem: &Problem| {
            let said = wanted.message.as_deref().unwrap_or_default();
            problem.message.contains(said)
        };
        let free = |test: &dyn Fn(&Problem) -> bool| {
            let mut all = found.problems.iter().zip(&taken).enumerate();
            all.find(|(_, (problem, taken))| !**taken && test(problem))
                .map(|(index, (problem, _))| (index, problem))
        };
        if let Some((index, _)) = free(&|problem| is_it(problem) && says_it(problem)) {
            taken[index] = true;
            order.push(index);
        } else if let Some((index, problem)) = free(&is_it) {
            taken[index] = true;
            let part = quoted(wanted.message.as_deref().unwrap_or_default());
            failures.push(format!(
                "The problem at {} does not say {part}: {}",
                place(&wanted.at),
                problem.message
            ));
        } else {
            failures.push(format!(
                "No problem was found at {}, where one is expected.",
                place(&wanted.at)
            ));
        }
    }
    for (problem, _) in found
        .problems
        .iter()
        .zip(&taken)
        .filter(|(_, taken)| !**taken)
    {
        failures.push(format!(
            "The list does not contain the problem at {}: {}",
            place(&problem.at),
            problem.message
        ));
    }
    if found.more > 0 {
        failures.push(format!(
            "There are {} more problems than those that are reported one by one, and no list can contain them.",
            found.more
        ));
    }
    if failures.is_empty() && !order.is_sorted() {
        let at: Vec<String> = found.problems.iter().map(|it| place(&it.at)).collect();
        failures.push(format!(
            "The problems are reported in a different order: {}.",
            at.join(", ")
        ));
    }
    failures
}

fn place(at: &str) -> String {
    if at.is_empty() {
        "\"\" (the whole file)".to_owned()
    } else {
        at.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(places: &[&str]) -> ProblemList {
        let problem = |at: &&str| Problem::new(at, "\"x\"", "a number");
        ProblemList {
            problems: places.iter().map(problem).collect(),
            more: 0,
        }
    }

    fn parse_list(text: &str) -> Vec<ExpectedProblem> {
        parse(text).unwrap()
    }

    #[test]
    fn a_list_names_places_and_parts_of_messages_in_order() {
        let expected = parse_list(r#"[{"at": "/a"}, {"at": "/b", "message": "a number"}]"#);
        assert_eq!(
            find_differences(&expected, &found(&["/a", "/b"])),
            Vec::<String>::new()
        );
        let swapped = find_differences(&expected, &found(&["/b", "/a"]));
        assert_eq!(
            swapped,
            ["The problems are reported in a different order: /b, /a."]
        );
    }

    #[test]
    fn extra_missing_and_different_problems_are_reported() {
        let expected = parse_list(r#"[{"at": "/a", "message": "a date"}, {"at": ""}]"#);
        let differences = find_differences(&expected, &found(&["/a", "/c"])).join("\n");
        assert!(
            differences.contains("at /a does not say \"a date\": At /a"),
            "{differences}"
        );
        assert!(
            differences.contains("found at \"\" (the whole file), where"),
            "{differences}"
        );
        assert!(
            differences.contains("not contain the problem at /c: At /c"),
            "{differences}"
        );
        let more = ProblemList {
            more: 7,
            ..found(&["/a"])
        };
        let differences = find_differences(&parse_list(r#"[{"at": "/a"}]"#), &more);
        assert!(differences[0].contains("7 more"), "{differences:?}");
    }

    #[test]
    fn problems_at_the_same_place_are_distinguished_by_their_messages() {
        let mut found = found(&["/a", "/a"]);
        found.problems[1].message = "At /a: too short.".to_owned();
        let expected =
            parse_list(r#"[{"at": "/a", "message": "number"}, {"at": "/a", "message": "short"}]"#);
        assert_eq!(find_differences(&expected, &found), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_a_list_of_problems_says_what_one_looks_like() {
        for bad in ["", "{}", r#"[{"pointer": "/a"}]"#, "[]"] {
            assert!(parse(bad).unwrap_err().starts_with("It "), "{bad}");
        }
        assert_eq!(
            parse(&format_file(&found(&["/a"]))).unwrap()[0].at,
            "/a",
            "what is proposed can be read"
        );
    }
}
