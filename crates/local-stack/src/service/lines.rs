//! From bytes to the lines of a log.

/// The longest event that CloudWatch Logs takes, less the 26 bytes that it counts per event.
const MAX_LINE: usize = 256 * 1024 - 26;

/// Cuts a stream of bytes into lines. Lines that are too long for CloudWatch Logs are cut, empty
/// ones are left out because it refuses them, and what is not UTF-8 is replaced.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that are complete with these bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.cut(&mut lines);
            }
            while self.rest.len() > MAX_LINE {
                let tail = self.rest.split_off(MAX_LINE);
                self.cut(&mut lines);
                self.rest = tail;
            }
        }
        lines
    }

    /// The last line, when the stream did not end with a line break.
    pub(crate) fn finish(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        self.cut(&mut lines);
        lines
    }

    fn cut(&mut self, lines: &mut Vec<String>) {
        let bytes = std::mem::take(&mut self.rest);
        let text = String::from_utf8_lossy(&bytes);
        let line = text.trim_end_matches(['\n', '\r']);
        if !line.is_empty() {
            lines.push(line.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_when_they_are_complete() {
        let mut lines = Lines::default();
        assert_eq!(lines.feed(b"one\ntw"), ["one"]);
        assert_eq!(lines.feed("o\r\n\n\u{e9}".as_bytes()), ["two"]);
        assert_eq!(lines.finish(), ["\u{e9}"]);
        assert!(lines.finish().is_empty());
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut lines = Lines::default();
        let cut = lines.feed(&vec![b'x'; MAX_LINE * 2 + 1]);
        assert_eq!(cut.len(), 2);
        assert_eq!(lines.finish(), ["x"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(Lines::default().feed(b"a\xffb\n"), ["a\u{fffd}b"]);
    }
}
