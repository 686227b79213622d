//! xls: BIFF records in a stream of a compound file.

mod book;
mod cells;
pub(crate) mod compound;
mod records;
mod rows;
mod texts;

pub(crate) use self::rows::{XlsBook, XlsRows};
