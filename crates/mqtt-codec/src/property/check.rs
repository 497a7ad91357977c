//! Owns the judgement of a packet's properties: which may stand there, how often, what depends on another
//! property, and the range of each value. What the values say is `value`'s business.

use super::catalogue::{Kind, PropertyId, PropertyOwner};
use crate::{
    error::Violation,
    read::{self, Parsed},
    topic::TopicNameRef,
};

/// Judges raw properties without allocating.
pub(super) fn check(owner: PropertyOwner, raw: &[u8]) -> Result<(), Violation> {
    let mut seen = 0u64;
    let mut rest = raw;
    while !rest.is_empty() {
        let (value, number) = read::variable(rest).map_err(read::violation)?;
        let id = PropertyId::from_number(number).ok_or(Violation::PropertyUnknown)?;
        if !id.is_allowed_in(owner) {
            return Err(Violation::PropertyNotAllowed);
        }
        let (behind, ()) = check_value(id.kind(), value).map_err(read::violation)?;
        debug_assert!(behind.len() < rest.len());
        rest = behind;
        let bit = 1u64 << (id as u8);
        if seen & bit != 0 && !id.may_repeat_in(owner) {
            return Err(Violation::PropertyRepeated);
        }
        seen |= bit;
    }
    check_authentication(owner, seen)
}

/// Judges one value.
#[inline]
fn check_value(kind: Kind, input: &[u8]) -> Parsed<'_, ()> {
    let (rest, is_legal) = match kind {
        Kind::Flag => read::byte(input).map(|(rest, flag)| (rest, flag <= 1))?,
        Kind::TwoByteInteger => read::two_bytes(input).map(|(rest, _)| (rest, true))?,
        Kind::PositiveTwoByteInteger => read::two_bytes(input).map(|(rest, number)| (rest, number > 0))?,
        Kind::FourByteInteger => read::four_bytes(input).map(|(rest, _)| (rest, true))?,
        Kind::PositiveFourByteInteger => read::four_bytes(input).map(|(rest, number)| (rest, number > 0))?,
        Kind::PositiveVariableByteInteger => {
            read::variable(input).map(|(rest, number)| (rest, number > 0))?
        }
        Kind::TopicAlias => return check_alias(input),
        Kind::BinaryData => read::binary(input).map(|(rest, _)| (rest, true))?,
        // [MQTT5-3.3.2-19] among them.
        Kind::Text => return read::skip_string(input),
        Kind::TopicName => return check_response_topic(input),
        Kind::TextPair => {
            // [MQTT5-1.5.7-1]
            let (second, ()) = read::skip_string(input)?;
            return read::skip_string(second);
        }
    };
    if is_legal { Ok((rest, ())) } else { read::fail(Violation::PropertyValue) }
}

/// `[MQTT5-3.3.2-8]`
fn check_alias(input: &[u8]) -> Parsed<'_, ()> {
    match read::two_bytes(input)? {
        (_, 0) => read::fail(Violation::TopicAliasZero),
        (rest, _) => Ok((rest, ())),
    }
}

/// `[MQTT5-3.3.2-13]` `[MQTT5-3.3.2-14]`
fn check_response_topic(input: &[u8]) -> Parsed<'_, ()> {
    let (rest, text) = read::topic_text(input)?;
    match TopicNameRef::decode(text) {
        Ok(_) => Ok((rest, ())),
        Err(Violation::TopicNameWildcard) => read::fail(Violation::ResponseTopicWildcard),
        Err(violation) => read::fail(violation),
    }
}

/// Authentication Data needs its Method; AUTH is nothing without one `[MQTT5-4.12.0-5]`.
fn check_authentication(owner: PropertyOwner, seen: u64) -> Result<(), Violation> {
    let has = |id: PropertyId| seen & (1 << (id as u8)) != 0;
    if has(PropertyId::AuthenticationData) && !has(PropertyId::AuthenticationMethod) {
        return Err(Violation::AuthenticationDataWithoutMethod);
    }
    if owner == PropertyOwner::Auth && seen != 0 && !has(PropertyId::AuthenticationMethod) {
        return Err(Violation::AuthenticationMethodMissing);
    }
    Ok(())
}
