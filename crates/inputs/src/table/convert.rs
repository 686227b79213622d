//! From a cell to the value that its column's schema speaks of.

mod boolean;
mod date;
mod messages;
mod number;

use std::{
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
    mem::{Discriminant, discriminant},
};

use dropcast_domain::model::{Locale, Percent, TableSpec};
use dropcast_workbook::{Cell, CellTextProblem, refill};
use jiff::civil::DateTime;
use serde_json::{Number, Value};

use self::{date::DateProblem, number::NumberProblem};
use super::columns::{Column, Form, ValueKinds};

/// Converts cells as people of one country write them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Converter {
    locale: Option<Locale>,
    percent: Percent,
}

/// A converted cell; used again for the next, so that converting allocates little.
#[derive(Debug)]
pub(super) struct Converted {
    /// The value that the schema judges.
    pub(super) value: Value,
    /// Its text in the clean CSV.
    pub(super) text: String,
}

/// Why a cell could not be converted.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ConversionProblem {
    Number(NumberProblem),
    Boolean,
    Date(DateProblem),
    /// A date of a workbook where something else is wanted.
    IsDate,
    /// A boolean of a workbook where something else is wanted.
    IsBoolean,
    /// A number of a workbook where a date is wanted.
    Days(f64),
    /// A number of a workbook where a boolean is wanted.
    NotOneOrZero,
    /// A duration, or a date that no calendar has.
    Unusable,
    /// A number that a workbook shows as a percentage.
    Percent(f64),
    Formula,
    Uncomputed,
    UnusableText(CellTextProblem),
}

/// What problems have in common that one sort of advice holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Class {
    problem: Discriminant<ConversionProblem>,
    number: Option<Discriminant<NumberProblem>>,
    date: Option<Discriminant<DateProblem>>,
    unusable: Option<&'static str>,
}

impl ConversionProblem {
    /// The class of the problem: cells of one class are put together.
    pub(super) fn class(&self) -> Class {
        Class {
            problem: discriminant(self),
            number: match self {
                Self::Number(problem) => Some(discriminant(problem)),
                _ => None,
            },
            date: match self {
                Self::Date(problem) => Some(discriminant(problem)),
                _ => None,
            },
            unusable: match self {
                Self::UnusableText(unusable) => Some(unusable.allowed),
                _ => None,
            },
        }
    }

    /// A number that is equal where the hint about two cells of one class is equal.
    pub(super) fn hint_key(&self, cell: &Cell) -> u64 {
        let mut hasher = DefaultHasher::new();
        match (self, cell) {
            (Self::Number(problem), Cell::Text(text)) if problem.is_clear_from_text() => {
                text.hash(&mut hasher);
            }
            (Self::Date(problem), _) => problem.hash(&mut hasher),
            (Self::Days(number) | Self::Percent(number), _) => {
                number.to_bits().hash(&mut hasher);
            }
            _ => {}
        }
        hasher.finish()
    }
}

pub(super) use self::messages::{UNCOMPUTED, as_text, found, read_as};

/// Whether a cell looks like a value rather than like a column's name.
pub(super) fn is_no_name(cell: &Cell) -> bool {
    match cell {
        Cell::Empty
        | Cell::Unusable(_)
        | Cell::Error(_)
        | Cell::Uncomputed
        | Cell::UnusableText(_) => false,
        Cell::Number(_) | Cell::Percent(_) | Cell::Bool(_) | Cell::DateTime(_) => true,
        Cell::Text(text) => {
            let text = text.trim();
            let mut canonical = String::new();
            [None, Some(Locale::DeDe)].into_iter().any(|locale| {
                number::parse(text, locale, false, &mut canonical).is_ok()
                    || date::date(text, locale, &mut canonical).is_ok()
            })
        }
    }
}

impl Default for Converted {
    fn default() -> Self {
        Self {
            value: Value::Null,
            text: String::new(),
        }
    }
}

impl Converted {
    fn number(&mut self, number: Number) {
        self.value = Value::Number(number);
    }

    fn boolean(&mut self, boolean: bool) {
        self.value = Value::Bool(boolean);
        self.text.clear();
        self.text.push_str(if boolean { "true" } else { "false" });
    }

    /// Takes a text as it is.
    pub(super) fn set_text(&mut self, text: &str) {
        refill(&mut self.text, text);
        self.text_is_value();
    }

    /// Makes the value of the text that was written.
    fn text_is_value(&mut self) {
        if let Value::String(value) = &mut self.value {
            refill(value, &self.text);
        } else {
            self.value = Value::String(self.text.clone());
        }
    }
}

impl Converter {
    pub(super) fn new(spec: &TableSpec) -> Self {
        Self {
            locale: spec.locale,
            percent: spec.percent,
        }
    }

    /// Converts a cell that holds something to what a column takes.
    pub(super) fn convert(
        self,
        cell: &Cell,
        column: &Column,
        into: &mut Converted,
    ) -> Result<(), ConversionProblem> {
        match cell {
            Cell::Empty => {
                into.text.clear();
                into.value = Value::Null;
                Ok(())
            }
            Cell::Text(text) => self.text(text, column, into),
            Cell::Number(number) => from_number(*number, column, into),
            Cell::Percent(number) => self.take_percent(*number, column, into),
            Cell::Bool(boolean) => from_boolean(*boolean, column, into),
            Cell::DateTime(moment) => from_moment(*moment, column, into),
            Cell::Unusable(text)
                if column.kinds.has(ValueKinds::TEXT)
                    && column.form == Form::Time
                    && date::time(text, &mut into.text) =>
            {
                into.text_is_value();
                Ok(())
            }
            Cell::Unusable(text)
                if column.kinds.has(ValueKinds::TEXT) && column.form == Form::Any =>
            {
                into.set_text(text);
                Ok(())
            }
            Cell::Unusable(_) => Err(ConversionProblem::Unusable),
            Cell::Error(_) => Err(ConversionProblem::Formula),
            Cell::Uncomputed => Err(ConversionProblem::Uncomputed),
            Cell::UnusableText(unusable) => {
                Err(ConversionProblem::UnusableText((**unusable).clone()))
            }
        }
    }

    fn text(
        self,
        text: &str,
        column: &Column,
        into: &mut Converted,
    ) -> Result<(), ConversionProblem> {
        let kinds = column.kinds;
        if kinds.is_text_only() {
            return self.form(text, column, into);
        }
        let takes_text = kinds.has(ValueKinds::TEXT);
        let trimmed = text.trim();
        let mut problem = ConversionProblem::Boolean;
        if kinds.has(ValueKinds::NUMBER) {
            let whole = !kinds.has(ValueKinds::FRACTION);
            // Where text may stand too, only what nobody would write as text is a number.
            match number::parse(trimmed, self.locale, whole, &mut into.text) {
                Ok(number) if !takes_text || into.text == text => {
                    into.number(number);
                    return Ok(());
                }
                Ok(_) => {}
                Err(NumberProblem::Percent) if !takes_text => {
                    return self.percent(trimmed, column, into);
                }
                Err(reason) => problem = ConversionProblem::Number(reason),
            }
        }
        if kinds.has(ValueKinds::BOOL)
            && let Some(boolean) = boolean::parse(trimmed, self.locale)
            && (!takes_text || matches!(text, "true" | "false"))
        {
            into.boolean(boolean);
            return Ok(());
        }
        if takes_text {
            return self.form(text, column, into);
        }
        Err(problem)
    }

    /// A text that ends in a percent sign.
    fn percent(
        self,
        text: &str,
        column: &Column,
        into: &mut Converted,
    ) -> Result<(), ConversionProblem> {
        let bare = text.trim_end_matches('%').trim_end();
        let whole = !column.kinds.has(ValueKinds::FRACTION);
        let number = match self.percent {
            Percent::Refuse => return Err(ConversionProblem::Number(NumberProblem::Percent)),
            Percent::Points => number::parse(bare, self.locale, whole, &mut into.text),
            Percent::Fraction => number::parse(bare, self.locale, false, &mut into.text),
        };
        let number = number.map_err(ConversionProblem::Number)?;
        if self.percent == Percent::Points {
            into.number(number);
            return Ok(());
        }
        let points = number.as_f64().unwrap_or_default();
        from_number(number::shortened(points / 100.0), column, into)
    }

    /// A number that a workbook shows as a percentage.
    fn take_percent(
        self,
        number: f64,
        column: &Column,
        into: &mut Converted,
    ) -> Result<(), ConversionProblem> {
        if !column.kinds.has(ValueKinds::NUMBER) {
            if column.kinds.is_text_only() && column.form == Form::Any {
                into.set_text(&messages::percentage(number));
                return Ok(());
            }
            return from_number(number, column, into);
        }
        match self.percent {
            Percent::Refuse => Err(ConversionProblem::Percent(number)),
            Percent::Points => from_number(number::shortened(number * 100.0), column, into),
            Percent::Fraction => from_number(number, column, into),
        }
    }

    /// A text as the column's form wants it.
    fn form(
        self,
        text: &str,
        column: &Column,
        into: &mut Converted,
    ) -> Result<(), ConversionProblem> {
        let result = match column.form {
            Form::Time if date::time(text.trim(), &mut into.text) => Ok(()),
            Form::Any | Form::Time => {
                into.set_text(chosen(text, column));
                return Ok(());
            }
            Form::Date => date::date(text.trim(), self.locale, &mut into.text),
            Form::DateTime => date::date_time(text.trim(), self.locale, &mut into.text),
        };
        match result {
            Ok(()) => into.text_is_value(),
            // Another branch of the schema may take it as it is.
            Err(_) if !column.checks.is_empty() && !column.form_is_certain => into.set_text(text),
            Err(problem) => return Err(ConversionProblem::Date(problem)),
        }
        Ok(())
    }
}

/// The text, or, where only a choice of texts is taken, the one without the white space round it.
fn chosen<'t>(text: &'t str, column: &Column) -> &'t str {
    match &column.choices {
        Some(choices) if !choices.contains(text) && choices.contains(text.trim()) => text.trim(),
        _ => text,
    }
}

fn from_number(
    number: f64,
    column: &Column,
    into: &mut Converted,
) -> Result<(), ConversionProblem> {
    let kinds = column.kinds;
    into.text.clear();
    let whole = number::whole(number);
    match whole {
        Some(whole) => drop(write!(into.text, "{whole}")),
        None => match Number::from_f64(number) {
            Some(number) => into.text.push_str(&number.to_string().replace("e+", "e")),
            None => return Err(ConversionProblem::Number(NumberProblem::TooLarge)),
        },
    }
    let fits = kinds.has(ValueKinds::FRACTION) || kinds.has(ValueKinds::WHOLE) && whole.is_some();
    if fits {
        let value = whole.map(Number::from).or_else(|| Number::from_f64(number));
        into.number(value.unwrap_or_else(|| Number::from(0)));
        Ok(())
    } else if kinds.has(ValueKinds::TEXT) {
        if column.form != Form::Any {
            return Err(ConversionProblem::Days(number));
        }
        into.text_is_value();
        Ok(())
    } else if kinds.has(ValueKinds::BOOL) && (whole == Some(0) || whole == Some(1)) {
        into.boolean(whole == Some(1));
        Ok(())
    } else if kinds.has(ValueKinds::WHOLE) {
        Err(ConversionProblem::Number(NumberProblem::NotWhole))
    } else {
        Err(ConversionProblem::NotOneOrZero)
    }
}

fn from_boolean(
    boolean: bool,
    column: &Column,
    into: &mut Converted,
) -> Result<(), ConversionProblem> {
    let kinds = column.kinds;
    if kinds.has(ValueKinds::BOOL) {
        into.boolean(boolean);
        Ok(())
    } else if kinds.has(ValueKinds::TEXT) && !column.form_is_certain {
        into.set_text(if boolean { "true" } else { "false" });
        Ok(())
    } else {
        Err(ConversionProblem::IsBoolean)
    }
}

fn from_moment(
    moment: DateTime,
    column: &Column,
    into: &mut Converted,
) -> Result<(), ConversionProblem> {
    if !column.kinds.has(ValueKinds::TEXT) {
        return Err(ConversionProblem::IsDate);
    }
    let midnight = moment.time() == jiff::civil::Time::midnight();
    into.text.clear();
    let _ = match column.form {
        Form::Date if !midnight => return Err(ConversionProblem::Date(DateProblem::HasTime)),
        Form::Date => write!(into.text, "{}", moment.date()),
        Form::Any if midnight => write!(into.text, "{}", moment.date()),
        Form::Any => write!(into.text, "{moment}"),
        Form::DateTime => write!(into.text, "{moment}Z"),
        Form::Time => write!(into.text, "{}Z", moment.time()),
    };
    into.text_is_value();
    Ok(())
}
