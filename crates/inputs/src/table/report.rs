//! What is wrong with a table: problems as they are found, similar ones put together, in memory
//! that does not grow with their number.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
};

use dropcast_domain::{
    model::{InputFormat, TableEncoding},
    problem::{MAX_OTHERS, MAX_PROBLEMS, Problem, ProblemList},
};

use super::convert::Class;

/// How many faulty cells are kept for the marked copy.
const MAX_CELL_PROBLEMS: usize = 10_000;

/// The most characters of what was found in one of several cells.
const MAX_LISTED_CHARS: usize = 40;

/// How many kinds of problems are distinguished.
const MAX_GROUPS: usize = 10_000;

/// The faulty cells of a table: the first 10,000, and how many more there are.
#[derive(Debug, Clone, Default)]
pub struct CellProblems {
    rows: BTreeMap<u64, Vec<CellProblem>>,
    kept: usize,
    more: u64,
}

/// What is wrong with one cell, or with its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellProblem {
    /// The cell's column, from 0; `None` for the row as a whole.
    pub(crate) column: Option<usize>,
    /// What was found, what is allowed and what to do.
    pub(crate) message: String,
}

/// What the marked copy must know of a table that was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marking {
    /// The header's row, from 1.
    pub(crate) header_row: u64,
    /// How many rows of values there are at least.
    pub(crate) rows: u64,
    /// The columns' names.
    pub(crate) columns: Vec<String>,
    /// The sheet of a workbook.
    pub(crate) sheet: Option<String>,
    /// How the text of a CSV file is encoded.
    pub(crate) encoding: Option<TableEncoding>,
}

impl CellProblems {
    /// How many problems there are, kept or not.
    pub fn total(&self) -> u64 {
        self.kept as u64 + self.more
    }

    /// How many problems are not kept.
    pub fn more(&self) -> u64 {
        self.more
    }

    /// What is wrong in a row.
    pub(crate) fn of_row(&self, row: u64) -> &[CellProblem] {
        self.rows.get(&row).map_or(&[], Vec::as_slice)
    }

    /// The rows that have problems, in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u64> {
        self.rows.keys().copied()
    }

    fn is_full(&self) -> bool {
        self.kept >= MAX_CELL_PROBLEMS
    }

    fn add(&mut self, row: u64, column: Option<usize>, message: impl FnOnce() -> String) {
        if self.is_full() {
            self.more += 1;
            return;
        }
        self.kept += 1;
        self.rows.entry(row).or_default().push(CellProblem {
            column,
            message: message(),
        });
    }
}

/// What problems have in common that are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A cell could not be converted, for one sort of reason.
    Unconverted(Class),
    /// A cell must hold something.
    Empty,
    /// A rule of the schema, by a hash of what it allows.
    Rule(u64),
    /// A key that an earlier row has.
    Repeated,
    /// A cell in a column that has no name.
    Unnamed,
    TooManyCells,
    TooFewCells,
}

impl Kind {
    /// A rule of the schema, by what it allows.
    pub(super) fn rule(allowed: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        allowed.hash(&mut hasher);
        Self::Rule(hasher.finish())
    }
}

/// The phrases that describe a problem.
#[derive(Debug, Default)]
pub(super) struct ProblemText {
    /// What a heading names for several such problems: `Column "growth"`; may be empty.
    pub(super) subject: String,
    /// What all of them are, after their number: `cells do not contain a number`.
    pub(super) many: String,
    /// What was found.
    pub(super) found: String,
    /// Whether a list of such problems says for each what was found.
    pub(super) shows_found: bool,
    /// What is allowed.
    pub(super) allowed: String,
    /// The problem as a sentence without its address: `found "ten"; a number is allowed.`
    pub(super) sentence: String,
    /// What to do, as a sentence; may be empty.
    pub(super) hint: String,
    /// What to do about several such problems, where the hint is not the same for all.
    pub(super) general: String,
}

/// The location of a problem.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) row: u64,
    /// The column in the file, from 0; `None` for the whole row.
    pub(super) column: Option<usize>,
}

/// Everything that is wrong with a table, as it is found.
#[derive(Debug)]
pub(super) struct Report {
    format: InputFormat,
    /// What concerns the table as a whole.
    table: ProblemList,
    groups: HashMap<(Option<usize>, Kind), Group>,
    /// Problems beyond the number of groups that are kept apart.
    ungrouped: u64,
    cell_problems: CellProblems,
}

#[derive(Debug)]
struct Group {
    /// When it was begun, for a stable order.
    rank: usize,
    count: u64,
    /// The first of them: their locations, and what was found there.
    first: Vec<Member>,
    words: ProblemText,
    hint_key: u64,
    /// Whether one hint holds for all of them.
    has_one_hint: bool,
}

/// One of the first problems of a group.
#[derive(Debug)]
struct Member {
    at: String,
    row: u64,
    found: String,
}

impl Report {
    pub(super) fn new(format: InputFormat) -> Self {
        Self {
            format,
            table: ProblemList::default(),
            groups: HashMap::new(),
            ungrouped: 0,
            cell_problems: CellProblems::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty() && self.groups.is_empty()
    }

    /// Notes what concerns the table as a whole.
    pub(super) fn add(&mut self, problem: Problem) {
        self.table.push(problem);
    }

    /// Notes several of them.
    pub(super) fn add_all(&mut self, problems: ProblemList) {
        self.table.append(problems);
    }

    /// Whether further problems of the whole table are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.table.problems.len() >= MAX_PROBLEMS
    }

    /// Counts a problem that nobody would read.
    pub(super) fn skip(&mut self) {
        self.table.more += 1;
    }

    /// Marks a cell of the header, whose problem is noted by [`Self::whole`].
    pub(super) fn mark(&mut self, row: u64, column: usize, message: &str) {
        self.cell_problems
            .add(row, Some(column), || message.to_owned());
    }

    /// Notes a problem of a cell or a row. It is only put into words while somebody will read them;
    /// `hint_key` is equal where the hint that the words would give is equal.
    pub(super) fn add_cell_problem(
        &mut self,
        place: Place,
        kind: Kind,
        hint_key: u64,
        address: impl FnOnce() -> String,
        words: impl FnOnce() -> ProblemText,
    ) {
        let Place { row, column } = place;
        let rank = self.groups.len();
        let entry = match self.groups.entry((column, kind)) {
            Entry::Vacant(_) if rank >= MAX_GROUPS => {
                self.ungrouped += 1;
                None
            }
            entry => Some(entry),
        };
        let is_listed = match &entry {
            Some(Entry::Occupied(entry)) => entry.get().first.len() <= MAX_OTHERS,
            Some(Entry::Vacant(_)) => true,
            None => false,
        };
        let words = (is_listed || !self.cell_problems.is_full()).then(words);
        self.cell_problems.add(row, column, || {
            words.as_ref().map_or_else(String::new, note)
        });
        let member = words.as_ref().filter(|_| is_listed).map(|words| Member {
            at: address(),
            row,
            found: words.found.clone(),
        });
        match (entry, words) {
            (Some(Entry::Occupied(mut entry)), _) => {
                let group = entry.get_mut();
                group.count += 1;
                group.has_one_hint &= group.hint_key == hint_key;
                group.first.extend(member);
            }
            (Some(Entry::Vacant(entry)), Some(words)) => {
                entry.insert(Group {
                    rank,
                    count: 1,
                    first: member.into_iter().collect(),
                    words,
                    hint_key,
                    has_one_hint: true,
                });
            }
            _ => {}
        }
    }

    /// The problems, the worst first, and the faulty cells.
    pub(super) fn finish(self) -> (ProblemList, CellProblems) {
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.rank));
        let mut problems = self.table;
        problems.more += self.ungrouped;
        for group in groups {
            if problems.problems.len() < MAX_PROBLEMS {
                problems.problems.push(group.problem(self.format));
            } else {
                problems.more += group.count;
            }
        }
        (problems, self.cell_problems)
    }
}

/// A problem as the note beside its cell says it.
fn note(words: &ProblemText) -> String {
    if words.hint.is_empty() {
        words.sentence.clone()
    } else {
        format!("{} {}", words.sentence, words.hint)
    }
}

impl Group {
    fn problem(&self, format: InputFormat) -> Problem {
        let words = &self.words;
        let first = self.first.first().map_or("", |member| member.at.as_str());
        if self.count == 1 {
            let message = format!("At {first}: {}", words.sentence);
            let problem = Problem::with_message(first, &words.found, &words.allowed, &message);
            return with_hint(problem, &words.hint);
        }
        let mut message = String::new();
        if !words.subject.is_empty() {
            let _ = write!(message, "{}: ", words.subject);
        }
        let _ = write!(message, "{} {}: ", self.count, words.many);
        for (index, member) in self.first.iter().enumerate() {
            if index > 0 {
                message.push_str(", ");
            }
            match format {
                InputFormat::Csv => drop(write!(message, "row {}", member.row)),
                _ => message.push_str(member.at.rsplit('!').next().unwrap_or_default()),
            }
            if words.shows_found {
                let _ = write!(message, " ({})", shortened(&member.found));
            }
        }
        match self.count - self.first.len() as u64 {
            0 => message.push('.'),
            more => drop(write!(message, " and {more} more.")),
        }
        let others = self.first.iter().skip(1).map(|member| member.at.as_str());
        let problem = Problem::with_message(first, &words.found, &words.allowed, &message)
            .with_count(self.count, others);
        let hint = if self.has_one_hint {
            &words.hint
        } else {
            &words.general
        };
        with_hint(problem, hint)
    }
}

fn with_hint(problem: Problem, hint: &str) -> Problem {
    if hint.is_empty() {
        problem
    } else {
        problem.with_hint(hint)
    }
}

/// What was found, short enough for a list.
fn shortened(found: &str) -> String {
    if found.chars().count() <= MAX_LISTED_CHARS {
        return found.to_owned();
    }
    let mut short: String = found.chars().take(MAX_LISTED_CHARS - 1).collect();
    short.push('…');
    short
}
