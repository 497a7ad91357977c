//! Owns the notation the tests write packets in. It knows lengths and nothing else of MQTT.
//!
//! Pairs of hex digits are bytes. `#` is the Remaining Length of all that follows, `'text'` a string with
//! its two byte length, `<text>` the bytes of the text alone, and `( … )` what is inside with its length
//! as a Variable Byte Integer: properties. White space is for the eye.

/// The bytes of a packet in this notation.
///
/// # Panics
/// If it is not well formed: the test is wrong.
pub(crate) fn bytes(notation: &str) -> Vec<u8> {
    let mut rest = notation.chars();
    let packet = sequence(&mut rest, notation);
    assert!(rest.as_str().is_empty(), "unbalanced: {notation}");
    packet
}

fn sequence(rest: &mut std::str::Chars<'_>, notation: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(character) = rest.next() {
        match character {
            ' ' => {}
            ')' => return bytes,
            '#' => {
                let body = sequence(rest, notation);
                bytes.extend(length(body.len()));
                bytes.extend(body);
            }
            '(' => {
                let properties = sequence(rest, notation);
                bytes.extend(length(properties.len()));
                bytes.extend(properties);
            }
            '\'' => {
                let text = until(rest, '\'', notation);
                bytes.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
                bytes.extend(text.as_bytes());
            }
            '<' => bytes.extend(until(rest, '>', notation).as_bytes()),
            high => {
                let low = rest.next().and_then(|low| low.to_digit(16));
                let (Some(high), Some(low)) = (high.to_digit(16), low) else {
                    panic!("no pair of hex digits at {high:?} in {notation}");
                };
                bytes.push(u8::try_from(high << 4 | low).unwrap());
            }
        }
    }
    bytes
}

fn until<'a>(rest: &mut std::str::Chars<'a>, end: char, notation: &str) -> &'a str {
    let (text, behind) = rest.as_str().split_once(end).unwrap_or_else(|| panic!("no {end} in {notation}"));
    *rest = behind.chars();
    text
}

/// A Variable Byte Integer.
pub(crate) fn length(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7F).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Bytes as hex for people, sixteen to a line.
pub(crate) fn dump(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n    ")
}

#[test]
fn the_notation_counts_lengths() {
    assert_eq!(bytes("10 # 'ab' ( 0102 ) <c>"), [0x10, 8, 0, 2, b'a', b'b', 2, 1, 2, b'c']);
    assert_eq!(length(300), [0xAC, 0x02]);
}
