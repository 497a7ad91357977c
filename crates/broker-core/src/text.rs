//! Short texts kept in place. What they spell is the caller's business.

use crate::subscriptions::block_bytes;
use core::{borrow::Borrow, cmp::Ordering};

/// A text of which up to `SHORT_MAX` bytes stand in place: almost every text does, which saves a block
/// of the allocator's and, for whoever compares it, a cache miss.
#[derive(Debug)]
pub(crate) enum Text<const SHORT_MAX: usize> {
    Short { length: u8, bytes: [u8; SHORT_MAX] },
    Long(Box<[u8]>),
}

impl<const SHORT_MAX: usize> Text<SHORT_MAX> {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut bytes = [0; SHORT_MAX];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text);
                Self::Short { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..usize::from(*length)],
            Self::Long(bytes) => bytes,
        }
    }

    /// Bytes held outside of the text's own place.
    pub(crate) fn owned_bytes(&self) -> usize {
        match self {
            Self::Short { .. } => 0,
            Self::Long(bytes) => block_bytes(bytes.len()),
        }
    }
}

impl<const SHORT_MAX: usize> Default for Text<SHORT_MAX> {
    fn default() -> Self {
        Self::new(b"")
    }
}

/// Texts are the same, and in order, as their bytes are.
impl<const SHORT_MAX: usize> Borrow<[u8]> for Text<SHORT_MAX> {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<const SHORT_MAX: usize> PartialEq for Text<SHORT_MAX> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const SHORT_MAX: usize> Eq for Text<SHORT_MAX> {}

impl<const SHORT_MAX: usize> PartialOrd for Text<SHORT_MAX> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const SHORT_MAX: usize> Ord for Text<SHORT_MAX> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_whatever_its_length() {
        for length in [0, 1, 21, 22, 23, 255, 256, 65_535] {
            let text = vec![b'x'; length];
            assert_eq!(Text::<22>::new(&text).as_bytes(), text);
            assert_eq!(Text::<22>::new(&text).owned_bytes() > 0, length > 22);
        }
    }
}
