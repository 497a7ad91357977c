//! Owns the language of the inputs: changes to a valid log, or segments byte by byte. What becomes of them is not known
//! here.

use super::Files;
use super::reference::crc32c;

/// The files that an input stands for.
pub(super) fn files(input: &[u8], valid: Files) -> Files {
    let mut input = Input(input);
    if input.byte() % 4 == 3 {
        return raw(&mut input);
    }
    let mut files = valid;
    while !input.0.is_empty() && !files.is_empty() {
        edit(&mut input, &mut files);
    }
    files
}

/// One or two segments, whose bytes are the input's.
fn raw(input: &mut Input<'_>) -> Files {
    let second = u64::from(input.number());
    let length = usize::from(input.number());
    let (first, rest) = input.0.split_at(length.min(input.0.len()));
    let mut files = Files::from([(name(0), first.to_vec())]);
    if second > 0 {
        files.insert(name(second), rest.to_vec());
    }
    files
}

fn name(first: u64) -> String {
    format!("{first:016x}.log")
}

fn edit(input: &mut Input<'_>, files: &mut Files) {
    let operation = input.byte();
    let index = usize::from(input.byte()) % files.len();
    let (name, bytes) = files.iter_mut().nth(index).expect("the index is below the length");
    let offset = usize::from(input.number()) % (bytes.len() + 1);
    match operation % 8 {
        0 => {
            let change = input.byte();
            bytes.iter_mut().skip(offset).take(1).for_each(|byte| *byte ^= change);
        }
        1 => bytes.truncate(offset),
        2 => {
            let count = usize::from(input.byte());
            bytes.splice(offset..offset, input.bytes(count).to_vec());
        }
        3 => {
            // A stretch of the same segment, somewhere else.
            let (target, count) =
                (usize::from(input.number()) % (bytes.len() + 1), usize::from(input.byte()));
            let stretch = bytes[offset..(offset + count).min(bytes.len())].to_vec();
            let end = (target + stretch.len()).min(bytes.len());
            bytes.splice(target..end, stretch);
        }
        4 => {
            let name = name.clone();
            files.remove(&name);
        }
        5 => forge_segment_header(input, bytes),
        6 => forge_batch_header(input, offset, bytes),
        _ => {
            let name = format!("{:016x}.log", u64::from(input.number()));
            let copy = bytes.clone();
            files.insert(name, copy);
        }
    }
}

/// A header that says something else, and whose checksum is right.
fn forge_segment_header(input: &mut Input<'_>, bytes: &mut [u8]) {
    if bytes.len() < 64 {
        return;
    }
    let field = [8, 16, 24, 40][usize::from(input.byte()) % 4];
    bytes[field..field + 2].copy_from_slice(&input.number().to_le_bytes());
    let checksum = crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
}

/// A batch that fits its place and says what the input wants, over whatever is there.
fn forge_batch_header(input: &mut Input<'_>, offset: usize, bytes: &mut [u8]) {
    if offset < 64 || bytes.len() < offset + 40 {
        return;
    }
    let first = u64::from_le_bytes(bytes[16..24].try_into().expect("eight bytes"));
    let mut header = bytes[40..48].to_vec();
    header.extend(first.wrapping_add(offset as u64 - 64).to_le_bytes());
    let length = if input.byte().is_multiple_of(8) { u64::MAX } else { u64::from(input.number()) };
    header.extend(length.to_le_bytes());
    header.extend(0_u64.to_le_bytes());
    header.extend(u32::from(input.byte()).to_le_bytes());
    header.extend(crc32c(&header).to_le_bytes());
    bytes[offset..offset + 40].copy_from_slice(&header);
}

/// What is left to read; zeros when nothing is.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }

    fn number(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        bytes
    }
}
