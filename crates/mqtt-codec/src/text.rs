//! Owns what makes bytes an MQTT string: UTF-8 without U+0000. Topics add rules of their own.

use crate::error::Violation;

/// Checks that `bytes` are a UTF-8 Encoded String `[MQTT5-1.5.4-1]` `[MQTT5-1.5.4-2]`
/// `[MQTT311-1.5.3-1]` `[MQTT311-1.5.3-2]`. A byte order mark is kept like any other character
/// `[MQTT5-1.5.4-3]` `[MQTT311-1.5.3-3]`; surrogates are no UTF-8.
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Violation> {
    let text = core::str::from_utf8(bytes).map_err(|_| Violation::TextNotUtf8)?;
    if has_nul(bytes) { Err(Violation::TextHasNul) } else { Ok(text) }
}

/// Whether U+0000 is among `bytes`.
#[inline]
pub(crate) fn has_nul(bytes: &[u8]) -> bool {
    any_word(bytes, zero_bytes)
}

/// Checks the same without handing out the text.
#[inline]
pub(crate) fn check(bytes: &[u8]) -> Result<(), Violation> {
    // Nearly all text is ASCII, which is UTF-8 as it stands.
    if any_word(bytes, |word| zero_bytes(word) | word & HIGH) { text(bytes).map(drop) } else { Ok(()) }
}

/// Whether U+0000, `+` or `#` is among `bytes`: what a Topic Name must not have.
#[inline]
pub(crate) fn has_nul_or_wildcard(bytes: &[u8]) -> bool {
    // `#` is 0x23 and `+` is 0x2B: with bit 3 set they are one.
    any_word(bytes, |word| zero_bytes(word) | zero_bytes((word | LOW << 3) ^ (LOW * 0x2B)))
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

/// Not zero exactly if one of the eight bytes is.
#[inline]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// Whether a test says yes to any eight bytes. Strings are short: words are tested where a loop over
/// bytes takes three times as long, and the last word overlaps the one before.
#[inline]
fn any_word(bytes: &[u8], test: impl Fn(u64) -> u64) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else { return test(short_word(bytes)) != 0 };
    let (words, _) = bytes.as_chunks::<8>();
    let found = words
        .iter()
        .fold(test(u64::from_le_bytes(*last)), |found, &word| found | test(u64::from_le_bytes(word)));
    found != 0
}

/// Fewer than eight bytes as a word, some of them twice, or filled up with what no test says yes to.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(&first), Some(&last)) => {
            u64::from(u32::from_le_bytes(first)) << 32 | u64::from(u32::from_le_bytes(last))
        }
        _ => bytes.iter().fold(LOW, |word, &byte| word << 8 | u64::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{vec, vec::Vec};

    #[test]
    fn a_byte_is_found_wherever_it_is_in_strings_of_any_length() {
        for length in 0..40 {
            let clean: Vec<u8> = vec![b'*'; length];
            assert!(!has_nul_or_wildcard(&clean) && text(&clean).is_ok(), "{length}");
            for position in 0..length {
                for byte in 0..0x80 {
                    let mut bytes = clean.clone();
                    bytes[position] = byte;
                    let expected = matches!(byte, 0 | b'+' | b'#');
                    assert_eq!(
                        has_nul_or_wildcard(&bytes),
                        expected,
                        "{byte:#04x} at {position} of {length}"
                    );
                    assert_eq!(text(&bytes) == Err(Violation::TextHasNul), byte == 0);
                    assert_eq!(check(&bytes), text(&bytes).map(drop));
                }
            }
        }
    }

    #[test]
    fn what_is_no_utf_8_is_refused_and_a_byte_order_mark_is_kept() {
        for bytes in [
            &b"\xC0\x80"[..],
            b"\xC1\xBF",
            b"\xE0\x80\xAF",
            b"\xED\xA0\x80",
            b"\xED\xBF\xBF",
            b"\xF4\x90\x80\x80",
            b"\xF5\x80\x80\x80",
            b"\x80",
            b"abc\xE2\x82",
        ] {
            assert_eq!(text(bytes), Err(Violation::TextNotUtf8), "{bytes:02x?}");
            assert_eq!(check(bytes), Err(Violation::TextNotUtf8), "{bytes:02x?}");
        }
        assert_eq!(text(b"\xEF\xBB\xBFabc"), Ok("\u{FEFF}abc"));
        // The first and the last character of each length, and both neighbours of the surrogates.
        for character in "\u{1}\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}".chars()
        {
            let mut buffer = [0; 4];
            let encoded = character.encode_utf8(&mut buffer);
            assert!(text(encoded.as_bytes()).is_ok(), "{character:?}");
            assert!(check(encoded.as_bytes()).is_ok(), "{character:?}");
        }
    }
}
