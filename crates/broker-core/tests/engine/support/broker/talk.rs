//! Owns what clients do to the broker: connect, send, go away. It all goes through the engine as bytes.

use super::{Broker, Client, Wire};
use crate::support::{
    packets::{self, Hello, Say},
    text,
};
use broker_core::{ConnectionId, Input};
use mqtt_codec::{
    MAXIMUM_PACKET_BYTES, Packet, PacketRef, ProtocolVersion, QoS, ReasonCode,
    packet::{ConnAck, PublishRun, SubscriptionOptions},
};

impl Broker {
    /// Connects a client that has no session.
    pub(crate) fn connect(&mut self, hello: Hello) -> Client {
        let (client, connack) = self.greet(hello);
        assert_eq!((connack.reason, connack.session_present), (ReasonCode::Success, false), "{self}");
        client
    }

    /// Connects a client that has a session and wants it back.
    pub(crate) fn reconnect(&mut self, hello: Hello) -> Client {
        let is_told = hello.version() > ProtocolVersion::V31;
        let (client, connack) = self.greet(hello.resuming());
        assert_eq!((connack.reason, connack.session_present), (ReasonCode::Success, is_told), "{self}");
        client
    }

    /// Connects a client and takes the CONNACK off what it received.
    pub(crate) fn greet(&mut self, hello: Hello) -> (Client, ConnAck) {
        let client = self.dial(hello);
        match self.take_first(client) {
            Some(Packet::ConnAck(connack)) => (client, connack),
            other => panic!("a CONNECT was answered by {other:?}, {self}"),
        }
    }

    /// Opens a connection and sends CONNECT, whatever comes of it.
    pub(crate) fn dial(&mut self, hello: Hello) -> Client {
        let id = ConnectionId(self.wires.len() as u64);
        let packet_bytes_max = hello.packet_bytes_max();
        let (version, bytes) = (hello.version(), hello.encode());
        let frame = mqtt_codec::frame(&bytes, version, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
        let Packet::Connect(connect) = PacketRef::decode(frame, version).unwrap() else {
            panic!("no CONNECT")
        };
        let shard = usize::from(self.node.shard_of(connect.client_id).0);
        let wire = Wire {
            shard,
            version,
            outbox: Vec::new(),
            is_full: false,
            is_closed: false,
            packet_bytes_max,
            next_packet_id: 60_000,
        };
        self.wires.insert(id, wire);
        self.step(shard, Input::Connect { connection: id, connect });
        Client(id)
    }

    /// Has a client send a packet, as bytes. A client whose connection is closed talks to nobody.
    pub(crate) fn send(&mut self, client: Client, packet: impl Into<Say>) {
        let bytes = packet.into().encode(self.wire(client).version);
        self.send_bytes(client, &bytes);
    }

    /// Has a client send the bytes of one packet, legal or not.
    pub(crate) fn send_bytes(&mut self, client: Client, bytes: &[u8]) {
        if !self.wire(client).is_closed {
            self.hand_over(client, bytes);
        }
    }

    /// Has a client send packets that are read together, as far as its connection lasts.
    pub(crate) fn send_together(&mut self, client: Client, packets: &[Say]) {
        let Wire { version, shard, .. } = *self.wire(client);
        let bytes: Vec<u8> = packets.iter().flat_map(|packet| packet.clone().encode(version)).collect();
        let (mut rest, connection) = (bytes.as_slice(), client.0);
        while !rest.is_empty() && !self.wire(client).is_closed {
            let frame = mqtt_codec::frame(rest, version, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
            let packet = PacketRef::decode(frame, version).unwrap();
            let run = match &packet {
                Packet::Publish(first) => PublishRun::of(first, rest, 512, 4096),
                _ => None,
            };
            if let Some(run) = run {
                rest = &rest[run.bytes.len()..];
                self.step(shard, Input::Publishes { connection, run });
            } else {
                rest = &rest[frame.bytes.len()..];
                self.step(shard, Input::Packet { connection, packet, frame: frame.bytes });
            }
        }
    }

    /// As [`send`](Self::send), from a client that the broker has done with.
    pub(crate) fn send_in_spite_of_close(&mut self, client: Client, packet: impl Into<Say>) {
        let bytes = packet.into().encode(self.wire(client).version);
        self.hand_over(client, &bytes);
    }

    fn hand_over(&mut self, client: Client, bytes: &[u8]) {
        let Wire { version, shard, .. } = *self.wire(client);
        let frame = mqtt_codec::frame(bytes, version, self.node.config.limits.packet_bytes_max);
        let packet = frame.and_then(|frame| PacketRef::decode(frame.expect("a whole packet"), version));
        let connection = client.0;
        match packet {
            Ok(packet) => self.step(shard, Input::Packet { connection, packet, frame: bytes }),
            Err(error) => self.step(shard, Input::Malformed { connection, error }),
        }
    }

    /// Subscribes and takes the SUBACK off what was received. Retained messages are not yet on their way.
    pub(crate) fn subscribe(&mut self, client: Client, filter: &str, options: impl Into<SubscriptionWish>) {
        let SubscriptionWish(options) = options.into();
        let id = self.next_packet_id(client);
        self.send(client, packets::subscribe(id, &[(filter, options)]));
        let granted = format!("SUBACK #{id} [{}]", options.maximum_qos.bits());
        let first = self.take_first(client).map(|packet| text::show(&packet));
        assert_eq!(first, Some(granted), "{self}");
    }

    /// As [`subscribe`](Self::subscribe), behind another answer.
    pub(crate) fn subscribe_after(
        &mut self,
        client: Client,
        answer: &str,
        filter: &str,
        options: impl Into<SubscriptionWish>,
    ) {
        let first = self.take_first(client).map(|packet| text::show(&packet));
        assert_eq!(first.as_deref(), Some(answer), "{self}");
        self.subscribe(client, filter, options);
    }

    /// The connection goes away without a word.
    pub(crate) fn hang_up(&mut self, client: Client) {
        let wire = self.wires.get_mut(&client.0).unwrap();
        wire.is_closed = true;
        let shard = wire.shard;
        self.step(shard, Input::Closed { connection: client.0 });
    }

    /// The client says DISCONNECT and goes.
    pub(crate) fn leave(&mut self, client: Client) {
        self.send(client, packets::disconnect(ReasonCode::Success));
        assert!(self.wire(client).is_closed, "{self}");
    }

    fn next_packet_id(&mut self, client: Client) -> u16 {
        let wire = self.wires.get_mut(&client.0).unwrap();
        wire.next_packet_id += 1;
        wire.next_packet_id
    }
}

/// Options of a subscription, or only its QoS.
pub(crate) struct SubscriptionWish(SubscriptionOptions);

impl From<QoS> for SubscriptionWish {
    fn from(qos: QoS) -> Self {
        Self(SubscriptionOptions::qos(qos))
    }
}

impl From<SubscriptionOptions> for SubscriptionWish {
    fn from(options: SubscriptionOptions) -> Self {
        Self(options)
    }
}
