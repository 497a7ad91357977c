//! Owns the bytes that tell one message of a load from every other. Who checks them is not its business.

/// The first bytes of each payload; no payload can be shorter.
pub const MARK_BYTES: usize = 16;

/// What tells one message from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The topic by its number in the load; a topic of two publishers has two numbers.
    pub(crate) topic: u32,
    /// Counts the messages to the topic from 0.
    pub(crate) sequence: u32,
    /// When it was sent, or was due: nanoseconds since the load began.
    pub(crate) sent_at: u64,
}

impl Mark {
    #[inline]
    pub(crate) fn bytes(self) -> [u8; MARK_BYTES] {
        let [topic, sequence] = [u64::from(self.topic), u64::from(self.sequence)];
        (u128::from(topic << 32 | sequence) << 64 | u128::from(self.sent_at)).to_be_bytes()
    }

    /// The mark of a payload; none if it is too short to have one.
    #[inline]
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let (topic, rest) = payload.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let sent_at = u64::from_be_bytes(*rest.first_chunk()?);
        Some(Self { topic: u32::from_be_bytes(*topic), sequence: u32::from_be_bytes(*sequence), sent_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_big_endian_and_comes_back() {
        let mark = Mark { topic: 1, sequence: 0x0203_0405, sent_at: 0x0607_0809_0A0B_0C0D };
        let bytes = [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
        assert_eq!(mark.bytes(), bytes);
        assert_eq!(Mark::read(&bytes), Some(mark));
        assert_eq!(Mark::read(&bytes[..15]), None);
    }
}
