//! The variants of enums, from what `strum` derives.

/// Every variant as an array, which `map` keeps the length of; for constants.
#[expect(
    clippy::panic,
    reason = "It stops the build: it is called for constants alone."
)]
pub(crate) const fn every<T: Copy, const N: usize>(variants: &[T]) -> [T; N] {
    match variants.first_chunk() {
        Some(all) => *all,
        None => panic!("an enum has as many variants as are counted"),
    }
}
