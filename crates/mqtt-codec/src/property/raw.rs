//! Owns walking over properties that were checked before without judging their values again. Reading a
//! value is `value`'s business.

use super::catalogue::{PropertyId, Shape};
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
        self.0 = behind(id.shape(), value)?;
        Some((id, value))
    }
}

/// What follows a value.
#[inline]
fn behind(shape: Shape, value: &[u8]) -> Option<&[u8]> {
    match shape {
        Shape::Byte => value.get(1..),
        Shape::TwoByteInteger => value.get(2..),
        Shape::FourByteInteger => value.get(4..),
        Shape::VariableByteInteger => read::variable(value).ok().map(|(behind, _)| behind),
        Shape::Prefixed => read::binary(value).ok().map(|(behind, _)| behind),
        Shape::PrefixedPair => {
            let (second, _) = read::binary(value).ok()?;
            read::binary(second).ok().map(|(behind, _)| behind)
        }
    }
}
