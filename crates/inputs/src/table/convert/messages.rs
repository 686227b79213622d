//! What was found in a cell, and what to write instead.

use dropcast_domain::{
    model::Locale,
    text::{excerpt, quoted},
};
use dropcast_workbook::Cell;
use jiff::civil::Date;

use super::{ConversionProblem, Converter, date, date::DateProblem, number, number::NumberProblem};
use crate::table::columns::{Column, Form, ValueKinds};

/// What a cell holds whose formula nothing has computed yet.
pub(in crate::table) const UNCOMPUTED: &str = "a formula without a result";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A cell's content as a sentence names it.
pub(in crate::table) fn found(cell: &Cell) -> String {
    match cell {
        Cell::Empty => "nothing".to_owned(),
        Cell::Text(text) | Cell::Unusable(text) => quoted(text),
        Cell::Number(number) => number_text(*number),
        Cell::Percent(number) => format!(
            "{} (stored as {})",
            percentage(*number),
            number_text(*number)
        ),
        Cell::Bool(boolean) => boolean.to_string(),
        Cell::DateTime(moment) if moment.time() == jiff::civil::Time::midnight() => {
            format!("the date {}", moment.date())
        }
        Cell::DateTime(moment) => format!("the date and time {moment}"),
        Cell::Error(error) => (*error).to_owned(),
        Cell::Uncomputed => UNCOMPUTED.to_owned(),
        Cell::UnusableText(unusable) => unusable.found.clone(),
    }
}

/// A number as a workbook shows it that shows it as a percentage: `4.5%`.
pub(super) fn percentage(number: f64) -> String {
    format!("{}%", number_text(number::shortened(number * 100.0)))
}

/// A cell's content as a text: dates as in ISO 8601.
pub(in crate::table) fn as_text(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) | Cell::Unusable(text) => text.clone(),
        Cell::Number(number) => number_text(*number),
        Cell::Percent(number) => percentage(*number),
        Cell::Bool(boolean) => boolean.to_string(),
        Cell::DateTime(moment) if moment.time() == jiff::civil::Time::midnight() => {
            moment.date().to_string()
        }
        Cell::DateTime(moment) => moment.to_string(),
        Cell::Error(error) => (*error).to_owned(),
        Cell::Uncomputed => UNCOMPUTED.to_owned(),
        Cell::UnusableText(unusable) => unusable.found.clone(),
    }
}

/// What a cell holds together with what it was taken for, where that looks different.
pub(in crate::table) fn read_as(cell: &Cell, text: &str) -> Option<String> {
    let written = match cell {
        Cell::Text(written) if written.trim() != text => quoted(written.trim()),
        Cell::Percent(number) if percentage(*number) != text => percentage(*number),
        _ => return None,
    };
    Some(format!("{written} (read as {})", excerpt(text)))
}

/// A date that is written so whatever the locale is.
fn iso_example(form: Form) -> &'static str {
    match form {
        Form::DateTime => "2026-01-31T08:30:00Z",
        _ => "2026-01-31",
    }
}

/// The shortest text of a number.
fn number_text(number: f64) -> String {
    match number::whole(number) {
        Some(whole) => whole.to_string(),
        None => serde_json::Number::from_f64(number)
            .map_or_else(|| number.to_string(), |number| number.to_string()),
    }
}

impl Converter {
    /// What a cell may contain, as a noun.
    pub(in crate::table) fn allowed<'a>(
        column: &'a Column,
        problem: &'a ConversionProblem,
    ) -> &'a str {
        match problem {
            ConversionProblem::UnusableText(unusable) => unusable.allowed,
            _ => &column.allowed,
        }
    }

    /// What to do about a cell that could not be converted; may be empty.
    pub(in crate::table) fn hint(
        self,
        cell: &Cell,
        column: &Column,
        problem: &ConversionProblem,
    ) -> String {
        let text = match cell {
            Cell::Text(text) => text.trim(),
            _ => "",
        };
        match problem {
            ConversionProblem::Number(problem) => self.number_hint(text, column, *problem),
            ConversionProblem::Date(problem) => Self::date_hint(column.form, problem),
            ConversionProblem::Boolean => match self.locale {
                Some(locale) if !super::boolean::of(locale).0.is_empty() => {
                    let (yes, no) = super::boolean::of(locale);
                    format!("Write true or false, or {} or {}.", yes[0], no[0])
                }
                _ => "Write true or false.".to_owned(),
            },
            ConversionProblem::IsDate => {
                "Excel shows this cell as a date: give it a number format, or write the number again.".to_owned()
            }
            ConversionProblem::IsBoolean => String::new(),
            ConversionProblem::Days(days) => days_hint(*days),
            ConversionProblem::NotOneOrZero => "Write true or false.".to_owned(),
            ConversionProblem::Percent(number) => format!(
                "Excel shows this cell as a percentage: give it a number format and write {} or {}, whichever is meant.",
                number_text(number::shortened(*number * 100.0)),
                number_text(*number)
            ),
            ConversionProblem::Unusable => "Write it out instead.".to_owned(),
            ConversionProblem::Formula => {
                "The formula in this cell failed: fix it, or enter the value.".to_owned()
            }
            ConversionProblem::Uncomputed => {
                "Open the workbook in Excel, which calculates the formula, save it, and upload it again.".to_owned()
            }
            ConversionProblem::UnusableText(unusable) => unusable.hint.to_owned(),
        }
    }

    /// What to do about several cells of one class that need different advice.
    pub(in crate::table) fn general_hint(
        self,
        cell: &Cell,
        column: &Column,
        problem: &ConversionProblem,
    ) -> String {
        match problem {
            ConversionProblem::Number(NumberProblem::Negative) => {
                "Write a minus sign before negative numbers.".to_owned()
            }
            ConversionProblem::Number(NumberProblem::Separators) => {
                format!("Write numbers such as {}.", self.example(column))
            }
            ConversionProblem::Date(problem) => match problem {
                DateProblem::NoMonth(_) => "A year has the months 1 to 12.".to_owned(),
                DateProblem::NoDay { .. } => "Their months have fewer days.".to_owned(),
                DateProblem::AmbiguousOrder(..) => format!(
                    "Write the year first, then the month and the day: {}.",
                    iso_example(column.form)
                ),
                DateProblem::Days(_) => format!(
                    "In Excel such a number of days represents a date: write dates such as {}, or give the cells a date format.",
                    iso_example(column.form)
                ),
                other => Self::date_hint(column.form, other),
            },
            ConversionProblem::Days(_) => {
                "As numbers of days they may represent dates: give the cells a date format.".to_owned()
            }
            ConversionProblem::Percent(_) => {
                "Excel shows these cells as percentages: give them a number format and write the numbers that are meant.".to_owned()
            }
            _ => self.hint(cell, column, problem),
        }
    }

    /// A number that the column could take, as people here write it.
    fn example(self, column: &Column) -> String {
        let (least, most) = column.range;
        let fits = |number: &f64| {
            least.is_none_or(|least| *number >= least) && most.is_none_or(|most| *number <= most)
        };
        let known: &[f64] = if column.kinds.has(ValueKinds::FRACTION) {
            &[1234.5, 12.5, 4.5, 0.5, 1.0, 0.0]
        } else {
            &[1234.0, 2026.0, 12.0, 1.0, 0.0]
        };
        let number = known.iter().copied().find(fits).or(least).or(most);
        let text = number_text(number.unwrap_or(0.0));
        match self.locale.map(Locale::decimal) {
            Some(',') => text.replace('.', ","),
            _ => text,
        }
    }

    fn number_hint(self, text: &str, column: &Column, problem: NumberProblem) -> String {
        let example = self.example(column);
        match problem {
            NumberProblem::None | NumberProblem::NotWhole => String::new(),
            NumberProblem::Separators => match self.find_meaning(text) {
                Some(meant) => format!("Write {meant}."),
                None => format!("Write numbers such as {example}."),
            },
            NumberProblem::Digits => "Write numbers with the digits 0 to 9.".to_owned(),
            NumberProblem::Negative => match number::negative(text) {
                Some(meant) => format!("Write {meant}."),
                None => String::new(),
            },
            NumberProblem::Placeholder if column.must_be_filled() => "Write the number.".to_owned(),
            NumberProblem::Placeholder => {
                "Where there is no number, leave the cell empty.".to_owned()
            }
            NumberProblem::NoSuch if column.must_be_filled() => {
                "There is no such number.".to_owned()
            }
            NumberProblem::NoSuch => "There is no such number: leave the cell empty.".to_owned(),
            NumberProblem::Unit => {
                format!(
                    "Write the number alone, such as {example}: without a unit, a currency or other symbols."
                )
            }
            NumberProblem::Percent => {
                "Write the number that is meant, without the percent sign.".to_owned()
            }
            NumberProblem::TooLarge => {
                "It is beyond the range of numbers, which ends at 1.8e308.".to_owned()
            }
            NumberProblem::TooLong => "It has more digits than can be kept exactly.".to_owned(),
        }
    }

    /// How a number with foreign separators is to be written, where it can only mean one.
    fn find_meaning(self, text: &str) -> Option<String> {
        let readings = [Locale::EnUs, Locale::DeDe, Locale::FrFr, Locale::DeCh];
        let mut meant: Option<String> = None;
        for locale in readings {
            let mut canonical = String::new();
            if number::parse(text, Some(locale), false, &mut canonical).is_err() {
                continue;
            }
            if meant.as_ref().is_some_and(|meant| *meant != canonical) {
                return None;
            }
            meant = Some(canonical);
        }
        match self.locale.map(Locale::decimal) {
            Some(',') => meant.map(|meant| meant.replace('.', ",")),
            _ => meant,
        }
    }

    fn date_hint(form: Form, problem: &DateProblem) -> String {
        let time = if form == Form::DateTime {
            "T08:30:00Z"
        } else {
            ""
        };
        let write = |day: &Date| format!("{day}{time}");
        match problem {
            DateProblem::None | DateProblem::Time => String::new(),
            DateProblem::NoMonth(month) => format!("There is no month {month}."),
            DateProblem::NoDay { year, month, days } => {
                let name = usize::try_from(*month - 1).map_or("", |index| MONTHS[index]);
                format!("{name} {year} has {days} days.")
            }
            DateProblem::ShortYear => "Write the year with four digits.".to_owned(),
            DateProblem::AmbiguousOrder(Some(one), Some(other)) if one != other => {
                format!(
                    "Write {} or {}, whichever is meant.",
                    write(one),
                    write(other)
                )
            }
            DateProblem::AmbiguousOrder(one, other) => match one.as_ref().or(other.as_ref()) {
                Some(day) => format!("Write {}.", write(day)),
                None => String::new(),
            },
            DateProblem::Days(day) => format!(
                "In Excel this number of days represents {day}: write {}, or give the cell a date format.",
                write(day)
            ),
            DateProblem::HasTime => "Write the date without a time.".to_owned(),
        }
    }
}

/// A number of a workbook where a date is wanted.
fn days_hint(days: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Checked to be a plausible day."
    )]
    let day = (1.0..2_958_466.0)
        .contains(&days)
        .then(|| date::excel_day(days as i32))
        .flatten();
    match day {
        Some(day) if days >= 20_000.0 => {
            format!("As a number of days it represents {day}: give the cell a date format.")
        }
        _ => "Write a date, and give the cell a date format.".to_owned(),
    }
}
