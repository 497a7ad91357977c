//! Owns the blanks of JSON: none, or tabs and lines. The text it is given must be JSON; it changes nothing but blanks,
//! so numbers keep their digits and names their order and repetitions.

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonStyle {
    /// On one line without blanks.
    Compact,
    /// `--pretty`: one member per line, indented by tabs.
    Pretty,
}

/// Appends `json` without its blanks.
pub(super) fn append_compact(json: &[u8], out: &mut Vec<u8>) {
    for token in Tokens(json) {
        out.extend_from_slice(token);
    }
}

/// Appends `json` with one member of an object per line.
pub(super) fn append_pretty(json: &[u8], out: &mut Vec<u8>) {
    let mut open: Vec<u8> = Vec::new();
    let mut at_line_start = false;
    for token in Tokens(json) {
        if token == b"}" {
            open.pop();
            if !at_line_start {
                out.push(b'\n');
            }
            at_line_start = true;
        }
        if std::mem::replace(&mut at_line_start, false) {
            out.resize(out.len() + open.len(), b'\t');
        }
        out.extend_from_slice(token);
        match token {
            b"{" => {
                open.push(b'{');
                out.push(b'\n');
                at_line_start = true;
            }
            b"[" => open.push(b'['),
            b"]" => {
                open.pop();
            }
            b":" => out.push(b'\t'),
            b"," if open.last() == Some(&b'{') => {
                out.push(b'\n');
                at_line_start = true;
            }
            b"," => out.push(b' '),
            _ => {}
        }
    }
}

/// The punctuation, strings and bare words of a JSON text, without the blanks between them.
struct Tokens<'a>(&'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0.trim_ascii_start();
        let length = match text.first()? {
            b'"' => string_length(text),
            b'{' | b'}' | b'[' | b']' | b':' | b',' => 1,
            _ => text.iter().position(|byte| ends_word(*byte)).unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at(length);
        self.0 = rest;
        Some(token)
    }
}

/// The length of the string that `text` begins with, quotes included.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (index, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

const fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"')
}

#[cfg(test)]
mod tests {
    use super::append_compact;

    #[test]
    fn only_blanks_between_tokens_are_dropped() {
        let check = |json: &str, expected: &str| {
            let mut out = Vec::new();
            append_compact(json.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check(" [ 1.50 , -2e3,\ttrue ,null ]\r\n", "[1.50,-2e3,true,null]");
        check(r#"{ "a b" : "c \" , \\" , "a b":1 }"#, r#"{"a b":"c \" , \\","a b":1}"#);
        check(" 12345678901234567890123 ", "12345678901234567890123");
    }
}
