//! Owns the time from accepting a connection to its CONNECT, and which worker it goes to then. Whether
//! the client may connect is the engine's business.

mod first_packet;
mod stranger;

use std::net::SocketAddr;
use std::sync::Arc;

use broker_core::{Node, ShardId, Timestamp};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use slab::Slab;

use self::first_packet::Refusal;
use self::stranger::{Progress, Stage, Stranger};
use crate::log::Log;
use crate::worker::{Mail, Mailbox};

/// Connections that have not sent their CONNECT yet. Beyond it no more are accepted: the system keeps
/// them until one of these has connected or had its time. Worst case the packet limit each, of bytes
/// really sent.
const HANDSHAKES_MAX: usize = 16 * 1024;

/// Bytes read at once. A packet behind the CONNECT that is read with it goes along to the worker.
const READ_BYTES: usize = 16 * 1024;

/// Milliseconds for a refused client to take the answer and close; see `connection::Phase` for why.
const FAREWELL_MS_MAX: u64 = 2_000;

/// Milliseconds between two looks for strangers that have had their time.
const SWEEP_INTERVAL_MS: u64 = 100;

/// A connection on its way to the worker that owns its client's session.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// It does not block.
    pub(crate) socket: std::net::TcpStream,
    pub(crate) address: SocketAddr,
    /// A whole CONNECT and whatever was read behind it.
    pub(crate) received: Vec<u8>,
}

/// Receives the first packet of every connection, on the listener's thread: what a stranger can stall
/// stays off the workers' threads.
pub(crate) struct Reception {
    registry: Registry,
    /// What events call the first stranger.
    first_token: usize,
    strangers: Slab<Stranger>,
    next_sweep: Timestamp,
    /// What all connections are read into, so that one that says nothing owns no buffer.
    buffer: Box<[u8]>,
    workers: Workers,
    log: Log,
}

/// Where connections go.
struct Workers {
    node: Arc<Node>,
    mailboxes: Arc<[Mailbox]>,
    /// That of the next client that leaves its identifier to the broker.
    next: u16,
}

impl Reception {
    /// Events about strangers are those of `first_token` and above.
    pub(crate) fn new(
        registry: Registry,
        first_token: usize,
        (node, mailboxes): (Arc<Node>, Arc<[Mailbox]>),
        log: Log,
    ) -> Self {
        Self {
            registry,
            first_token,
            strangers: Slab::new(),
            next_sweep: Timestamp::ZERO,
            buffer: vec![0; READ_BYTES].into(),
            workers: Workers { node, mailboxes, next: 0 },
            log,
        }
    }

    /// Whether one more may be received.
    pub(crate) fn has_room(&self) -> bool {
        self.strangers.len() < HANDSHAKES_MAX
    }

    /// Receives a connection: within the connect timeout its CONNECT comes, and it is handed over.
    pub(crate) fn receive(&mut self, socket: TcpStream, address: SocketAddr, now: Timestamp) {
        let node = &self.workers.node;
        // This thread alone counts opened sockets, so that each counter has one writer all the same.
        node.stats.shard(ShardId(0)).sockets_opened.add(1);
        let until = now.plus_millis(node.config.limits.connect_timeout_ms.into());
        let (stage, received) = (Stage::Greeting, Vec::new());
        let key = self.strangers.insert(Stranger { socket, address, received, stage, until });
        // It is not read before: the CONNECT of one in ten is there already, and an event for it comes at once.
        let (socket, token) = (&mut self.strangers[key].socket, token(self.first_token, key));
        if let Err(error) = self.registry.register(socket, token, Interest::READABLE) {
            self.part(key, &error);
        }
    }

    /// Something has happened to a stranger.
    pub(crate) fn attend(&mut self, token: Token, now: Timestamp) {
        self.serve(token.0 - self.first_token, now);
    }

    /// How many milliseconds strangers may be left to themselves; none if there are none.
    pub(crate) fn patience_ms(&self, now: Timestamp) -> Option<u64> {
        (!self.strangers.is_empty()).then(|| self.next_sweep.millis_since(now))
    }

    /// Ends the handshakes that have had their time.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now.plus_millis(SWEEP_INTERVAL_MS);
        let is_overdue = |(key, stranger): (usize, &Stranger)| (stranger.until <= now).then_some(key);
        let overdue: Vec<usize> = self.strangers.iter().filter_map(is_overdue).collect();
        for key in overdue {
            self.part(key, &"no CONNECT within limits.connect_timeout_ms");
        }
    }

    fn serve(&mut self, key: usize, now: Timestamp) {
        let Some(stranger) = self.strangers.get_mut(key) else { return };
        let progress = match stranger.stage {
            Stage::Greeting => stranger.first_packet(&mut self.buffer, &mut self.workers),
            Stage::Farewell => stranger.drain(&mut self.buffer),
        };
        match progress {
            Progress::Pending => {}
            Progress::Interrupted => self.attend_again(key),
            Progress::Connected(shard) => self.hand_over(key, shard),
            Progress::Refused(refusal) => self.refuse(key, refusal, now),
            Progress::Gone(error) => self.part(key, &error),
        }
    }

    /// Has the next event come at once if there is something to be read already.
    fn attend_again(&mut self, key: usize) {
        let Some(stranger) = self.strangers.get_mut(key) else { return };
        let token = token(self.first_token, key);
        if let Err(error) = self.registry.reregister(&mut stranger.socket, token, Interest::READABLE) {
            self.part(key, &error);
        }
    }

    fn hand_over(&mut self, key: usize, shard: ShardId) {
        let Stranger { mut socket, address, received, .. } = self.strangers.remove(key);
        if let Err(error) = self.registry.deregister(&mut socket) {
            return self.say_refused(address, &error);
        }
        let arrival = Arrival { socket: socket.into(), address, received };
        self.workers.mailboxes[usize::from(shard.0)].put(Mail::Arrival(Box::new(arrival)));
    }

    /// Answers, stops writing and lets the client finish. Whatever fails, the connection is closed.
    fn refuse(&mut self, key: usize, refusal: Refusal, now: Timestamp) {
        let Some(stranger) = self.strangers.get_mut(key) else { return };
        self.log.debug("refused", &[("address", &stranger.address), ("reason", &refusal)]);
        stranger.stage = Stage::Farewell;
        stranger.received = Vec::new();
        stranger.until = now.plus_millis(FAREWELL_MS_MAX);
        let says_farewell = refusal.answer().is_some_and(|answer| stranger.say_farewell(&answer).is_ok());
        if says_farewell {
            // What it has sent meanwhile is not looked at [MQTT311-3.1.4-5].
            self.serve(key, now);
        } else {
            self.strangers.remove(key);
        }
    }

    /// A stranger goes as one.
    fn part(&mut self, key: usize, reason: &dyn std::fmt::Display) {
        let stranger = self.strangers.remove(key);
        match stranger.stage {
            Stage::Greeting => self.say_refused(stranger.address, reason),
            Stage::Farewell => {}
        }
    }

    fn say_refused(&self, address: SocketAddr, reason: &dyn std::fmt::Display) {
        self.log.debug("refused", &[("address", &address), ("reason", reason)]);
    }
}

/// What events call a stranger.
fn token(first: usize, key: usize) -> Token {
    Token(first + key)
}

impl Workers {
    /// The worker whose shard owns the client's session; any worker for a client without identifier.
    fn shard_of(&mut self, client_id: &str) -> ShardId {
        if !client_id.is_empty() {
            return self.node.shard_of(client_id);
        }
        let shards = u16::try_from(self.mailboxes.len()).expect("the node has as many shards");
        let next = self.next;
        self.next = (next + 1) % shards;
        ShardId(next)
    }
}
