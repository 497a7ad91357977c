//! Owns a socket and the thread that reads it, which notes the time of each packet as it is read. What packets
//! mean is the client's business.

use crate::{
    clock::{At, Clock},
    history::{PeerIndex, PublicationIndex},
};
use bytes::Bytes;
use mqtt_codec::{MAXIMUM_PACKET_BYTES, Packet, ProtocolVersion, QoS};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::mpsc::SyncSender,
    thread,
    time::Duration,
};

/// Packets that wait to be handled; more hold the sockets back.
pub(crate) const HEARD_WAITING_MAX: usize = 100_000;

/// How long a write may wait for a broker that does not read.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// What a socket or a client of other people tells.
#[derive(Debug)]
pub(crate) enum Heard {
    Packet { peer: PeerIndex, connection: u32, at: At, packet: Box<Packet> },
    Closed { peer: PeerIndex, at: At, why: Option<String> },
    Independent { peer: PeerIndex, at: At, told: Told },
}

/// What a client of other people tells.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Connected { session_present: bool },
    Closed,
    Subscribed,
    Sent { publication: PublicationIndex },
    Acknowledged { publication: PublicationIndex },
    Message { payload: Bytes, topic: String, qos: QoS, dup: bool, retain: bool },
}

/// The writing side of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    version: ProtocolVersion,
}

/// Where what is read goes.
#[derive(Clone, Debug)]
pub(crate) struct Ear {
    pub(crate) peer: PeerIndex,
    pub(crate) connection: u32,
    pub(crate) version: ProtocolVersion,
    pub(crate) clock: Clock,
    pub(crate) heard: SyncSender<Heard>,
}

impl Connection {
    /// Connects; all that comes goes to `ear` until the connection is closed.
    pub(crate) fn open(address: SocketAddr, ear: Ear) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_PATIENCE))?;
        let (reading, version) = (stream.try_clone()?, ear.version);
        thread::spawn(move || listen(reading, &ear));
        Ok(Self { stream, version })
    }

    pub(crate) fn send(&mut self, packet: &Packet) -> io::Result<()> {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).map_err(|error| io::Error::other(format!("{error:?}")))?;
        self.stream.write_all(&bytes)
    }

    /// Ends it both ways; the reader tells when it has seen that.
    pub(crate) fn close(&self) {
        // Fails only if the peer has closed it before, which is as good.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn listen(mut stream: TcpStream, ear: &Ear) {
    let &Ear { peer, clock, .. } = ear;
    let why = read_packets(&mut stream, ear).err().map(|error| error.to_string());
    // Nobody listens any more when the round is over.
    let _ = ear.heard.send(Heard::Closed { peer, at: clock.now(), why });
}

/// Reads until the end; an error is one of the protocol, as a reset is an end like any other here.
fn read_packets(stream: &mut TcpStream, ear: &Ear) -> io::Result<()> {
    let &Ear { peer, connection, version, clock, .. } = ear;
    let mut unread = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let bytes = match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return Ok(()),
            Ok(count) => &chunk[..count],
        };
        let at = clock.now();
        unread.extend_from_slice(bytes);
        let input = Bytes::from(std::mem::take(&mut unread));
        let mut rest = input.clone();
        while let Some((packet, length)) = Packet::decode_first(&rest, version, MAXIMUM_PACKET_BYTES)
            .map_err(|error| io::Error::other(format!("{error}")))?
        {
            let _ = rest.split_to(length);
            if ear.heard.send(Heard::Packet { peer, connection, at, packet: Box::new(packet) }).is_err() {
                return Ok(());
            }
        }
        unread.extend_from_slice(&rest);
    }
}
