//! The hashes of the index's tables. What is hashed, and the tables, are elsewhere.

use core::hash::{BuildHasher, Hasher};

use rustc_hash::FxSeededState;

/// Hashes with a seed of the caller's, so that nobody outside can aim at one bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn hash_text(self, text: &[u8]) -> u32 {
        let low_half = usize::try_from(self.0 & u64::from(u32::MAX)).expect("32 bits fit everywhere");
        let mut hasher = FxSeededState::with_seed(low_half).build_hasher();
        hasher.write(text);
        self.hash_number(hasher.finish())
    }

    pub(super) fn hash_pair(self, high: u32, low: u32) -> u32 {
        self.hash_number(u64::from(high) << 32 | u64::from(low))
    }

    /// One folded multiplication, then a second: every bit of the number moves every bit of the hash,
    /// the lowest included, of which the tables live.
    #[allow(clippy::cast_possible_truncation, reason = "products and hashes are folded")]
    pub(super) fn hash_number(self, number: u64) -> u32 {
        let product = u128::from(number ^ self.0) * 0x9E37_79B9_7F4A_7C15_u128;
        let folded = (product as u64) ^ (product >> 64) as u64;
        (folded.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32) as u32
    }
}
