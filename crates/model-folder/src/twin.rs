//! The twin of a rejected example: `FILE.problems.json`, which names the problems that
//! reading the file must find.

use dropcast_domain::problem::{Problem, ProblemList, quoted};
use serde::Deserialize;

/// What follows the name of the file in its twin's.
pub(crate) const ENDING: &str = ".problems.json";

/// One problem that must be found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// Where it stands, exactly as it is reported.
    at: String,
    /// A part of its sentence.
    #[serde(default)]
    message: Option<String>,
}

/// Reads a twin; fails with what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<Named>, String> {
    match serde_json::from_str::<Vec<Named>>(text) {
        Ok(named) if named.is_empty() => {
            Err("It names no problem, but a rejected file has one at least.".to_owned())
        }
        Ok(named) => Ok(named),
        Err(error) => Err(format!(
            "It is no list of problems such as [{{ \"at\": \"Plan!C7\", \"message\": \"#REF!\" }}]: {error}."
        )),
    }
}

/// The twin that a file with these problems would have, for whoever writes one.
pub(crate) fn of(found: &ProblemList) -> String {
    let entry = |problem: &Problem| {
        let value = serde_json::json!({ "at": problem.at, "message": problem.message });
        format!("  {value}")
    };
    let entries: Vec<String> = found.problems.iter().map(entry).collect();
    format!("[\n{}\n]", entries.join(",\n"))
}

/// How what was found differs from what a twin names; nothing when it does not.
pub(crate) fn differences(named: &[Named], found: &ProblemList) -> Vec<String> {
    let mut taken = vec![false; found.problems.len()];
    let mut order = Vec::new();
    let mut faults = Vec::new();
    for wanted in named {
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
            faults.push(format!(
                "The problem at {} does not say {part}: {}",
                place(&wanted.at),
                problem.message
            ));
        } else {
            faults.push(format!(
                "No problem was found at {}, where the twin names one.",
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
        faults.push(format!(
            "The twin does not name the problem at {}: {}",
            place(&problem.at),
            problem.message
        ));
    }
    if found.more > 0 {
        faults.push(format!(
            "There are {} more problems than those that are listed, which no twin can name.",
            found.more
        ));
    }
    if faults.is_empty() && !order.is_sorted() {
        let at: Vec<String> = found.problems.iter().map(|it| place(&it.at)).collect();
        faults.push(format!(
            "The problems are reported in another order: {}.",
            at.join(", ")
        ));
    }
    faults
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

    fn named(text: &str) -> Vec<Named> {
        parse(text).unwrap()
    }

    #[test]
    fn a_twin_names_places_and_parts_of_sentences_in_order() {
        let twin = named(r#"[{"at": "/a"}, {"at": "/b", "message": "a number"}]"#);
        assert_eq!(
            differences(&twin, &found(&["/a", "/b"])),
            Vec::<String>::new()
        );
        let swapped = differences(&twin, &found(&["/b", "/a"]));
        assert_eq!(
            swapped,
            ["The problems are reported in another order: /b, /a."]
        );
    }

    #[test]
    fn a_problem_too_many_one_too_few_and_another_sentence_are_told() {
        let twin = named(r#"[{"at": "/a", "message": "a date"}, {"at": ""}]"#);
        let told = differences(&twin, &found(&["/a", "/c"])).join("\n");
        assert!(
            told.contains("at /a does not say \"a date\": At /a"),
            "{told}"
        );
        assert!(
            told.contains("found at \"\" (the whole file), where"),
            "{told}"
        );
        assert!(told.contains("not name the problem at /c: At /c"), "{told}");
        let more = ProblemList {
            more: 7,
            ..found(&["/a"])
        };
        let told = differences(&named(r#"[{"at": "/a"}]"#), &more);
        assert!(told[0].contains("7 more"), "{told:?}");
    }

    #[test]
    fn equal_places_are_told_apart_by_what_is_said() {
        let mut found = found(&["/a", "/a"]);
        found.problems[1].message = "At /a: too short.".to_owned();
        let twin =
            named(r#"[{"at": "/a", "message": "number"}, {"at": "/a", "message": "short"}]"#);
        assert_eq!(differences(&twin, &found), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_twin_says_what_one_looks_like() {
        for bad in ["", "{}", r#"[{"pointer": "/a"}]"#, "[]"] {
            assert!(parse(bad).unwrap_err().starts_with("It "), "{bad}");
        }
        assert_eq!(
            parse(&of(&found(&["/a"]))).unwrap()[0].at,
            "/a",
            "what is proposed is a twin"
        );
    }
}
