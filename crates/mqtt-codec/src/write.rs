//! Owns the encoders of the specification's data types and the buffers they fill. Sizes are computed
//! before, so that a buffer grows once per packet.

use crate::{error::EncodeError, varint};
use alloc::vec::Vec;
use bytes::BytesMut;

/// A buffer that packets are appended to.
pub trait Output {
    /// Makes room for `bytes` more, in one step.
    fn reserve(&mut self, bytes: usize);
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]);
    /// Appends four bytes: what a packet begins with, or all of an acknowledgement.
    #[inline]
    fn put_four(&mut self, bytes: [u8; 4]) {
        self.put(&bytes);
    }
    /// How many bytes it holds.
    fn position(&self) -> usize;
    /// Appends `bytes` zeros and hands them out to be filled.
    fn grow(&mut self, bytes: usize) -> &mut [u8];
}

impl Output for Vec<u8> {
    #[inline]
    fn reserve(&mut self, bytes: usize) {
        Self::reserve(self, bytes);
    }

    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    // A call of its own, or it would be two that do not know how many bytes it is about.
    #[inline(never)]
    fn put_four(&mut self, bytes: [u8; 4]) {
        self.extend_from_slice(&bytes);
    }

    #[inline]
    fn position(&self) -> usize {
        self.len()
    }

    #[inline]
    fn grow(&mut self, bytes: usize) -> &mut [u8] {
        let start = self.len();
        self.resize(start + bytes, 0);
        self.get_mut(start..).unwrap_or_default()
    }
}

impl Output for BytesMut {
    #[inline]
    fn reserve(&mut self, bytes: usize) {
        Self::reserve(self, bytes);
    }

    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn position(&self) -> usize {
        self.len()
    }

    #[inline]
    fn grow(&mut self, bytes: usize) -> &mut [u8] {
        let start = self.len();
        self.resize(start + bytes, 0);
        self.get_mut(start..).unwrap_or_default()
    }
}

/// Bytes that were handed out to be filled. A packet of many short fields is written into them in two
/// thirds of the time that appending field by field takes, since nothing can move meanwhile.
pub(crate) struct Room<'a> {
    rest: &'a mut [u8],
    filled: usize,
}

impl<'a> Room<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        Self { rest: bytes, filled: 0 }
    }
}

impl Output for Room<'_> {
    /// The size was computed before, so it is there.
    #[inline]
    fn reserve(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.rest.len());
    }

    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        for (target, source) in self.grow(bytes.len()).iter_mut().zip(bytes) {
            *target = *source;
        }
    }

    #[inline]
    fn position(&self) -> usize {
        self.filled
    }

    #[inline(always)]
    fn grow(&mut self, bytes: usize) -> &mut [u8] {
        debug_assert!(bytes <= self.rest.len());
        let (front, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(bytes).unwrap_or_default();
        self.rest = rest;
        self.filled += bytes;
        front
    }
}

/// The bytes that Binary Data or a string of this length takes.
#[inline]
pub(crate) fn prefixed_len(length: usize) -> Result<usize, EncodeError> {
    if length > usize::from(u16::MAX) { Err(EncodeError::FieldTooLong) } else { Ok(2 + length) }
}

/// Appends Binary Data or a string. Its length was checked by [`prefixed_len`].
#[inline(always)]
pub(crate) fn prefixed(out: &mut impl Output, bytes: &[u8]) {
    out.put(&length_bytes(bytes.len()));
    out.put(bytes);
}

/// Appends a Variable Byte Integer of at most 268,435,455.
#[inline]
pub(crate) fn variable(out: &mut impl Output, mut value: u32) {
    debug_assert!(value <= varint::MAXIMUM);
    loop {
        let low = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 {
            return out.put(&[low]);
        }
        out.put(&[low | 0x80]);
    }
}

/// Appends a fixed header after making room for the whole packet.
#[inline]
pub(crate) fn fixed_header(
    out: &mut impl Output,
    first_byte: u8,
    remaining: usize,
) -> Result<(), EncodeError> {
    let remaining = remaining_length(remaining)?;
    out.reserve(1 + varint::encoded_len(remaining) + remaining as usize);
    out.put(&[first_byte]);
    variable(out, remaining);
    Ok(())
}

/// Appends a fixed header and the two bytes that most packets go on with, an identifier or a length, in
/// one piece: appending four bytes takes no longer than appending one.
#[inline(always)]
pub(crate) fn head(
    out: &mut impl Output,
    first_byte: u8,
    remaining: usize,
    [high, low]: [u8; 2],
) -> Result<(), EncodeError> {
    let length = remaining_length(remaining)?;
    out.reserve(1 + varint::encoded_len(length) + remaining);
    match length {
        0..=0x7F => out.put_four([first_byte, (length & 0x7F) as u8, high, low]),
        0x80..=0x3FFF => {
            // Seven bits to a byte, the lower one marked as not the last.
            let [lower, upper, ..] = (length & 0x7F | 0x80 | (length & 0x3F80) << 1).to_le_bytes();
            out.put(&[first_byte, lower, upper, high, low]);
        }
        _ => {
            out.put(&[first_byte]);
            variable(out, length);
            out.put(&[high, low]);
        }
    }
    Ok(())
}

/// The two bytes of a length that was checked by [`prefixed_len`].
#[inline]
pub(crate) fn length_bytes(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

/// Checks a Remaining Length against the largest the wire can carry.
#[inline]
pub(crate) fn remaining_length(remaining: usize) -> Result<u32, EncodeError> {
    match u32::try_from(remaining) {
        Ok(remaining) if remaining <= varint::MAXIMUM => Ok(remaining),
        _ => Err(EncodeError::PacketTooLarge),
    }
}
