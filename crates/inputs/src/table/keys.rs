//! Keys that may occur in only one row, in 20 to 40 bytes per row.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hash, Hasher},
};

use serde_json::{Number, Value};

/// How many tables the keys are spread over: each grows on its own, so that growing never
/// needs a second copy of them all.
const SHARDS: usize = 256;

/// The most keys that are remembered: 320 MB at the worst.
const MAX_KEYS: u64 = 8_000_000;

/// What a key that was put in turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyLookup {
    New,
    /// It is already in this row.
    In(u64),
    /// There are more keys than can be compared.
    TooMany,
}

/// The keys of the rows so far, as 128-bit hashes that nobody outside can aim at.
#[derive(Debug)]
pub(super) struct Keys {
    states: [RandomState; 2],
    shards: Vec<Shard>,
    count: u64,
}

/// A hash table with linear probing; a row of 0 is a free slot.
#[derive(Debug, Default)]
struct Shard {
    slots: Vec<Slot>,
    used: usize,
}

/// A hash in two halves, and the row of its first key.
#[derive(Debug, Clone, Copy, Default)]
#[repr(Rust, packed(4))]
struct Slot {
    hash: [u64; 2],
    row: u32,
}

/// A key as it is put together, value by value.
pub(super) struct Key {
    hashers: [<RandomState as BuildHasher>::Hasher; 2],
}

impl Key {
    /// Adds a value: equal numbers are equal however they are written, and texts without regard
    /// to white space around them.
    pub(super) fn add(&mut self, value: &Value) {
        for hasher in &mut self.hashers {
            match value {
                Value::Number(number) => hash_number(number, hasher),
                Value::String(text) => {
                    1_u8.hash(hasher);
                    // Nobody sees a space behind a name.
                    text.trim().hash(hasher);
                }
                Value::Bool(boolean) => (2_u8, boolean).hash(hasher),
                _ => 3_u8.hash(hasher),
            }
        }
    }
}

fn hash_number(number: &Number, hasher: &mut impl Hasher) {
    4_u8.hash(hasher);
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(whole), ..) => i128::from(whole).hash(hasher),
        (_, Some(whole), _) => i128::from(whole).hash(hasher),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "Whole, and in the range of 64 bits."
        )]
        (.., Some(double)) if double.fract() == 0.0 && double.abs() < 1.8e19 => {
            (double as i128).hash(hasher);
        }
        (.., double) => double.unwrap_or_default().to_bits().hash(hasher),
    }
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            states: [RandomState::new(), RandomState::new()],
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            count: 0,
        }
    }

    /// A key without values.
    pub(super) fn key(&self) -> Key {
        Key {
            hashers: [self.states[0].build_hasher(), self.states[1].build_hasher()],
        }
    }

    /// Puts a row's key in.
    pub(super) fn put(&mut self, key: &Key, row: u64) -> KeyLookup {
        if self.count >= MAX_KEYS {
            return KeyLookup::TooMany;
        }
        let Ok(row) = u32::try_from(row) else {
            return KeyLookup::TooMany;
        };
        let hash = [key.hashers[0].finish(), key.hashers[1].finish()];
        #[expect(
            clippy::cast_possible_truncation,
            reason = "Below the number of shards."
        )]
        let shard = &mut self.shards[(hash[0] % SHARDS as u64) as usize];
        match shard.put(hash, row) {
            0 => {
                self.count += 1;
                KeyLookup::New
            }
            row => KeyLookup::In(row.into()),
        }
    }
}

impl Shard {
    /// The row of an equal hash; 0 when there was none.
    fn put(&mut self, hash: [u64; 2], row: u32) -> u32 {
        if self.used * 8 >= self.slots.len() * 7 {
            self.grow();
        }
        let at = self.find(hash);
        let slot = &mut self.slots[at];
        if slot.row == 0 {
            *slot = Slot { hash, row };
            self.used += 1;
            0
        } else {
            slot.row
        }
    }

    /// The slot of a hash, or the free one that it may have.
    fn find(&self, hash: [u64; 2]) -> usize {
        let length = self.slots.len();
        #[expect(clippy::cast_possible_truncation, reason = "Below the length.")]
        let mut at = ((u128::from(hash[1]) * length as u128) >> 64) as usize;
        loop {
            let slot = self.slots[at];
            if slot.row == 0 || { slot.hash } == hash {
                return at;
            }
            at += 1;
            if at == length {
                at = 0;
            }
        }
    }

    fn grow(&mut self) {
        let length = (self.slots.len() + self.slots.len() / 3).max(16);
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); length]);
        for slot in old.into_iter().filter(|slot| slot.row != 0) {
            let at = self.find(slot.hash);
            self.slots[at] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(keys: &mut Keys, values: &[Value], row: u64) -> KeyLookup {
        let mut key = keys.key();
        for value in values {
            key.add(value);
        }
        keys.put(&key, row)
    }

    #[test]
    fn a_hundred_thousand_keys_are_distinguished_and_found_again() {
        let mut keys = Keys::new();
        for row in 1..=100_000_u64 {
            assert_eq!(
                put(&mut keys, &[json!(row), json!("a")], row),
                KeyLookup::New
            );
        }
        for row in 1..=100_000_u64 {
            let seen = put(&mut keys, &[json!(row), json!("a")], 200_000);
            assert_eq!(seen, KeyLookup::In(row));
        }
        let slots: usize = keys.shards.iter().map(|shard| shard.slots.len()).sum();
        assert!(slots * size_of::<Slot>() < 40 * 100_000);
        assert_eq!(size_of::<Slot>(), 20);
    }

    #[test]
    fn values_are_equal_by_what_they_are() {
        let mut keys = Keys::new();
        assert_eq!(put(&mut keys, &[json!(1)], 1), KeyLookup::New);
        assert_eq!(put(&mut keys, &[json!(1.0)], 2), KeyLookup::In(1));
        assert_eq!(put(&mut keys, &[json!("1")], 3), KeyLookup::New);
        assert_eq!(
            put(&mut keys, &[json!("ab"), json!("c")], 4),
            KeyLookup::New
        );
        assert_eq!(
            put(&mut keys, &[json!("a"), json!("bc")], 5),
            KeyLookup::New
        );
        assert_eq!(put(&mut keys, &[json!(null)], 6), KeyLookup::New);
        assert_eq!(put(&mut keys, &[json!(null)], 7), KeyLookup::In(6));
        assert_eq!(put(&mut keys, &[json!(true)], 8), KeyLookup::New);
        assert_eq!(put(&mut keys, &[json!("Hardware")], 9), KeyLookup::New);
        assert_eq!(
            put(&mut keys, &[json!(" Hardware\u{a0}")], 10),
            KeyLookup::In(9)
        );
        assert_eq!(put(&mut keys, &[json!("hardware")], 11), KeyLookup::New);
    }
}
