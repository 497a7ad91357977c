//! Owns what clients receive: packets off their outboxes, as text. It checks what must hold for every
//! packet in every test.

use super::{Broker, Client};
use crate::support::{packets::receipt, text};
use broker_core::Input;
use bytes::Bytes;
use mqtt_codec::{MAXIMUM_PACKET_BYTES, Packet, ProtocolVersion, ReasonCode};

impl Broker {
    /// What a client has received since the last look, and whether it was hung up on. All that is due by
    /// now has happened before.
    #[track_caller]
    pub(crate) fn expect(&mut self, client: Client, expected: &[&str]) {
        let received = self.received(client);
        assert_eq!(received, expected, "{self}");
    }

    /// As [`expect`](Self::expect), without waiting for what is due.
    #[track_caller]
    pub(crate) fn expect_now(&mut self, client: Client, expected: &[&str]) {
        let received: Vec<_> = self.read(client).iter().map(text::show).collect();
        assert_eq!(received, expected, "{self}");
    }

    /// Whether a client was hung up on, told why if its version has words for it, and told nothing else.
    #[track_caller]
    pub(crate) fn expect_end(&mut self, client: Client, reason: ReasonCode) {
        let told = format!("DISCONNECT {reason}");
        let expected = match self.wire(client).version {
            ProtocolVersion::V5 => vec![told.as_str(), "closed"],
            ProtocolVersion::V31 | ProtocolVersion::V311 => vec!["closed"],
        };
        self.expect(client, &expected);
    }

    /// As [`expect`](Self::expect), as text.
    pub(crate) fn received(&mut self, client: Client) -> Vec<String> {
        self.settle();
        let mut lines: Vec<_> = self.read(client).iter().map(text::show).collect();
        if self.wire(client).is_closed {
            lines.push("closed".to_owned());
        }
        lines
    }

    /// Has a client read and acknowledge until nothing more comes: the PUBLISH packets it received.
    pub(crate) fn take_all(&mut self, client: Client) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            self.settle();
            let packets = self.read(client);
            if packets.is_empty() {
                return lines;
            }
            for packet in packets {
                if let Packet::Publish(_) = packet {
                    lines.push(text::show(&packet));
                }
                if let Some(receipt) = receipt(&packet) {
                    self.send(client, receipt);
                }
            }
        }
    }

    /// Packets in a client's outbox, which is empty then. Nothing else happens but that the outbox has drained.
    pub(crate) fn read(&mut self, client: Client) -> Vec<Packet> {
        let mut packets = Vec::new();
        while let Some(packet) = self.take_first(client) {
            packets.push(packet);
        }
        let wire = self.wires.get_mut(&client.0).unwrap();
        if std::mem::take(&mut wire.is_full) {
            let shard = wire.shard;
            self.step(shard, Input::OutboxDrained { connection: client.0 });
        }
        packets
    }

    /// Bytes waiting in a client's outbox.
    pub(crate) fn unread_bytes(&self, client: Client) -> usize {
        self.wire(client).outbox.len()
    }

    pub(super) fn take_first(&mut self, client: Client) -> Option<Packet> {
        let wire = self.wires.get_mut(&client.0).unwrap();
        let input = Bytes::copy_from_slice(&wire.outbox);
        let (packet, bytes) = Packet::decode_first(&input, wire.version, MAXIMUM_PACKET_BYTES)
            .unwrap_or_else(|error| panic!("the broker sent what is no packet: {error}"))?;
        // [MQTT5-3.1.2-24], in every test there is.
        assert!(bytes <= wire.packet_bytes_max as usize, "{packet:?} is larger than the client takes");
        wire.outbox.drain(..bytes);
        Some(packet)
    }
}
