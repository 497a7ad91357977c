//! Owns a peer that speaks raw bytes to a broker: it sends what it is told, legal or not, and expects exactly what
//! comes back. Handshakes that a test does not care about are in `wire/handshake`.

mod handshake;

use crate::{PATIENCE, normal::normal, notation};
use bytes::{Bytes, BytesMut};
use mqtt_codec::{FrameHeader, MAXIMUM_PACKET_BYTES, Packet, ProtocolVersion, ReasonCode, packet::ConnAck};
use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

/// One network connection to a broker, in one version. Dropped, it is lost without a word.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    version: ProtocolVersion,
    received: BytesMut,
    /// What came while a handshake awaited something else.
    set_aside: VecDeque<Packet>,
    next_packet_id: u16,
}

/// Why no packet came.
enum Silence {
    Closed,
    TimedOut,
}

impl Wire {
    /// Opens a connection; nothing is sent yet.
    ///
    /// # Panics
    /// If nobody accepts it.
    #[track_caller]
    #[must_use]
    pub fn open(address: SocketAddr, version: ProtocolVersion) -> Self {
        Self::over(TcpStream::connect(address).expect("the broker accepts connections"), version)
    }

    /// Accepts a connection, to play the server.
    ///
    /// # Panics
    /// If the listener is broken.
    #[must_use]
    pub fn accept(listener: &TcpListener, version: ProtocolVersion) -> Self {
        Self::over(listener.accept().expect("a listener accepts").0, version)
    }

    fn over(stream: TcpStream, version: ProtocolVersion) -> Self {
        stream.set_nodelay(true).expect("an open socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("an open socket");
        Self { stream, version, received: BytesMut::new(), set_aside: VecDeque::new(), next_packet_id: 0 }
    }

    /// The version it writes and reads.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Sends packets in the tests' [notation].
    ///
    /// # Panics
    /// If the broker no longer reads.
    #[track_caller]
    pub fn send(&mut self, notation: &str) {
        self.send_bytes(&notation::bytes(notation, self.version));
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// If the broker no longer reads.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the broker reads");
    }

    /// Sends as much as the broker still reads: it may close before the end, and that is no failure.
    pub fn send_while_read(&mut self, bytes: &[u8]) {
        // The test goes on to look at how the broker closed.
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a packet of the codec.
    ///
    /// # Panics
    /// If the packet is not legal, or the broker no longer reads.
    #[track_caller]
    pub fn send_packet(&mut self, packet: &Packet) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).expect("a legal packet");
        self.send_bytes(&bytes);
    }

    /// Says that nothing more will be sent; what comes can still be read.
    ///
    /// # Panics
    /// If the connection is closed.
    #[track_caller]
    pub fn end_of_sending(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("an open socket");
    }

    /// Sends a CONNECT and returns its answer.
    ///
    /// # Panics
    /// If something else comes back.
    #[track_caller]
    pub fn connect(&mut self, notation: &str) -> ConnAck {
        self.send(notation);
        match self.packet() {
            Packet::ConnAck(connack) => connack,
            packet => panic!("expected CONNACK, received {packet:?}"),
        }
    }

    /// The next packet must be this one, written in the tests' [notation]. The order of properties means nothing.
    ///
    /// # Panics
    /// If it is another, or none.
    #[track_caller]
    pub fn expect(&mut self, notation: &str) {
        let received = self.packet();
        self.check(received, notation);
    }

    /// The next packets must be these. Those of one type must come in this order, types may mingle.
    ///
    /// # Panics
    /// If there are others, or fewer.
    #[track_caller]
    pub fn expect_each(&mut self, notations: &[&str]) {
        let mut received: Vec<Packet> = notations.iter().map(|_| normal(self.packet())).collect();
        let mut expected: Vec<Packet> = notations.iter().map(|notation| self.packet_of(notation)).collect();
        for packets in [&mut received, &mut expected] {
            packets.sort_by_key(|packet| format!("{:?}", packet.packet_type()));
        }
        assert_eq!(received, expected, "received (left) what was not expected (right)");
    }

    #[track_caller]
    fn check(&self, received: Packet, notation: &str) {
        let expected = self.packet_of(notation);
        assert_eq!(normal(received), expected, "received (left) what was not expected (right)");
    }

    #[track_caller]
    fn packet_of(&self, notation: &str) -> Packet {
        let bytes = Bytes::from(notation::bytes(notation, self.version));
        match Packet::decode_first(&bytes, self.version, MAXIMUM_PACKET_BYTES) {
            Ok(Some((packet, length))) if length == bytes.len() => normal(packet),
            other => panic!("the test expects what is no packet: {notation}: {other:?}"),
        }
    }

    /// The next packet, whatever it is.
    ///
    /// # Panics
    /// If none comes, or what comes is no packet.
    #[track_caller]
    pub fn packet(&mut self) -> Packet {
        match self.packet_until(Instant::now() + PATIENCE) {
            Ok(packet) => packet,
            Err(Silence::Closed) => panic!("expected a packet, the broker closed the connection"),
            Err(Silence::TimedOut) => panic!("expected a packet, none came in time"),
        }
    }

    /// The next packet; none if the connection is closed instead.
    ///
    /// # Panics
    /// If nothing happens, or what comes is no packet.
    #[track_caller]
    pub fn packet_or_close(&mut self) -> Option<Packet> {
        match self.packet_until(Instant::now() + PATIENCE) {
            Ok(packet) => Some(packet),
            Err(Silence::Closed) => None,
            Err(Silence::TimedOut) => panic!("expected a packet or the end, nothing happened"),
        }
    }

    /// The next packet that `is_awaited`. Messages may come first; they are set aside, in their order.
    #[track_caller]
    fn answer(&mut self, is_awaited: impl Fn(&Packet) -> bool) -> Packet {
        if let Some(place) = self.set_aside.iter().position(&is_awaited) {
            return self.set_aside.remove(place).expect("it is there");
        }
        let before = std::mem::take(&mut self.set_aside);
        let mut between = VecDeque::new();
        let answer = loop {
            match self.packet() {
                packet if is_awaited(&packet) => break packet,
                packet @ (Packet::Publish(_) | Packet::PubRel(_)) => between.push_back(packet),
                packet => panic!("expected another answer, received {packet:?}"),
            }
        };
        self.set_aside = before.into_iter().chain(between).collect();
        answer
    }

    /// The connection must be closed, with nothing before its end.
    ///
    /// # Panics
    /// If a packet comes instead, or nothing happens.
    #[track_caller]
    pub fn expect_close(&mut self) {
        match self.packet_until(Instant::now() + PATIENCE) {
            Err(Silence::Closed) => {}
            Err(Silence::TimedOut) => panic!("expected the connection to be closed, nothing happened"),
            Ok(packet) => panic!("expected the connection to be closed, received {packet:?}"),
        }
    }

    /// The connection must be ended by the broker for this reason, which it can say in 5.0 alone
    /// `[MQTT5-4.13.2-1]`.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn expect_disconnect(&mut self, reason: ReasonCode) {
        if self.version.has_properties() {
            match self.packet() {
                Packet::Disconnect(disconnect) => assert_eq!(disconnect.reason, reason, "{disconnect:?}"),
                packet => panic!("expected DISCONNECT {reason}, received {packet:?}"),
            }
        }
        self.expect_close();
    }

    /// Nothing must come for so long, and the connection must stay.
    ///
    /// # Panics
    /// If something comes.
    #[track_caller]
    pub fn expect_silence(&mut self, duration: Duration) {
        match self.packet_until(Instant::now() + duration) {
            Err(Silence::TimedOut) => {}
            Err(Silence::Closed) => panic!("expected silence, the broker closed the connection"),
            Ok(packet) => panic!("expected silence, received {packet:?}"),
        }
    }

    #[track_caller]
    fn packet_until(&mut self, deadline: Instant) -> Result<Packet, Silence> {
        if let Some(packet) = self.set_aside.pop_front() {
            return Ok(packet);
        }
        loop {
            if let Some(packet) = self.buffered() {
                return Ok(packet);
            }
            self.read(deadline)?;
        }
    }

    /// A packet that is already here.
    #[track_caller]
    fn buffered(&mut self) -> Option<Packet> {
        let header = FrameHeader::peek(&self.received, self.version, MAXIMUM_PACKET_BYTES);
        let header = header.unwrap_or_else(|error| panic!("the broker sent what is no packet: {error}"))?;
        if self.received.len() < header.packet_bytes {
            self.received.reserve(header.packet_bytes);
            return None;
        }
        let frame = self.received.split_to(header.packet_bytes).freeze();
        match Packet::decode_first(&frame, self.version, MAXIMUM_PACKET_BYTES) {
            Ok(packet) => packet.map(|(packet, _)| packet),
            Err(error) => panic!("the broker sent what is no packet: {error}: {frame:02x?}"),
        }
    }

    fn read(&mut self, deadline: Instant) -> Result<(), Silence> {
        let mut buffer = [0; 64 * 1024];
        let left = deadline.saturating_duration_since(Instant::now());
        // Zero would mean no time limit at all.
        let left = left.max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(left)).expect("an open socket");
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Silence::Closed),
            Ok(read) => {
                self.received.extend_from_slice(&buffer[..read]);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if Instant::now() < deadline {
                    Ok(())
                } else {
                    Err(Silence::TimedOut)
                }
            }
            // A reset is a close as well, though one that may have lost what was not yet read.
            Err(_) => Err(Silence::Closed),
        }
    }
}
