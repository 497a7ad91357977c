//! Owns how numbers, text and keys stand in a record. Which of them a record has is `record`'s business.
//!
//! - **Number**: LEB128: seven bits a byte, least significant first, the high bit set on all but the last;
//!   at most ten bytes. A *signed* number is zigzag coded first: 0, -1, 1, -2 become 0, 1, 2, 3.
//! - **Text**, **bytes**: their length as a number, then themselves; text is UTF-8.
//! - **Time**: 0 for never, otherwise milliseconds since 1970 plus one.
//! - **Session**: shard, slot, then generation minus slot as a signed number: in a broker whose sessions
//!   stay, both count up together and the last one is a single byte. It is always that of a durable session:
//!   no other is recorded.
//! - **Identifier** of a packet: a number from 1 to 65,535. **Flags**: one byte; a bit without a meaning is 0.

use crate::{
    ids::{SessionId, ShardId},
    journal::Position,
    time::Timestamp,
};
use core::fmt;
use mqtt_codec::{QoS, packet::PacketId};

/// A record that no version of this program wrote, although its checksum is right: it says what is wrong
/// with which part of what kind of record. Nothing of the journal is to be relied on then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRecord {
    record: &'static str,
    part: &'static str,
    problem: Problem,
}

/// What is wrong with a part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The record ends inside it.
    CutShort,
    /// It is a number above what it may be.
    TooLarge,
    /// It is no UTF-8.
    NotText,
    /// It has a value that means nothing.
    Meaningless,
    /// There is more than that.
    Overlong,
}

impl InvalidRecord {
    pub(super) const fn new(record: &'static str, part: &'static str, problem: Problem) -> Self {
        Self { record, part, problem }
    }
}

impl fmt::Display for InvalidRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, part, problem } = self;
        match problem {
            Problem::CutShort => write!(f, "{record} ends inside its {part}"),
            Problem::TooLarge => write!(f, "the {part} of {record} is larger than it may be"),
            Problem::NotText => write!(f, "the {part} of {record} is not UTF-8"),
            Problem::Meaningless => write!(f, "the {part} of {record} has no meaning"),
            Problem::Overlong => write!(f, "{record} goes on behind its last part"),
        }
    }
}

impl core::error::Error for InvalidRecord {}

/// Appends a number.
#[inline]
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low_byte(number) | 0x80);
        number >>= 7;
    }
    out.push(low_byte(number));
}

/// Appends a number that may be negative.
#[inline]
pub(super) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends a length or a count.
#[inline]
pub(super) fn put_len(out: &mut Vec<u8>, len: usize) {
    put_number(out, len as u64);
}

/// Appends bytes and before them their length.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends text and before it its length.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

/// Appends a time.
#[inline]
pub(super) fn put_time(out: &mut Vec<u8>, time: Timestamp) {
    // "Never" is the last number there is: it becomes 0, the shortest.
    put_number(out, time.as_millis().wrapping_add(1));
}

/// Appends a session's key.
#[inline]
pub(super) fn put_session(out: &mut Vec<u8>, session: SessionId) {
    debug_assert!(session.is_durable(), "{session:?} is not for the journal");
    put_number(out, u64::from(session.shard().0));
    put_number(out, u64::from(session.slot()));
    put_signed(out, i64::from(session.generation()) - i64::from(session.slot()));
}

/// Appends a Packet Identifier.
#[inline]
pub(super) fn put_packet_id(out: &mut Vec<u8>, packet_id: PacketId) {
    put_number(out, u64::from(packet_id.get()));
}

/// Appends a position as the way from another one: they are mostly close.
#[inline]
pub(super) fn put_position_after(out: &mut Vec<u8>, position: Position, former: Position) {
    put_signed(out, position.get().cast_signed() - former.get().cast_signed());
}

/// Appends a position.
#[inline]
pub(super) fn put_position(out: &mut Vec<u8>, position: Position) {
    put_position_after(out, position, Position::NONE);
}

#[allow(clippy::cast_possible_truncation, reason = "the low byte is what is asked for")]
const fn low_byte(number: u64) -> u8 {
    number as u8
}

/// Takes a record apart from its front. It allocates nothing, and what a length or a count claims beyond the
/// end of the record is an error before it is believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    record: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; `record` names in errors what they are, with the article.
    pub(super) const fn new(record: &'static str, bytes: &'a [u8]) -> Self {
        Self { rest: bytes, record }
    }

    /// Whether all is read.
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Checks that all is read.
    pub(super) fn end(&self) -> Result<(), InvalidRecord> {
        if self.is_empty() { Ok(()) } else { Err(self.invalid("end", Problem::Overlong)) }
    }

    /// An error about a part of this record.
    #[cold]
    pub(super) const fn invalid(&self, part: &'static str, problem: Problem) -> InvalidRecord {
        InvalidRecord::new(self.record, part, problem)
    }

    /// A single byte.
    #[inline]
    pub(super) fn byte(&mut self, part: &'static str) -> Result<u8, InvalidRecord> {
        let Some((&byte, rest)) = self.rest.split_first() else {
            return Err(self.invalid(part, Problem::CutShort));
        };
        self.rest = rest;
        Ok(byte)
    }

    /// A byte of flags, none of them but `known`.
    #[inline]
    pub(super) fn flags(&mut self, known: u8, part: &'static str) -> Result<u8, InvalidRecord> {
        let flags = self.byte(part)?;
        if flags & !known != 0 {
            return Err(self.invalid(part, Problem::Meaningless));
        }
        Ok(flags)
    }

    /// A byte that is 0 or 1.
    pub(super) fn boolean(&mut self, part: &'static str) -> Result<bool, InvalidRecord> {
        Ok(self.flags(1, part)? == 1)
    }

    /// A number of 64 bits.
    #[inline]
    pub(super) fn number(&mut self, part: &'static str) -> Result<u64, InvalidRecord> {
        match *self.rest {
            [low @ ..=0x7F, ref rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(low))
            }
            [low, high @ ..=0x7F, ref rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(low & 0x7F) | u64::from(high) << 7)
            }
            _ => self.long_number(part),
        }
    }

    fn long_number(&mut self, part: &'static str) -> Result<u64, InvalidRecord> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte(part)?;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                return Err(self.invalid(part, Problem::TooLarge));
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.invalid(part, Problem::TooLarge))
    }

    /// A number that may be negative.
    #[inline]
    pub(super) fn signed(&mut self, part: &'static str) -> Result<i64, InvalidRecord> {
        let number = self.number(part)?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    /// A number of at most 32 bits.
    #[inline]
    pub(super) fn u32(&mut self, part: &'static str) -> Result<u32, InvalidRecord> {
        let number = self.number(part)?;
        u32::try_from(number).map_err(|_| self.invalid(part, Problem::TooLarge))
    }

    /// A number of at most 16 bits.
    #[inline]
    pub(super) fn u16(&mut self, part: &'static str) -> Result<u16, InvalidRecord> {
        let number = self.number(part)?;
        u16::try_from(number).map_err(|_| self.invalid(part, Problem::TooLarge))
    }

    /// How many things of at least one byte each follow: never more than there are bytes.
    #[inline]
    pub(super) fn count(&mut self, part: &'static str) -> Result<usize, InvalidRecord> {
        let count = self.number(part)?;
        match usize::try_from(count) {
            Ok(count) if count <= self.rest.len() => Ok(count),
            _ => Err(self.invalid(part, Problem::CutShort)),
        }
    }

    /// As many bytes.
    #[inline]
    pub(super) fn take(&mut self, len: usize, part: &'static str) -> Result<&'a [u8], InvalidRecord> {
        let Some((bytes, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.invalid(part, Problem::CutShort));
        };
        self.rest = rest;
        Ok(bytes)
    }

    /// Bytes behind their length.
    pub(super) fn bytes(&mut self, part: &'static str) -> Result<&'a [u8], InvalidRecord> {
        let len = self.count(part)?;
        self.take(len, part)
    }

    /// Text behind its length.
    pub(super) fn text(&mut self, part: &'static str) -> Result<&'a str, InvalidRecord> {
        let bytes = self.bytes(part)?;
        core::str::from_utf8(bytes).map_err(|_| self.invalid(part, Problem::NotText))
    }

    /// A time.
    #[inline]
    pub(super) fn time(&mut self, part: &'static str) -> Result<Timestamp, InvalidRecord> {
        Ok(Timestamp::from_millis(self.number(part)?.wrapping_sub(1)))
    }

    /// A shard.
    #[inline]
    pub(super) fn shard(&mut self, part: &'static str) -> Result<ShardId, InvalidRecord> {
        let shard = ShardId(self.u16(part)?);
        if shard > ShardId::MAX {
            return Err(self.invalid(part, Problem::TooLarge));
        }
        Ok(shard)
    }

    /// A session's key.
    #[inline]
    pub(super) fn session(&mut self) -> Result<SessionId, InvalidRecord> {
        const PART: &str = "session";
        let shard = self.shard(PART)?;
        let slot = self.u32(PART)?;
        let generation = i64::from(slot).checked_add(self.signed(PART)?);
        match generation.and_then(|generation| u32::try_from(generation).ok()) {
            Some(generation) if slot < SessionId::SLOTS_MAX => {
                let session = SessionId::new(shard, slot, generation).durable();
                // The generation is cut to its bits.
                if session.generation() == generation {
                    return Ok(session);
                }
                Err(self.invalid(PART, Problem::TooLarge))
            }
            _ => Err(self.invalid(PART, Problem::TooLarge)),
        }
    }

    /// A Packet Identifier.
    #[inline]
    pub(super) fn packet_id(&mut self) -> Result<PacketId, InvalidRecord> {
        const PART: &str = "Packet Identifier";
        let number = self.u16(PART)?;
        PacketId::new(number).ok_or_else(|| self.invalid(PART, Problem::Meaningless))
    }

    /// A position.
    pub(super) fn position(&mut self, part: &'static str) -> Result<Position, InvalidRecord> {
        self.position_after(Position::NONE, part)
    }

    /// A position that stands as the way from another one.
    #[inline]
    pub(super) fn position_after(
        &mut self,
        former: Position,
        part: &'static str,
    ) -> Result<Position, InvalidRecord> {
        let position = former.get().checked_add_signed(self.signed(part)?);
        match position {
            Some(position) if position <= Position::MAX.get() => Ok(Position::new(position)),
            _ => Err(self.invalid(part, Problem::TooLarge)),
        }
    }

    /// The position of a message's record, that stands as the way from another one.
    #[inline]
    pub(super) fn position_of_message(&mut self, former: Position) -> Result<Position, InvalidRecord> {
        const PART: &str = "position of a message";
        let position = self.position_after(former, PART)?;
        if position.is_some() { Ok(position) } else { Err(self.invalid(PART, Problem::Meaningless)) }
    }

    /// The two bits of a QoS.
    #[inline]
    pub(super) fn qos(&self, bits: u8) -> Result<QoS, InvalidRecord> {
        QoS::from_bits(bits & QOS_BITS).ok_or_else(|| self.invalid("QoS", Problem::Meaningless))
    }
}

/// Where a QoS stands in a byte of flags.
pub(super) const QOS_BITS: u8 = 0b11;

#[cfg(test)]
mod tests;
