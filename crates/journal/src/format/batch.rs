//! Owns the header in front of a batch. Its records are another file's.

use super::{BATCH_HEADER_BYTES, u32_at, u64_at};

const CHECKSUM_AT: usize = BATCH_HEADER_BYTES - 4;

/// What one group commit says of itself. The salt and the position make a copy that strayed to another place invalid,
/// and a payload that imitates a header impossible to write for whoever does not know the salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    pub salt: u64,
    pub position: u64,
    /// Of the batch, with this header.
    pub bytes: u64,
    pub time_unix_ms: u64,
    /// How many records it holds.
    pub records: u32,
}

impl BatchHeader {
    pub(crate) fn encode(&self) -> [u8; BATCH_HEADER_BYTES] {
        let mut bytes = [0; BATCH_HEADER_BYTES];
        bytes[..8].copy_from_slice(&self.salt.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.position.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.bytes.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.time_unix_ms.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.records.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header at `position` of a segment with this salt; none if there is no valid one.
    pub(crate) fn decode(bytes: &[u8], salt: u64, position: u64) -> Option<Self> {
        let bytes = bytes.get(..BATCH_HEADER_BYTES)?;
        let header = Self {
            salt: u64_at(bytes, 0),
            position: u64_at(bytes, 8),
            bytes: u64_at(bytes, 16),
            time_unix_ms: u64_at(bytes, 24),
            records: u32_at(bytes, 32),
        };
        let is_valid = header.salt == salt
            && header.position == position
            && header.bytes >= BATCH_HEADER_BYTES as u64
            && crc32c::crc32c(&bytes[..CHECKSUM_AT]) == u32_at(bytes, CHECKSUM_AT);
        is_valid.then_some(header)
    }
}
