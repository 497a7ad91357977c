//! Owns the parsers of the specification's data types, as nom *complete* parsers over one whole frame.
//! What the fields mean is known in `packet` and `property`.

use crate::{error::Violation, packet::PacketId, text, varint, varint::Varint};
use nom::{
    IResult, Parser,
    bytes::complete::take,
    error::{ErrorKind, ParseError},
    number::complete::{be_u8, be_u16, be_u32},
};

/// What a parser leaves over, and what it found.
pub(crate) type Parsed<'a, T> = IResult<&'a [u8], T, Violation>;

impl ParseError<&[u8]> for Violation {
    // Complete parsers fail in one way only: their input ends too early.
    fn from_error_kind(_: &[u8], _: ErrorKind) -> Self {
        Self::FieldPastEnd
    }

    fn append(_: &[u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// The error of a field whose bytes were there and whose value is wrong.
#[inline]
pub(crate) fn fail<T>(violation: Violation) -> Result<T, nom::Err<Violation>> {
    Err(nom::Err::Failure(violation))
}

/// The violation inside a parser's error.
#[inline]
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err as it is")]
pub(crate) fn violation(error: nom::Err<Violation>) -> Violation {
    match error {
        nom::Err::Error(violation) | nom::Err::Failure(violation) => violation,
        // Complete parsers never ask for more.
        nom::Err::Incomplete(_) => Violation::FieldPastEnd,
    }
}

/// Ends a packet: nothing may be left over.
#[inline]
pub(crate) fn end<T>((rest, value): (&[u8], T)) -> Result<T, Violation> {
    if rest.is_empty() { Ok(value) } else { Err(Violation::TrailingBytes) }
}

/// A Byte.
#[inline]
pub(crate) fn byte(input: &[u8]) -> Parsed<'_, u8> {
    be_u8(input)
}

/// A Two Byte Integer.
#[inline]
pub(crate) fn two_bytes(input: &[u8]) -> Parsed<'_, u16> {
    be_u16(input)
}

/// A Four Byte Integer.
#[inline]
pub(crate) fn four_bytes(input: &[u8]) -> Parsed<'_, u32> {
    be_u32(input)
}

/// A Variable Byte Integer.
#[inline]
pub(crate) fn variable(input: &[u8]) -> Parsed<'_, u32> {
    match varint::decode(input) {
        Varint::Complete { value, bytes } => {
            let (rest, _) = take(bytes).parse(input)?;
            Ok((rest, value))
        }
        Varint::Incomplete => fail(Violation::FieldPastEnd),
        Varint::Malformed => fail(Violation::VariableByteInteger),
    }
}

/// Binary Data: a two byte length and that many bytes.
#[inline]
pub(crate) fn binary(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, length) = be_u16(input)?;
    take(length).parse(rest)
}

/// A UTF-8 Encoded String.
#[inline]
pub(crate) fn string(input: &[u8]) -> Parsed<'_, &str> {
    let (rest, bytes) = binary(input)?;
    match text::text(bytes) {
        Ok(text) => Ok((rest, text)),
        Err(violation) => fail(violation),
    }
}

/// The text of a Topic Name: UTF-8 alone, because the topic's own pass looks for U+0000 as well.
#[inline]
pub(crate) fn topic_text(input: &[u8]) -> Parsed<'_, &str> {
    let (rest, bytes) = binary(input)?;
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok((rest, text)),
        Err(_) => fail(Violation::TextNotUtf8),
    }
}

/// A Packet Identifier, which is never zero `[MQTT5-2.2.1-3]` `[MQTT311-2.3.1-1]`.
#[inline]
pub(crate) fn packet_id(input: &[u8]) -> Parsed<'_, PacketId> {
    let (rest, number) = be_u16(input)?;
    match PacketId::new(number) {
        Some(id) => Ok((rest, id)),
        None => fail(Violation::PacketIdZero),
    }
}
