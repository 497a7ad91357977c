//! Owns the parsers of the specification's data types, as nom *complete* parsers over one whole frame.
//! What the fields mean is known in `packet` and `property`.

use crate::{error::Violation, packet::PacketId, text, varint, varint::Varint};
use nom::{
    IResult,
    error::{ErrorKind, ParseError},
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

const PAST_END: nom::Err<Violation> = nom::Err::Error(Violation::FieldPastEnd);

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

// nom's own `be_u16` and `take` are loops over any kind of input, at twice the time of a whole PUBLISH.

/// A Byte.
#[inline]
pub(crate) fn byte(input: &[u8]) -> Parsed<'_, u8> {
    input.split_first().map(|(&byte, rest)| (rest, byte)).ok_or(PAST_END)
}

/// A Two Byte Integer.
#[inline]
pub(crate) fn two_bytes(input: &[u8]) -> Parsed<'_, u16> {
    input.split_first_chunk().map(|(&bytes, rest)| (rest, u16::from_be_bytes(bytes))).ok_or(PAST_END)
}

/// A Four Byte Integer.
#[inline]
pub(crate) fn four_bytes(input: &[u8]) -> Parsed<'_, u32> {
    input.split_first_chunk().map(|(&bytes, rest)| (rest, u32::from_be_bytes(bytes))).ok_or(PAST_END)
}

/// So many bytes.
#[inline]
pub(crate) fn take(length: usize, input: &[u8]) -> Parsed<'_, &[u8]> {
    input.split_at_checked(length).map(|(taken, rest)| (rest, taken)).ok_or(PAST_END)
}

/// A Variable Byte Integer.
#[inline]
pub(crate) fn variable(input: &[u8]) -> Parsed<'_, u32> {
    match varint::decode(input) {
        Varint::Complete { value, bytes } => take(bytes, input).map(|(rest, _)| (rest, value)),
        Varint::Incomplete => fail(Violation::FieldPastEnd),
        Varint::Malformed => fail(Violation::VariableByteInteger),
    }
}

/// Binary Data: a two byte length and that many bytes.
#[inline]
pub(crate) fn binary(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, length) = two_bytes(input)?;
    take(usize::from(length), rest)
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

/// A UTF-8 Encoded String that is only judged: a third of the time of having it as a `str`.
#[inline]
pub(crate) fn skip_string(input: &[u8]) -> Parsed<'_, ()> {
    let (rest, bytes) = binary(input)?;
    match text::check(bytes) {
        Ok(()) => Ok((rest, ())),
        Err(violation) => fail(violation),
    }
}

/// The text of a Topic Name: UTF-8 alone, because the topic's own pass looks for U+0000 as well.
#[inline]
pub(crate) fn topic_text(input: &[u8]) -> Parsed<'_, &str> {
    let (rest, bytes) = binary(input)?;
    Ok((rest, utf8(bytes)?))
}

/// UTF-8, whatever its characters.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, nom::Err<Violation>> {
    core::str::from_utf8(bytes).or(fail(Violation::TextNotUtf8))
}

/// A Packet Identifier, which is never zero `[MQTT5-2.2.1-3]` `[MQTT311-2.3.1-1]`.
#[inline]
pub(crate) fn packet_id(input: &[u8]) -> Parsed<'_, PacketId> {
    let (rest, number) = two_bytes(input)?;
    match PacketId::new(number) {
        Some(id) => Ok((rest, id)),
        None => fail(Violation::PacketIdZero),
    }
}
