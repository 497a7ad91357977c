//! Owns a server on loopback that does nothing by itself: the test receives and sends each packet. It judges nothing.

use bytes::{Bytes, BytesMut};
use mqtt_codec::{
    MAXIMUM_PACKET_BYTES, Packet, PacketId, Properties, PropertyOwner, ProtocolVersion, QoS, ReasonCode,
    TopicName,
    packet::{Ack, ConnAck, Connect, Delivery, Disconnect, Publish, SubAck, Subscribe, Unsubscribe},
};
use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long a packet may take that should have come; only a broken client takes it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A listening server.
pub(crate) struct Server {
    port: u16,
    /// Connections, accepted in a thread of its own so that a test need not wait for ever.
    streams: mpsc::Receiver<(TcpStream, SocketAddr)>,
}

/// One connection of a client.
pub(crate) struct Peer {
    stream: TcpStream,
    input: BytesMut,
    pub(crate) address: SocketAddr,
    pub(crate) version: ProtocolVersion,
    /// What the client said first.
    pub(crate) connect: Connect,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, streams) = mpsc::sync_channel(1);
        thread::spawn(move || {
            while let Ok(accepted) = listener.accept() {
                // The test is over.
                if sender.send(accepted).is_err() {
                    return;
                }
            }
        });
        Self { port, streams }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The next connection, with its CONNECT, which is not answered yet.
    pub(crate) fn connect(&self) -> Peer {
        let (stream, address) = self.streams.recv_timeout(PATIENCE).expect("nobody connects");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut input = BytesMut::new();
        let connect = match receive(&stream, &mut input, ProtocolVersion::V5) {
            Some(Packet::Connect(connect)) => connect,
            other => panic!("not CONNECT but {other:?}"),
        };
        Peer { stream, input, address, version: connect.version, connect }
    }

    /// The next connection, accepted.
    pub(crate) fn accept(&self) -> Peer {
        let mut peer = self.connect();
        peer.answer_connect(ReasonCode::Success);
        peer
    }

    /// The next connection, accepted, and its SUBSCRIBE, granted as asked for.
    pub(crate) fn accept_subscriber(&self) -> Peer {
        let mut peer = self.accept();
        let subscribe = peer.receive_subscribe();
        peer.grant(&subscribe);
        peer
    }
}

impl Peer {
    pub(crate) fn answer_connect(&mut self, reason: ReasonCode) {
        self.send(&Packet::ConnAck(ConnAck { session_present: false, reason, properties: Properties::NONE }));
    }

    /// CONNACK of a session that goes on.
    pub(crate) fn resume(&mut self) {
        let (session_present, properties) = (true, Properties::NONE);
        self.send(&Packet::ConnAck(ConnAck { session_present, reason: ReasonCode::Success, properties }));
    }

    pub(crate) fn send(&mut self, packet: &Packet) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.send_bytes(&bytes);
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends until the client closes the connection.
    pub(crate) fn send_until_closed(&mut self, packet: &Packet) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        while self.stream.write_all(&bytes).is_ok() {}
    }

    /// A message.
    pub(crate) fn publish(&mut self, topic: &str, payload: &str, delivery: Delivery) {
        self.send(&Packet::Publish(message(topic, payload, delivery)));
    }

    /// Messages of QoS 0, one for each payload.
    pub(crate) fn publish_all(&mut self, topic: &str, payloads: &[&str]) {
        for payload in payloads {
            self.publish(topic, payload, Delivery::AtMostOnce);
        }
    }

    /// The next packet, but for PUBREL, which is answered.
    pub(crate) fn receive(&mut self) -> Packet {
        loop {
            match receive(&self.stream, &mut self.input, self.version) {
                Some(Packet::PubRel(ack)) => self.send(&Packet::PubComp(ack)),
                Some(packet) => return packet,
                None => panic!("the client closed the connection"),
            }
        }
    }

    pub(crate) fn receive_publish(&mut self) -> Publish {
        match self.receive() {
            Packet::Publish(publish) => publish,
            other => panic!("not PUBLISH but {other:?}"),
        }
    }

    /// The next message, acknowledged.
    pub(crate) fn take_message(&mut self) -> Publish {
        let publish = self.receive_publish();
        let ack = publish.delivery.packet_id().map(|packet_id| Ack::new(packet_id, ReasonCode::Success));
        match (publish.delivery, ack) {
            (Delivery::AtLeastOnce { .. }, Some(ack)) => self.send(&Packet::PubAck(ack)),
            (Delivery::ExactlyOnce { .. }, Some(ack)) => self.send(&Packet::PubRec(ack)),
            (Delivery::AtMostOnce | Delivery::AtLeastOnce { .. } | Delivery::ExactlyOnce { .. }, _) => {}
        }
        publish
    }

    pub(crate) fn receive_subscribe(&mut self) -> Subscribe {
        match self.receive() {
            Packet::Subscribe(subscribe) => subscribe,
            other => panic!("not SUBSCRIBE but {other:?}"),
        }
    }

    pub(crate) fn receive_unsubscribe(&mut self) -> Unsubscribe {
        match self.receive() {
            Packet::Unsubscribe(unsubscribe) => unsubscribe,
            other => panic!("not UNSUBSCRIBE but {other:?}"),
        }
    }

    pub(crate) fn grant(&mut self, subscribe: &Subscribe) {
        let granted = subscribe.subscriptions().map(|asked| match asked.options.maximum_qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        });
        self.send(&Packet::SubAck(SubAck::new(subscribe.packet_id, Properties::NONE, granted).unwrap()));
    }

    /// DISCONNECT, and then nothing more.
    pub(crate) fn receive_disconnect(&mut self) -> Disconnect {
        let Packet::Disconnect(disconnect) = self.receive() else { panic!("not DISCONNECT") };
        assert_eq!(receive(&self.stream, &mut self.input, self.version), None);
        disconnect
    }

    /// Whether the client closes the connection without another packet.
    pub(crate) fn is_closed(&mut self) -> bool {
        receive(&self.stream, &mut self.input, self.version).is_none()
    }
}

/// A message without properties, not retained.
pub(crate) fn message(topic: &str, payload: &str, delivery: Delivery) -> Publish {
    Publish {
        delivery,
        retain: false,
        topic: Some(TopicName::owned(topic).unwrap()),
        properties: Properties::NONE,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    }
}

/// At least once, with this Packet Identifier.
pub(crate) fn at_least_once(packet_id: u16) -> Delivery {
    Delivery::AtLeastOnce { packet_id: PacketId::new(packet_id).unwrap(), dup: false }
}

/// Exactly once, with this Packet Identifier.
pub(crate) fn exactly_once(packet_id: u16) -> Delivery {
    Delivery::ExactlyOnce { packet_id: PacketId::new(packet_id).unwrap(), dup: false }
}

/// PUBACK with success.
pub(crate) fn puback(packet_id: u16) -> Packet {
    Packet::PubAck(Ack::new(PacketId::new(packet_id).unwrap(), ReasonCode::Success))
}

/// One User Property.
pub(crate) fn user_property(owner: PropertyOwner, name: &str, value: &str) -> Properties {
    Properties::new(owner, [mqtt_codec::Property::UserProperty(name, value)]).unwrap()
}

/// The next packet; none when the client has closed the connection.
fn receive(mut stream: &TcpStream, input: &mut BytesMut, version: ProtocolVersion) -> Option<Packet> {
    loop {
        let bytes = Bytes::copy_from_slice(input);
        if let Some((packet, length)) = Packet::decode_first(&bytes, version, MAXIMUM_PACKET_BYTES).unwrap() {
            let _ = input.split_to(length);
            return Some(packet);
        }
        let mut block = [0; 4096];
        match stream.read(&mut block) {
            Ok(0) => return None,
            Ok(count) => input.extend_from_slice(&block[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error}"),
        }
    }
}
