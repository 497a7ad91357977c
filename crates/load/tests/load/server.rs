//! Owns a server on loopback that does nothing by itself: the test receives and sends each packet. It judges nothing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use dunlin_load::{Lifetime, Load, ProtocolVersion, Publisher, QoS, Subscriber, Target};
use mqtt_codec::packet::{Ack, ConnAck, Delivery, PacketId, Publish, SubAck};
use mqtt_codec::{MAXIMUM_PACKET_BYTES, Packet, Properties, Property, PropertyOwner, ReasonCode};

/// How long anything may take that should come; only a broken load takes it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A listening server.
pub(crate) struct Server {
    streams: mpsc::Receiver<TcpStream>,
    version: ProtocolVersion,
}

/// One connection of a client.
pub(crate) struct Peer {
    stream: TcpStream,
    unread: BytesMut,
    version: ProtocolVersion,
    pub(crate) client_id: String,
}

/// Runs a load against a script; both must end, and the script's failures are the test's.
pub(crate) fn scripted<T>(
    version: ProtocolVersion,
    script: impl FnOnce(Server) + Send + 'static,
    run: impl FnOnce(Load) -> T,
) -> T {
    scripted_with(version, |target| target, script, run)
}

/// The same with another target.
pub(crate) fn scripted_with<T>(
    version: ProtocolVersion,
    target: impl FnOnce(Target) -> Target,
    script: impl FnOnce(Server) + Send + 'static,
    run: impl FnOnce(Load) -> T,
) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, streams) = mpsc::sync_channel(16);
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            // The test is over.
            if sender.send(stream).is_err() {
                return;
            }
        }
    });
    let script = thread::spawn(move || script(Server { streams, version }));
    let load = Load::new(target(self::target(address, version))).expect("a poll");
    let outcome = run(load);
    if let Err(failure) = script.join() {
        std::panic::resume_unwind(failure);
    }
    outcome
}

pub(crate) fn load(address: SocketAddr, version: ProtocolVersion) -> Load {
    Load::new(target(address, version)).expect("a poll")
}

fn target(address: SocketAddr, version: ProtocolVersion) -> Target {
    Target { version, client_id_prefix: "test-".to_owned(), ..Target::new(address) }
}

impl Server {
    /// The next connection, with its CONNECT, which is not answered yet.
    pub(crate) fn connect(&self) -> Peer {
        let stream = self.streams.recv_timeout(PATIENCE).expect("nobody connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let (unread, client_id) = (BytesMut::new(), String::new());
        let mut peer = Peer { stream, unread, version: self.version, client_id };
        match peer.receive() {
            Some(Packet::Connect(connect)) => peer.client_id = connect.client_id.to_string(),
            other => panic!("not CONNECT but {other:?}"),
        }
        peer
    }

    /// The next connection, accepted.
    pub(crate) fn accept(&self) -> Peer {
        self.accept_with(None)
    }

    pub(crate) fn accept_with(&self, property: Option<Property<'_>>) -> Peer {
        let mut peer = self.connect();
        let properties = Properties::new(PropertyOwner::ConnAck, property).expect("a legal property");
        peer.send(&Packet::ConnAck(ConnAck {
            session_present: false,
            reason: ReasonCode::Success,
            properties,
        }));
        peer
    }

    /// The next connection, accepted, and its SUBSCRIBE, granted.
    pub(crate) fn accept_subscriber(&self) -> Peer {
        let mut peer = self.accept();
        peer.answer_subscribe(ReasonCode::Success);
        peer
    }
}

impl Peer {
    pub(crate) fn address(&self) -> IpAddr {
        self.stream.peer_addr().expect("it is connected").ip()
    }

    pub(crate) fn send(&mut self, packet: &Packet) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).expect("a legal packet");
        self.send_bytes(&bytes);
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the client reads");
    }

    pub(crate) fn refuse(&mut self, reason: ReasonCode) {
        let properties = Properties::NONE;
        self.send(&Packet::ConnAck(ConnAck { session_present: false, reason, properties }));
    }

    pub(crate) fn answer_subscribe(&mut self, reason: ReasonCode) {
        let Some(Packet::Subscribe(subscribe)) = self.receive() else { panic!("not SUBSCRIBE") };
        let reasons = subscribe.subscriptions().map(|_| reason);
        let answer = SubAck::new(subscribe.packet_id, Properties::NONE, reasons);
        self.send(&Packet::SubAck(answer.expect("a legal answer")));
    }

    /// The next packet; none when the client has closed.
    pub(crate) fn receive(&mut self) -> Option<Packet> {
        loop {
            let bytes = Bytes::copy_from_slice(&self.unread);
            let decoded = Packet::decode_first(&bytes, self.version, MAXIMUM_PACKET_BYTES);
            if let Some((packet, length)) = decoded.expect("a legal packet") {
                drop(self.unread.split_to(length));
                return Some(packet);
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
                Err(error) => panic!("nothing comes: {error}"),
            }
        }
    }

    pub(crate) fn receive_message(&mut self) -> Publish {
        match self.receive() {
            Some(Packet::Publish(publish)) => publish,
            other => panic!("not PUBLISH but {other:?}"),
        }
    }

    pub(crate) fn receive_messages(&mut self, count: usize) -> Vec<Publish> {
        (0..count).map(|_| self.receive_message()).collect()
    }

    /// Passes a message on as it came, at QoS 0.
    pub(crate) fn deliver(&mut self, message: &Publish) {
        self.send(&Packet::Publish(Publish { delivery: Delivery::AtMostOnce, ..message.clone() }));
    }

    pub(crate) fn acknowledge(&mut self, message: &Publish, reason: ReasonCode) {
        let packet_id = message.delivery.packet_id().expect("a QoS above 0");
        self.send(&Packet::PubAck(ack(packet_id, reason)));
    }
}

pub(crate) fn ack(packet_id: PacketId, reason: ReasonCode) -> Ack {
    Ack { packet_id, reason, properties: Properties::NONE }
}

/// Takes messages to `t` at a QoS.
pub(crate) fn subscribe(load: &mut Load, qos: QoS) {
    let subscriber = Subscriber { filters: vec!["t".to_owned()], qos };
    load.subscriber(Lifetime::Connection, "subscriber", subscriber).expect("a legal subscriber");
    load.wait_ready().expect("a subscription");
}

/// Publishes to `t`.
pub(crate) fn publish(load: &mut Load, qos: QoS, window: u32, messages: u64) {
    load.publisher("publisher", publisher(qos, window, messages)).expect("a legal publisher");
    load.wait_ready().expect("a connection");
    load.start();
}

pub(crate) fn publisher(qos: QoS, window: u32, messages: u64) -> Publisher {
    Publisher {
        topics: vec!["t".to_owned()],
        qos,
        payload_bytes: 16,
        retain: false,
        window,
        rate: None,
        messages: Some(messages),
    }
}
