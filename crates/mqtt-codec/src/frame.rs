//! Owns where one packet ends and the next begins. What is inside a frame is `packet`'s business.

use crate::{
    error::{DecodeError, Violation},
    packet::PacketType,
    varint,
    varint::Varint,
    version::ProtocolVersion,
};

/// The most bytes a packet can have: one for the type, four for the length, and 268,435,455.
pub const MAXIMUM_PACKET_BYTES: u32 = 5 + varint::MAXIMUM;

/// The first two to five bytes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The packet type.
    pub packet_type: PacketType,
    /// The low four bits of the first byte; already what the type prescribes.
    pub flags: u8,
    /// Bytes of the fixed header.
    pub header_bytes: usize,
    /// Bytes of the whole packet, header included.
    pub packet_bytes: usize,
}

/// One whole packet, not yet decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the fixed header says.
    pub header: FrameHeader,
    /// All bytes of the packet.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Everything behind the fixed header.
    #[must_use]
    #[inline]
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(self.header.header_bytes..).unwrap_or_default()
    }
}

impl FrameHeader {
    /// Reads a fixed header from the front of `input`; `None` when more bytes are needed to tell.
    ///
    /// The type, the flags `[MQTT5-2.1.3-1]` `[MQTT311-2.2.2-2]` and the size are judged before a byte
    /// of the body is waited for, so an illegal or oversized packet is never buffered.
    ///
    /// # Errors
    /// A reserved type, wrong flags, an invalid Remaining Length, or more than `packet_bytes_max`
    /// bytes in all.
    // Inlined, or its result would be written to memory and read back, which takes as long as it does.
    #[inline(always)]
    pub fn peek(
        input: &[u8],
        version: ProtocolVersion,
        packet_bytes_max: u32,
    ) -> Result<Option<Self>, DecodeError> {
        let Some((&first, rest)) = input.split_first() else { return Ok(None) };
        let error = |violation| refuse(violation, first, version);
        let Some(packet_type) = PacketType::from_bits(first >> 4) else {
            return Err(error(Violation::PacketTypeReserved));
        };
        let flags = first & 0x0F;
        packet_type.check(flags, version).map_err(error)?;
        let (remaining, length_bytes) = match varint::decode(rest) {
            Varint::Complete { value, bytes } => (value, bytes),
            Varint::Incomplete => return Ok(None),
            Varint::Malformed => return Err(error(Violation::RemainingLength)),
        };
        let header_bytes = 1 + length_bytes;
        let packet_bytes = header_bytes + remaining as usize;
        if packet_bytes > packet_bytes_max as usize {
            return Err(error(Violation::PacketTooLarge));
        }
        Ok(Some(Self { packet_type, flags, header_bytes, packet_bytes }))
    }
}

#[cold]
fn refuse(violation: Violation, first: u8, version: ProtocolVersion) -> DecodeError {
    DecodeError { violation, packet_type: PacketType::from_bits(first >> 4), version }
}

/// Takes the first whole packet off the front of `input`; `None` when its end is not there yet.
///
/// # Errors
/// As [`FrameHeader::peek`]. The stream cannot be read on after an error.
#[inline(always)]
pub fn frame(
    input: &[u8],
    version: ProtocolVersion,
    packet_bytes_max: u32,
) -> Result<Option<Frame<'_>>, DecodeError> {
    let Some(header) = FrameHeader::peek(input, version, packet_bytes_max)? else { return Ok(None) };
    Ok(input.get(..header.packet_bytes).map(|bytes| Frame { header, bytes }))
}
