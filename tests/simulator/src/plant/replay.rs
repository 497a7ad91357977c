//! Owns what plants do to the journal as it is read after a restart.

use super::{Plant, Planted};
use std::borrow::Cow;

/// The kinds of records that plants know, and the first byte of each.
const MESSAGE: u8 = 1;
const OPERATIONS: u8 = 2;
const SLICE: u8 = 5;

/// One reading of the journal.
#[derive(Debug)]
pub(crate) struct Replay<'a> {
    planted: &'a mut Planted,
}

impl<'a> Replay<'a> {
    /// A reading that begins.
    pub(crate) fn new(planted: &'a mut Planted) -> Self {
        Self { planted }
    }

    /// What recovery is handed instead of a record; none for nothing at all.
    pub(crate) fn alter<'b>(&mut self, record: &'b [u8]) -> Option<Cow<'b, [u8]>> {
        let kind = record.first().copied().unwrap_or_default();
        if kind == OPERATIONS && self.planted.strikes(Plant::ForgetOperations)
            || kind == MESSAGE && self.planted.strikes(Plant::SkipRecord)
        {
            return None;
        }
        if kind == MESSAGE && self.planted.strikes(Plant::KeepTorn) {
            return Some(Cow::Owned(torn(record)));
        }
        if kind == SLICE && self.planted.is(Plant::IgnoreSeen) {
            return Some(Cow::Owned(all_seen(record)?));
        }
        Some(Cow::Borrowed(record))
    }
}

/// A record whose end never reached the disk.
fn torn(record: &[u8]) -> Vec<u8> {
    let mut torn = record.to_vec();
    let from = torn.len() * 2 / 3;
    torn[from..].fill(0);
    torn
}

/// A slice that claims to have taken in every record there is.
fn all_seen(record: &[u8]) -> Option<Vec<u8>> {
    let (_, rest) = number(&record[1..])?;
    let (count, mut rest) = number(rest)?;
    let mut altered = record[..record.len() - rest.len()].to_vec();
    for _ in 0..count {
        (_, rest) = number(rest)?;
        // Positions are zigzag coded: this is 2^40.
        altered.extend([0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
    }
    altered.extend_from_slice(rest);
    Some(altered)
}

/// A number at the front, and what is behind it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7F) << (7 * index);
        if byte < 0x80 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}
