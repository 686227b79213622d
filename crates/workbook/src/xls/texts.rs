//! The shared texts of an xls workbook: how long each is.
//!
//! They stand one behind the other in a record and its continuations, each with a head
//! that says how many characters follow, how wide they are, and how many bytes of
//! formatting stand behind them ([MS-XLS] 2.5.293).

/// The length of every shared text in bytes of UTF-8, at most.
#[derive(Debug, Default)]
pub(super) struct Lengths(Vec<u32>);

impl Lengths {
    /// The length of one of them, in bytes.
    pub(super) fn of(&self, index: u32) -> Option<u64> {
        self.0.get(index as usize).map(|length| u64::from(*length))
    }
}

/// Measures all shared texts; `None` where they are cut.
pub(super) fn measure(data: &[u8], more: &[&[u8]]) -> Option<Lengths> {
    let total = data.len() + more.iter().map(|block| block.len()).sum::<usize>();
    // Excel fills each record (8,224 bytes) as far as it can. Very many short ones would cost
    // calamine 0.38 the square of their number (observed: it removes the first of a vector).
    if more.len() > total / 4_000 + 64 {
        return None;
    }
    let mut blocks = Blocks {
        present: data.get(8..)?,
        others: more,
    };
    let mut lengths = Vec::new();
    while !blocks.present.is_empty() || blocks.advance() {
        lengths.push(measure_one(&mut blocks)?);
    }
    Some(Lengths(lengths))
}

struct Blocks<'a> {
    present: &'a [u8],
    others: &'a [&'a [u8]],
}

impl<'a> Blocks<'a> {
    fn advance(&mut self) -> bool {
        let Some((next, others)) = self.others.split_first() else {
            return false;
        };
        (self.present, self.others) = (next, others);
        true
    }

    /// Bytes within one record.
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.present.split_at_checked(length)?;
        self.present = rest;
        Some(taken)
    }

    /// Bytes that may span several records.
    fn skip(&mut self, mut length: usize) -> Option<()> {
        while length > 0 {
            if self.present.is_empty() && !self.advance() {
                return None;
            }
            let here = length.min(self.present.len());
            self.present = &self.present[here..];
            length -= here;
        }
        Some(())
    }
}

fn measure_one(blocks: &mut Blocks<'_>) -> Option<u32> {
    if blocks.present.is_empty() {
        return Some(0);
    }
    let head = blocks.take(3)?;
    let characters = u16::from_le_bytes([head[0], head[1]]);
    let flags = head[2];
    let mut behind = 0;
    if flags & 0x8 != 0 {
        let runs = blocks.take(2)?;
        behind += 4 * usize::from(u16::from_le_bytes([runs[0], runs[1]]));
    }
    if flags & 0x4 != 0 {
        let extra = u32::from_le_bytes(*blocks.take(4)?.first_chunk()?);
        // calamine 0.38 takes it as signed (observed).
        behind += usize::try_from(i32::try_from(extra).ok()?).ok()?;
    }
    let mut wide = flags & 1 != 0;
    let mut left = usize::from(characters);
    loop {
        let width = if wide { 2 } else { 1 };
        let here = left.min(blocks.present.len() / width);
        blocks.take(here * width)?;
        left -= here;
        if left == 0 {
            break;
        }
        // Half of a character would be read as the next record's first byte.
        if !blocks.present.is_empty() || !blocks.advance() {
            return None;
        }
        wide = blocks.take(1)?[0] & 1 != 0;
    }
    blocks.skip(behind)?;
    Some(3 * u32::from(characters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_may_lie_across_records() {
        let head = [0; 8];
        let first = [&head[..], &[2, 0, 0, b'a', b'b'], &[3, 0, 0, b'c']].concat();
        let lengths = measure(&first, &[&[1, b'd', 0, b'e', 0]]).unwrap();
        assert_eq!(
            (lengths.of(0), lengths.of(1), lengths.of(2)),
            (Some(6), Some(9), None)
        );
    }

    #[test]
    fn cut_texts_are_found() {
        for data in [
            &[0; 7][..],
            &[0, 0, 0, 0, 0, 0, 0, 0, 1],
            &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
            &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 8, 0],
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 255, 255, 255, 255],
            &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b'a'],
        ] {
            assert!(measure(data, &[]).is_none(), "{data:?}");
        }
        let many: Vec<&[u8]> = vec![&[0]; 1000];
        assert!(measure(&[0; 8], &many).is_none());
    }
}
