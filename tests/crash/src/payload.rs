//! Owns what is in a payload: the number of its message, and filling that tells when bytes were changed. Which
//! message has which payload is decided elsewhere.

use crate::history::PublicationIndex;
use bytes::Bytes;

/// Digits of the number at the front.
const DIGITS: usize = 8;

/// The payload of a message, of at least eight bytes.
pub(crate) fn payload(publication: PublicationIndex, length: usize) -> Bytes {
    let mut bytes = format!("{publication:0DIGITS$}").into_bytes();
    for position in DIGITS..length {
        bytes.push(filling(publication, position));
    }
    Bytes::from(bytes)
}

/// Which message a payload is of; none if it is not one of ours from the first byte to the last.
pub(crate) fn publication(payload: &[u8]) -> Option<PublicationIndex> {
    let (number, rest) = payload.split_at_checked(DIGITS)?;
    let publication = std::str::from_utf8(number).ok()?.parse().ok()?;
    let intact = rest.iter().zip(DIGITS..).all(|(&byte, position)| byte == filling(publication, position));
    intact.then_some(publication)
}

fn filling(publication: PublicationIndex, position: usize) -> u8 {
    u8::try_from(b'a' as usize + (publication * 7 + position * 3) % 26).unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_names_its_message_and_one_that_was_changed_names_none() {
        let bytes = payload(4711, 60);
        assert_eq!((bytes.len(), publication(&bytes)), (60, Some(4711)));
        for position in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[position] = b'!';
            assert_eq!(publication(&changed), None, "position {position}");
        }
        assert_eq!(publication(b"1234"), None);
    }
}
