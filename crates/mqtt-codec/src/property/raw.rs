//! Owns walking over properties that were checked before without judging their values again. Reading a
//! value is `value`'s business.

use super::catalogue::{Kind, PropertyId};
use crate::read;

/// Each property as its identifier and the bytes from its value on.
#[derive(Clone, Debug)]
pub(super) struct RawProperties<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for RawProperties<'a> {
    type Item = (PropertyId, &'a [u8]);

    // Errors cannot happen in checked properties, and would end the list.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&number, value) = self.0.split_first()?;
        let id = PropertyId::from_number(u32::from(number))?;
        self.0 = behind(id.kind(), value)?;
        Some((id, value))
    }
}

/// What follows a value.
#[inline]
fn behind(kind: Kind, value: &[u8]) -> Option<&[u8]> {
    match kind {
        Kind::Flag => value.get(1..),
        Kind::TwoByteInteger | Kind::PositiveTwoByteInteger | Kind::TopicAlias => value.get(2..),
        Kind::FourByteInteger | Kind::PositiveFourByteInteger => value.get(4..),
        Kind::PositiveVariableByteInteger => read::variable(value).ok().map(|(behind, _)| behind),
        Kind::BinaryData | Kind::Text | Kind::TopicName => read::binary(value).ok().map(|(behind, _)| behind),
        Kind::TextPair => {
            let (second, _) = read::binary(value).ok()?;
            read::binary(second).ok().map(|(behind, _)| behind)
        }
    }
}
