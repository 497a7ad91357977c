//! Owns the notation the tests write packets in, one text for every version. It knows lengths and nothing else of
//! MQTT.
//!
//! Pairs of hex digits are bytes. `#` is the Remaining Length of all that follows, `'text'` a string with its two
//! byte length, `<text>` the bytes of the text alone. `( … )` are properties with their length as a Variable Byte
//! Integer, which 3.x leaves out altogether; `[ … ]` is for 5.0 alone as well, without a length. `vv` is the protocol
//! name with the protocol level. A semicolon stands between packets, white space is for the eye.

use mqtt_codec::ProtocolVersion;
use std::str::Chars;

/// The bytes of one packet or several in this notation, as `version` writes it.
///
/// # Panics
/// If it is not well formed: the test is wrong.
#[must_use]
pub fn bytes(notation: &str, version: ProtocolVersion) -> Vec<u8> {
    notation.split(';').flat_map(|packet| packet_bytes(packet, version)).collect()
}

fn packet_bytes(notation: &str, version: ProtocolVersion) -> Vec<u8> {
    let mut reader = Reader { rest: notation.chars(), notation, version };
    let packet = reader.sequence();
    assert!(reader.rest.as_str().is_empty(), "unbalanced: {notation}");
    packet
}

struct Reader<'a> {
    rest: Chars<'a>,
    notation: &'a str,
    version: ProtocolVersion,
}

impl Reader<'_> {
    fn sequence(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(character) = self.rest.next() {
            match character {
                ' ' => {}
                ')' | ']' => return bytes,
                '#' => {
                    let body = self.sequence();
                    bytes.extend(variable(body.len()));
                    bytes.extend(body);
                    // What ended the sequence inside ends this one: nothing can follow a whole packet.
                    return bytes;
                }
                '(' => {
                    let properties = self.sequence();
                    if self.version.has_properties() {
                        bytes.extend(variable(properties.len()));
                        bytes.extend(properties);
                    }
                }
                '[' => {
                    let inside = self.sequence();
                    if self.version.has_properties() {
                        bytes.extend(inside);
                    }
                }
                '\'' => bytes.extend(prefixed(&self.until('\''))),
                '<' => bytes.extend(self.until('>').as_bytes()),
                'v' => {
                    assert_eq!(self.rest.next(), Some('v'), "half a vv in {}", self.notation);
                    bytes.extend(prefixed(self.version.name()));
                    bytes.push(self.version.level());
                }
                high => bytes.push(self.pair(high)),
            }
        }
        bytes
    }

    fn pair(&mut self, high: char) -> u8 {
        let low = self.rest.next();
        let digits = [Some(high), low].map(|digit| digit.and_then(|digit| digit.to_digit(16)));
        let [Some(high), Some(low)] = digits else {
            panic!("no pair of hex digits at {high:?} in {}", self.notation);
        };
        u8::try_from(high << 4 | low).expect("two digits are a byte")
    }

    fn until(&mut self, end: char) -> String {
        let whole = self.notation;
        let (text, behind) =
            self.rest.as_str().split_once(end).unwrap_or_else(|| panic!("no {end} in {whole}"));
        self.rest = behind.chars();
        text.to_owned()
    }
}

fn prefixed(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a string of at most 65,535 bytes");
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

/// A Variable Byte Integer.
fn variable(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7F).expect("seven bits");
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProtocolVersion::{V5, V311};

    fn check(notation: &str, version: ProtocolVersion, expected: &[u8]) {
        assert_eq!(bytes(notation, version), expected, "{notation} in {version:?}");
    }

    #[test]
    fn lengths_are_counted() {
        check("10 # 'ab' ( 0102 ) <c>", V5, &[0x10, 8, 0, 2, b'a', b'b', 2, 1, 2, b'c']);
        assert_eq!(variable(300), [0xAC, 0x02]);
    }

    #[test]
    fn packets_may_follow_each_other() {
        check("c0 #; e0 # 04", V5, &[0xC0, 0, 0xE0, 1, 4]);
    }

    #[test]
    fn what_3_1_1_does_not_have_is_left_out() {
        check("b0 # 0001 () [11]", V5, &[0xB0, 4, 0, 1, 0, 0x11]);
        check("b0 # 0001 () [11]", V311, &[0xB0, 2, 0, 1]);
        check("10 # vv", V311, &[0x10, 7, 0, 4, b'M', b'Q', b'T', b'T', 4]);
    }
}
