//! Owns the bytes of one connection that were received and are not handled yet: a packet whose end is
//! still missing, or packets that have to wait. What the packets are is the codec's business.

use mqtt_codec::{FrameHeader, ProtocolVersion};

/// Bytes that begin where a packet begins. Empty, it owns no buffer; it never holds more than one
/// incomplete packet, or what one read brought.
#[derive(Debug, Default)]
#[allow(clippy::box_collection, reason = "most connections have none, and are to be small")]
pub(crate) struct Unread(Option<Box<Vec<u8>>>);

impl Unread {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether they begin with a whole packet, or with what is found to be none.
    pub(crate) fn begins_with_packet(&self, version: ProtocolVersion, packet_bytes_max: u32) -> bool {
        let Some(bytes) = &self.0 else { return false };
        match FrameHeader::peek(bytes, version, packet_bytes_max) {
            Ok(None) => false,
            Ok(Some(header)) => header.packet_bytes <= bytes.len(),
            Err(_) => true,
        }
    }

    /// Keeps bytes for later.
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.get_or_insert_default().extend_from_slice(bytes);
        }
    }

    /// Moves bytes over from the front of `received` until the first packet is whole, or is found to
    /// be none, and tells how many. The memory grows with what has arrived, not with what is announced.
    pub(crate) fn complete_first(
        &mut self,
        received: &[u8],
        version: ProtocolVersion,
        packet_bytes_max: u32,
    ) -> usize {
        let Some(bytes) = &mut self.0 else { return 0 };
        let mut used = 0;
        while used < received.len() {
            let missing = match FrameHeader::peek(bytes, version, packet_bytes_max) {
                Ok(None) => 1,
                Ok(Some(header)) => header.packet_bytes - bytes.len(),
                Err(_) => 0,
            };
            if missing == 0 {
                break;
            }
            let moved = missing.min(received.len() - used);
            bytes.extend_from_slice(&received[used..used + moved]);
            used += moved;
        }
        used
    }

    /// Takes everything out.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// What is there.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |bytes| bytes)
    }

    /// Puts back what [`take`](Self::take) took out, except the first bytes, which have been handled.
    pub(crate) fn put_back(&mut self, mut taken: Self, handled: usize) {
        debug_assert!(self.is_empty());
        if let Some(bytes) = &mut taken.0
            && handled < bytes.len()
        {
            bytes.drain(..handled);
            *self = taken;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_codec::frame;

    const VERSION: ProtocolVersion = ProtocolVersion::V5;

    /// A PUBLISH to `t` with a payload of so many bytes.
    fn publish(payload: usize) -> Vec<u8> {
        let remaining = payload + 4;
        let mut packet = vec![0x30];
        let low = u8::try_from(remaining % 128).expect("seven bits");
        match u8::try_from(remaining / 128).expect("a small packet") {
            0 => packet.push(low),
            high => packet.extend([low | 0x80, high]),
        }
        packet.extend([0, 1, b't', 0]);
        packet.resize(packet.len() + payload, b'x');
        packet
    }

    #[test]
    fn a_packet_is_completed_and_not_a_byte_more_is_taken() {
        for payload in [0, 1, 100, 200, 5000] {
            let packet = publish(payload);
            for split in 1..packet.len() {
                let mut unread = Unread::default();
                unread.keep(&packet[..split]);
                let received = [&packet[split..], &packet, &packet[..3]].concat();
                let used = unread.complete_first(&received, VERSION, 10_000);
                assert_eq!(used, packet.len() - split);
                let bytes = unread.take();
                assert_eq!(
                    frame(bytes.bytes(), VERSION, 10_000).map(|frame| frame.map(|f| f.bytes.len())),
                    Ok(Some(packet.len()))
                );
            }
        }
    }

    #[test]
    fn a_packet_that_arrives_byte_by_byte_is_completed_by_its_last_byte() {
        let packet = publish(300);
        let mut unread = Unread::default();
        unread.keep(&packet[..1]);
        for byte in &packet[1..] {
            assert_eq!(unread.complete_first(&[*byte], VERSION, 10_000), 1);
        }
        assert_eq!(unread.complete_first(b"more", VERSION, 10_000), 0);
        assert_eq!(unread.bytes(), packet);
    }

    #[test]
    fn what_is_no_packet_is_not_collected() {
        let too_large = publish(300);
        for (start, more) in [(&too_large[..2], &too_large[2..]), (&[0x30, 0xFF, 0xFF], &[0xFF, 0xFF, 1, 1])]
        {
            let mut unread = Unread::default();
            unread.keep(start);
            assert!(unread.complete_first(more, VERSION, 200) <= 2);
        }
    }

    #[test]
    fn what_was_handled_is_forgotten_and_the_rest_is_kept() {
        for (handled, rest) in [(0, &b"abc"[..]), (1, b"bc"), (3, b"")] {
            let mut unread = Unread::default();
            unread.keep(b"abc");
            let bytes = unread.take();
            unread.put_back(bytes, handled);
            assert_eq!(unread.is_empty(), rest.is_empty());
            assert_eq!(unread.bytes(), rest);
        }
    }
}
