//! Owns widths, padding and cutting: what stands between `%` and the letter. What is padded was rendered before.

/// The flags of one parameter.
///
/// A width is a minimum and never cuts, as the manual of mosquitto_sub has it; the program itself cuts
/// payloads to the width, and a hexadecimal one to half of it, which loses data nobody asked to lose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// `-`: padding goes to the right, and is blank.
    pub(super) left_aligned: bool,
    /// `0`: padding on the left is zeros, but for text.
    pub(super) zero_padded: bool,
    /// The least width; 0 asks for nothing.
    pub(super) width: u16,
    /// The greatest width of text, in characters.
    pub(super) precision: Option<u16>,
}

/// What a layout may do to a rendered value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// Never padded or cut.
    Fixed,
    /// Counted in characters, cut to the precision, padded with blanks.
    Text,
    /// Counted in bytes and never cut: numbers and payloads.
    Whole,
}

impl Layout {
    /// Lays out the value that was appended to `out` at `start`.
    pub(super) fn apply(self, kind: ValueKind, start: usize, out: &mut Vec<u8>) {
        let written = match kind {
            ValueKind::Fixed => return,
            ValueKind::Whole => out.len() - start,
            ValueKind::Text => cut(out, start, self.precision),
        };
        let missing = usize::from(self.width).saturating_sub(written);
        if missing == 0 {
            return;
        }
        if self.left_aligned {
            out.resize(out.len() + missing, b' ');
        } else {
            let pad = if self.zero_padded && kind == ValueKind::Whole { b'0' } else { b' ' };
            out.resize(out.len() + missing, pad);
            out[start..].rotate_right(missing);
        }
    }
}

/// Cuts the text at `start` to `precision` characters; returns how many it has then.
fn cut(out: &mut Vec<u8>, start: usize, precision: Option<u16>) -> usize {
    let limit = precision.map_or(usize::MAX, usize::from);
    let mut characters = 0;
    let mut end = start;
    while end < out.len() {
        if !is_continuation(out[end]) {
            if characters == limit {
                break;
            }
            characters += 1;
        }
        end += 1;
    }
    out.truncate(end);
    characters
}

/// Whether `byte` continues a character of UTF-8 rather than beginning one.
const fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}
