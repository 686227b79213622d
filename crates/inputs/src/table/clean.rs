//! The clean CSV: UTF-8, commas, line feeds, the schema's own column names.

use std::io::{self, Write};

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

/// Writes rows until somebody says that nobody will read them.
pub(super) struct Clean<W: Write> {
    writer: Option<Writer<W>>,
}

impl<W: Write> Clean<W> {
    pub(super) fn new(out: W) -> Self {
        let writer = WriterBuilder::new()
            .terminator(Terminator::Any(b'\n'))
            .quote_style(QuoteStyle::Necessary)
            .buffer_capacity(64 * 1024)
            .from_writer(out);
        Self {
            writer: Some(writer),
        }
    }

    /// Writes the next cell of a row.
    pub(super) fn cell(&mut self, text: &str) -> io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.write_field(text).map_err(io_error),
            None => Ok(()),
        }
    }

    /// Ends a row.
    pub(super) fn end_row(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.write_record(None::<&[u8]>).map_err(io_error),
            None => Ok(()),
        }
    }

    /// Stops writing: the table is rejected.
    pub(super) fn stop(&mut self) {
        self.writer = None;
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self.writer {
            Some(mut writer) => writer.flush(),
            None => Ok(()),
        }
    }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
