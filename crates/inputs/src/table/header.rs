//! Which column of a file is which of the schema's.

mod misplaced;
mod names;
mod reading;

use std::collections::HashMap;

use dropcast_domain::{model::TableSpec, problem::Problem};
use dropcast_workbook::{Row, Rows};

pub(super) use self::{
    misplaced::{MisplacedHeader, find_misplaced},
    names::{fold, list},
};
use self::{
    names::{Name, match_names},
    reading::Reading,
};
use super::{
    columns::{Column, RowSchema, wanted_names},
    report::Report,
};

/// The columns of one table.
#[derive(Debug)]
pub(super) struct Header {
    /// The header's row.
    pub(super) row: u64,
    /// Per column of the file: its name there, and which of [`Self::columns`] it is, if any.
    pub(super) file: Vec<FileColumn>,
    /// The columns that are read, in the file's order, then those that only have a default.
    pub(super) columns: Vec<LocatedColumn>,
    /// Which of them make up the key.
    pub(super) key: Vec<usize>,
}

/// A column of the file.
#[derive(Debug)]
pub(super) struct FileColumn {
    pub(super) name: String,
    /// Its place in [`Header::columns`]; `None` when it has no name or is not known.
    pub(super) column: Option<usize>,
}

/// A column that is read, and where.
#[derive(Debug)]
pub(super) struct LocatedColumn {
    pub(super) column: Column,
    /// Its place in the file; `None` when only its default is written.
    pub(super) at: Option<usize>,
}

impl Header {
    /// Finds the columns of a header row, and notes what is wrong with them; fails with what is
    /// wrong when it is no header at all.
    pub(super) fn read(
        row: &Row,
        rows: &dyn Rows,
        schema: &RowSchema,
        spec: &TableSpec,
        report: &mut Report,
    ) -> Result<Self, Option<Box<Problem>>> {
        let wanted = wanted_names(schema, spec);
        let mut names: Vec<Name> = row.cells.iter().map(Name::of).collect();
        let last = names.iter().rposition(|name| !name.text.is_empty());
        let width = last.ok_or(None)? + 1;
        names.truncate(width);
        let meant = match_names(&names, &wanted, |name| schema.title_of(name));
        let mut reading = Reading {
            row: row.number,
            rows,
            schema,
            spec,
            missing: wanted
                .iter()
                .copied()
                .filter(|name| !meant.contains(&Some(*name)))
                .collect(),
            needed: Vec::new(),
            suggested: Vec::new(),
            unknown: Vec::new(),
            width,
            report,
        };
        reading.find_needed();
        if !wanted.is_empty()
            && let Some(problem) = reading.explain_no_header(&names, &meant, &row.cells)
        {
            return Err(Some(Box::new(problem)));
        }
        let mut file = Vec::with_capacity(width);
        let mut columns: Vec<LocatedColumn> = Vec::with_capacity(width);
        let mut first: HashMap<String, usize> = HashMap::new();
        for (at, (name, meant)) in names.into_iter().zip(meant).enumerate() {
            let Name {
                text: name,
                problem,
            } = name;
            let column = if let Some(problem) = problem {
                reading.report_unusable_name(at, &name, &problem);
                None
            } else if name.is_empty() {
                None
            } else {
                reading.find_column(at, &name, meant)
            };
            let column = column.and_then(|column| {
                if let Some(&earlier) = first.get(&column.name) {
                    reading.report_repeated(at, &name, earlier);
                    return None;
                }
                first.insert(column.name.clone(), at);
                columns.push(LocatedColumn {
                    column,
                    at: Some(at),
                });
                Some(columns.len() - 1)
            });
            file.push(FileColumn { name, column });
        }
        reading.report_unknown();
        let supplied = reading.report_missing();
        columns.extend(
            supplied
                .into_iter()
                .map(|column| LocatedColumn { column, at: None }),
        );
        let key = spec
            .key
            .iter()
            .filter_map(|name| {
                columns
                    .iter()
                    .position(|placed| placed.column.name == *name)
            })
            .collect();
        Ok(Self {
            row: row.number,
            file,
            columns,
            key,
        })
    }
}
