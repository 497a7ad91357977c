//! Owns one turn of the thread: who is connected, heard, woken and flushed, in this order. Each connection is
//! written to once in a turn, however many packets it gets. What the packets say is the clients' business.

use std::io;
use std::time::{Duration, Instant};

use mio::Token;

use super::{Load, Phase, nanoseconds};
use crate::client::{Halt, Role, Stage};
use crate::connection::{Connection, Ending};
use crate::error::{Error, Invalid};
use crate::frame::{self, PINGREQ};
use crate::heard;
use crate::pace;

/// Clients that connect at once: more would be turned away by the backlog of most brokers.
const HANDSHAKES_MAX: usize = 256;
/// The longest that the thread sleeps: a ping is late by no more.
const NAP: Duration = Duration::from_millis(500);

/// What a reading ends with.
enum Failure {
    Socket(io::Error),
    Load(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl Load {
    /// Sleeps until a socket is ready, a publisher is due or it is time, and does what there is to do.
    pub(super) fn turn(&mut self, end: Instant) -> Result<(), Error> {
        self.open_waiting()?;
        self.sleep(end)?;
        self.serve_sockets()?;
        self.serve_publishers()?;
        self.ping()?;
        self.flush()
    }

    fn open_waiting(&mut self) -> Result<(), Error> {
        while self.handshakes < HANDSHAKES_MAX {
            let Some(number) = self.waiting.pop_front() else { return Ok(()) };
            let now = self.now();
            let sources = &self.target.sources;
            let source = sources.get(number as usize % sources.len().max(1)).copied();
            let (place, client) = &mut self.clients[number as usize];
            let connect = frame::connect(&self.target, &client.name, client.lifetime)
                .map_err(|error| super::invalid(client.name.to_string(), Invalid::Packet(error)))?;
            let token = Token(number as usize);
            let connection = Connection::open(self.target.address, source, self.poll.registry(), token)
                .map_err(|source| Error::Unreachable { client: client.name.to_string(), source })?;
            client.stage = Stage::Connecting;
            client.opened_at = now;
            place.insert(connection).unsent = connect;
            self.handshakes += 1;
            self.flush_later(number);
        }
        Ok(())
    }

    fn sleep(&mut self, end: Instant) -> Result<(), Error> {
        let mut limit = Duration::ZERO;
        if self.ledger.awake.is_empty() {
            let now = Instant::now();
            limit = end.saturating_duration_since(now).min(NAP);
            let now = nanoseconds(now - self.begin);
            limit = self.pace.sleep(now, limit, self.poll.registry())?;
        }
        match self.poll.poll(&mut self.events, Some(limit)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                Err(Error::system("wait for sockets")(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn serve_sockets(&mut self) -> Result<(), Error> {
        let events = std::mem::replace(&mut self.events, mio::Events::with_capacity(0));
        let served = events.iter().try_for_each(|event| {
            if event.token() == pace::TOKEN {
                return Ok(());
            }
            if event.is_readable() {
                let ending =
                    if event.is_read_closed() || event.is_error() { Ending::Seen } else { Ending::NotSeen };
                self.read(event.token().0, ending)?;
            } else if event.is_writable() {
                self.flush_later(client_number(event.token()));
            }
            Ok(())
        });
        self.events = events;
        served
    }

    /// Takes all that has come for a client.
    fn read(&mut self, number: usize, ending: Ending) -> Result<(), Error> {
        let now = self.now();
        let (Some(connection), client) = &mut self.clients[number] else { return Ok(()) };
        let (version, ledger, stage_before) = (self.target.version, &mut self.ledger, client.stage);
        let read = connection.read(&mut self.buffer, ending, |bytes, out| {
            let mut taken = 0;
            loop {
                match heard::first(&bytes[taken..], version) {
                    Ok(Some((heard, length))) => {
                        client.hear(heard, version, now, ledger, out).map_err(Failure::Load)?;
                        taken += length;
                    }
                    Ok(None) => return Ok(taken),
                    Err(heard::Malformed) => return Err(Failure::Load(client.unexpected(None))),
                }
            }
        });
        if let Err(failure) = read {
            return Err(self.explain(number, failure));
        }
        if stage_before != client.stage {
            self.stage_changed(number, stage_before);
        }
        self.flush_later(client_number(Token(number)));
        Ok(())
    }

    fn stage_changed(&mut self, number: usize, before: Stage) {
        let now = self.now();
        let (connection, client) = &mut self.clients[number];
        if before == Stage::Connecting {
            self.handshakes -= 1;
        }
        if client.stage != Stage::Ready {
            return;
        }
        match &mut client.role {
            Role::Idle => connection.iter_mut().for_each(Connection::release_buffers),
            Role::Publisher(publisher) if self.phase == Phase::Started => {
                publisher.start(now, 0.0);
                self.ledger.awake.push(client_number(Token(number)));
            }
            Role::Publisher(_) | Role::Subscriber(_) => {}
        }
    }

    /// A broker that ends a connection has said why, or before there was one nobody listens.
    fn explain(&self, number: usize, failure: Failure) -> Error {
        let client = &self.clients[number].1;
        let name = client.name.to_string();
        match failure {
            Failure::Load(error) => error,
            Failure::Socket(source) if source.kind() == io::ErrorKind::ConnectionRefused => {
                Error::Unreachable { client: name, source }
            }
            Failure::Socket(_) => Error::Ended { client: name, reason: None },
        }
    }

    /// Lets those publish that are due or have room.
    fn serve_publishers(&mut self) -> Result<(), Error> {
        if self.phase == Phase::Prepared {
            return Ok(());
        }
        let now = self.now();
        while let Some(number) = self.pace.due(now) {
            self.ledger.awake.push(number);
        }
        let mut awake = std::mem::take(&mut self.ledger.awake);
        for number in awake.drain(..) {
            self.publish(number, now);
        }
        // What was woken meanwhile comes with the next turn.
        awake.append(&mut self.ledger.awake);
        self.ledger.awake = awake;
        Ok(())
    }

    fn publish(&mut self, number: u32, now: u64) {
        let (Some(connection), client) = &mut self.clients[number as usize] else { return };
        let (Role::Publisher(publisher), Stage::Ready) = (&mut client.role, client.stage) else { return };
        match publisher.publish(now, &mut self.ledger, &mut connection.unsent) {
            Halt::Finished => {}
            Halt::Window => self.ledger.hold(publisher.window),
            Halt::Socket => connection.awaited = true,
            Halt::Until(due_at) => self.pace.wait(due_at, number),
        }
        self.flush_later(number);
    }

    /// Only where a broker insists on hearing from its clients.
    fn ping(&mut self) -> Result<(), Error> {
        let Some(seconds) = self.ledger.keep_alive else { return Ok(()) };
        let interval = nanoseconds(Duration::from_secs(seconds.into())) / 2;
        let now = self.now();
        if self.ping_at == u64::MAX {
            self.ping_at = now + interval;
        }
        if now < self.ping_at {
            return Ok(());
        }
        self.ping_at = now + interval;
        for number in 0..self.next_client() {
            if let (Some(connection), client) = &mut self.clients[number as usize]
                && client.stage != Stage::Connecting
            {
                connection.unsent.extend_from_slice(&PINGREQ);
                self.flush_later(number);
            }
        }
        Ok(())
    }

    fn flush_later(&mut self, number: u32) {
        if let Some(connection) = &mut self.clients[number as usize].0
            && !connection.to_be_flushed
            && !connection.is_flushed()
        {
            connection.to_be_flushed = true;
            self.to_be_flushed.push(number);
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let mut numbers = std::mem::take(&mut self.to_be_flushed);
        for number in numbers.drain(..) {
            let Some(connection) = &mut self.clients[number as usize].0 else { continue };
            connection.to_be_flushed = false;
            if let Err(error) = connection.flush() {
                self.gone(number as usize, error)?;
            } else if connection.awaited && connection.is_flushed() {
                connection.awaited = false;
                self.ledger.awake.push(number);
            }
        }
        self.to_be_flushed = numbers;
        Ok(())
    }

    /// A connection that takes nothing more may still have the reason to be read.
    fn gone(&mut self, number: usize, error: io::Error) -> Result<(), Error> {
        self.read(number, Ending::Seen)?;
        Err(self.explain(number, Failure::Socket(error)))
    }

    /// Reads until the broker has closed, and drops what it has closed. Nobody minds what it says.
    pub(super) fn hear_out(&mut self, end: Instant) -> Result<(), Error> {
        self.sleep(end)?;
        for event in &self.events {
            let Some((place, _)) = self.clients.get_mut(event.token().0) else { continue };
            let Some(connection) = place else { continue };
            let ending = if event.is_read_closed() { Ending::Seen } else { Ending::NotSeen };
            let read = connection.read(&mut self.buffer, ending, |bytes, _| Ok::<_, io::Error>(bytes.len()));
            if read.and_then(|()| connection.finish()).is_err() {
                *place = None;
            }
        }
        Ok(())
    }
}

/// Clients are counted when they are added.
fn client_number(token: Token) -> u32 {
    u32::try_from(token.0).unwrap_or(u32::MAX)
}
