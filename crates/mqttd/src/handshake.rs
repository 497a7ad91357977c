//! Owns the time from accepting a connection to its CONNECT, and which worker it goes to then. Whether
//! the client may connect is the engine's business.

mod first_packet;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use broker_core::{Node, ShardId};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use self::first_packet::{FirstPacket, Refusal};
use crate::log::Log;
use crate::worker::{Mail, Mailbox};

/// Bytes read at once. A packet behind the CONNECT that is read with it goes along to the worker.
const READ_BYTES: usize = 16 * 1024;

/// Time for a refused client to take the answer and close; see `connection::Phase` for why.
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection on its way to the worker that owns its client's session.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) socket: std::net::TcpStream,
    pub(crate) address: SocketAddr,
    /// A whole CONNECT and whatever was read behind it.
    pub(crate) received: Vec<u8>,
}

/// Receives the first packet of every connection, on the listener's thread: what a stranger can stall
/// stays off the workers' threads.
pub(crate) struct Reception {
    node: Arc<Node>,
    mailboxes: Arc<[Mailbox]>,
    log: Log,
    /// What all connections are read into, so that one that says nothing owns no buffer.
    buffer: RefCell<Box<[u8]>>,
    /// The worker of the next client that leaves its identifier to the broker.
    next: Cell<u16>,
}

impl Reception {
    pub(crate) fn new(node: Arc<Node>, mailboxes: Arc<[Mailbox]>, log: Log) -> Self {
        let buffer = RefCell::new(vec![0; READ_BYTES].into());
        Self { node, mailboxes, log, buffer, next: Cell::new(0) }
    }

    /// Receives a connection's CONNECT within the connect timeout and hands the connection over.
    pub(crate) async fn receive(self: Rc<Self>, socket: TcpStream, address: SocketAddr) {
        // This thread alone counts opened sockets, so that each counter has one writer all the same.
        self.node.stats.shard(ShardId(0)).sockets_opened.add(1);
        let limit = Duration::from_millis(self.node.config.limits.connect_timeout_ms.into());
        let refused = match timeout(limit, self.first_packet(&socket)).await {
            Err(_) => "no CONNECT within limits.connect_timeout_ms".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(Err(refusal))) => {
                let reason = refusal.to_string();
                say_farewell(socket, refusal.answer()).await;
                reason
            }
            Ok(Ok(Ok((shard, received)))) => match self.hand_over(shard, socket, address, received) {
                Ok(()) => return,
                Err(error) => error.to_string(),
            },
        };
        self.log.debug("refused", &[("address", &address), ("reason", &refused)]);
    }

    /// Reads until the first packet is whole, or wrong.
    async fn first_packet(&self, socket: &TcpStream) -> io::Result<Result<(ShardId, Vec<u8>), Refusal>> {
        let packet_bytes_max = self.node.config.limits.packet_bytes_max;
        let mut received = Vec::new();
        loop {
            socket.readable().await?;
            match self.read_some(socket, &mut received) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
                Ok(()) => {}
            }
            match FirstPacket::judge(&received, packet_bytes_max) {
                FirstPacket::Incomplete => {}
                FirstPacket::Refused(refusal) => return Ok(Err(refusal)),
                FirstPacket::Connect { client_id } => {
                    let shard = self.shard_of(client_id);
                    return Ok(Ok((shard, received)));
                }
            }
        }
    }

    fn read_some(&self, socket: &TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
        let mut buffer = self.buffer.borrow_mut();
        let count = socket.try_read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        received.extend_from_slice(&buffer[..count]);
        Ok(())
    }

    /// The worker whose shard owns the client's session; any worker for a client without identifier.
    fn shard_of(&self, client_id: &str) -> ShardId {
        if !client_id.is_empty() {
            return self.node.shard_of(client_id);
        }
        let shards = u16::try_from(self.mailboxes.len()).expect("the node has as many shards");
        let next = self.next.get();
        self.next.set((next + 1) % shards);
        ShardId(next)
    }

    fn hand_over(
        &self,
        shard: ShardId,
        socket: TcpStream,
        address: SocketAddr,
        received: Vec<u8>,
    ) -> io::Result<()> {
        let arrival = Arrival { socket: socket.into_std()?, address, received };
        self.mailboxes[usize::from(shard.0)].put(Mail::Arrival(Box::new(arrival)));
        Ok(())
    }
}

/// Answers, stops writing and lets the client finish. Whatever fails, the connection is closed.
async fn say_farewell(mut socket: TcpStream, answer: Option<Vec<u8>>) {
    let Some(answer) = answer else { return };
    let farewell = async {
        socket.write_all(&answer).await?;
        socket.shutdown().await?;
        // What else it sends is not looked at [MQTT311-3.1.4-5].
        let mut thrown_away = [0; 1024];
        loop {
            socket.readable().await?;
            match socket.try_read(&mut thrown_away) {
                Ok(0) => return io::Result::Ok(()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    };
    // The client has had its time, or has gone.
    let _ = timeout(FAREWELL, farewell).await;
}
