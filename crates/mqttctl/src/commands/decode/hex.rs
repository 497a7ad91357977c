//! Owns hexadecimal text as people paste it. What the bytes mean is not known here.

use std::fmt;

/// Why text is no sequence of bytes. Positions are counted in characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HexError {
    /// Neither a digit nor something that may stand between bytes.
    Character {
        /// Where it stands.
        position: usize,
        /// What stands there.
        character: char,
    },
    /// A byte of one digit.
    HalfByte {
        /// Where the digit stands.
        position: usize,
    },
}

/// The bytes of `text`. Blanks, colons, commas, dashes, `0x` and `\x` may stand between them, not within.
pub(super) fn parse(text: &str) -> Result<Vec<u8>, HexError> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut characters = (1..).zip(text.chars()).peekable();
    while let Some((position, character)) = characters.next() {
        if separates(character) {
            continue;
        }
        let second = characters.next_if(|(_, second)| !separates(*second));
        match (character, second.map(|(_, second)| second)) {
            ('0' | '\\', Some('x' | 'X')) => {}
            (high, low) => {
                let high = high.to_digit(16).ok_or(HexError::Character { position, character })?;
                let low = low.ok_or(HexError::HalfByte { position })?;
                let low =
                    low.to_digit(16).ok_or(HexError::Character { position: position + 1, character: low })?;
                bytes.extend(u8::try_from(high * 16 + low));
            }
        }
    }
    Ok(bytes)
}

/// Whether `character` may stand between bytes.
fn separates(character: char) -> bool {
    character.is_whitespace() || matches!(character, ':' | ',' | '-')
}

impl fmt::Display for HexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { position, character } => {
                write!(formatter, "character {position} is {character:?}, not a hexadecimal digit")
            }
            Self::HalfByte { position } => {
                write!(formatter, "the byte at character {position} has only one digit")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HexError, parse};

    #[test]
    fn bytes_may_be_pasted_in_every_usual_spelling() {
        for text in [
            "c0000d0A",
            " c0 00 0d 0a\r\n",
            "c0:00:0d:0a",
            "0xc0, 0x00, 0x0D, 0x0a",
            "0xc0000d0a",
            r"\xc0\x00\x0d\x0a",
            "C0-00-0D-0A",
            "c000 0d0a",
        ] {
            assert_eq!(parse(text), Ok(vec![0xc0, 0x00, 0x0d, 0x0a]), "{text}");
        }
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(parse("0x"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_byte_is_named_with_its_place() {
        assert_eq!(parse("c0 g0"), Err(HexError::Character { position: 4, character: 'g' }));
        assert_eq!(parse("ü"), Err(HexError::Character { position: 1, character: 'ü' }));
        assert_eq!(parse("c0 0z"), Err(HexError::Character { position: 5, character: 'z' }));
        assert_eq!(parse("1x"), Err(HexError::Character { position: 2, character: 'x' }));
        assert_eq!(parse("c0 0"), Err(HexError::HalfByte { position: 4 }));
        assert_eq!(parse("c 0"), Err(HexError::HalfByte { position: 1 }));
    }
}
