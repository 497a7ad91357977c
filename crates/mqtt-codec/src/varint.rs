//! Owns the Variable Byte Integer: one to four bytes, seven bits each, least significant first.

/// The largest value four bytes can carry.
pub(crate) const MAXIMUM: u32 = 268_435_455;

/// What the first bytes of a buffer say of a Variable Byte Integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Varint {
    /// The value and how many bytes it took.
    Complete { value: u32, bytes: usize },
    /// More bytes are needed to tell.
    Incomplete,
    /// A fifth byte would follow, or a shorter encoding exists `[MQTT5-1.5.5-1]`.
    Malformed,
}

/// Reads a Variable Byte Integer from the front of `input`.
#[inline]
pub(crate) fn decode(input: &[u8]) -> Varint {
    // Most are lengths of up to 127, or up to 16,383.
    match *input {
        [low @ ..=0x7F, ..] => Varint::Complete { value: u32::from(low), bytes: 1 },
        [low, high @ 1..=0x7F, ..] => {
            Varint::Complete { value: u32::from(low & 0x7F) | u32::from(high) << 7, bytes: 2 }
        }
        _ => decode_long(input),
    }
}

#[inline(never)]
fn decode_long(input: &[u8]) -> Varint {
    let mut value = 0u32;
    for (index, &byte) in input.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            // [MQTT5-1.5.5-1]: the shortest encoding; a last byte of zero adds nothing.
            if byte == 0 && index > 0 {
                return Varint::Malformed;
            }
            return Varint::Complete { value, bytes: index + 1 };
        }
    }
    if input.len() >= 4 { Varint::Malformed } else { Varint::Incomplete }
}

/// How many bytes `value` takes. Values above [`MAXIMUM`] are refused before this is asked.
#[inline]
pub(crate) const fn encoded_len(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_borders_of_each_length_decode_to_themselves() {
        let borders: [(u32, &[u8]); 8] = [
            (0, &[0x00]),
            (127, &[0x7F]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xFF, 0x7F]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xFF, 0xFF, 0x7F]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (MAXIMUM, &[0xFF, 0xFF, 0xFF, 0x7F]),
        ];
        for (value, bytes) in borders {
            assert_eq!(decode(bytes), Varint::Complete { value, bytes: bytes.len() });
            assert_eq!(encoded_len(value), bytes.len());
        }
    }

    #[test]
    fn five_bytes_and_padded_encodings_are_malformed() {
        for bytes in [&[0x80, 0x80, 0x80, 0x80, 0x01][..], &[0x80, 0x00], &[0xFF, 0x80, 0x00]] {
            assert_eq!(decode(bytes), Varint::Malformed, "{bytes:02x?}");
        }
    }

    #[test]
    fn a_cut_integer_is_incomplete() {
        for bytes in [&[][..], &[0x80], &[0xFF, 0xFF], &[0x80, 0x80, 0x80]] {
            assert_eq!(decode(bytes), Varint::Incomplete, "{bytes:02x?}");
        }
    }
}
