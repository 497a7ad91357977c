//! Owns the load: one thread that serves all sockets as they become ready. What its clients do is their
//! business.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::client::Client;
use crate::connection::Connection;
use crate::error::Error;
use crate::frames::{self, Lifetime};
use crate::tally::Tally;

/// Clients of one broker. Dropped, their connections are cut.
#[derive(Debug)]
pub(crate) struct Load {
    address: SocketAddr,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    clients: Vec<(Connection, Client)>,
    pub(crate) tally: Tally,
}

/// How long clients may take to get ready and messages to arrive.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest that the thread sleeps, so that a deadline is seen.
const NAP: Duration = Duration::from_millis(10);
const BUFFER_BYTES: usize = 256 * 1024;
const EVENTS_MAX: usize = 1_024;

impl Load {
    pub(crate) fn new(address: SocketAddr) -> Result<Self, Error> {
        let poll = Poll::new().map_err(Error::machine("make a poll"))?;
        let events = Events::with_capacity(EVENTS_MAX);
        let buffer = vec![0; BUFFER_BYTES];
        Ok(Self { address, poll, events, buffer, clients: Vec::new(), tally: Tally::new() })
    }

    /// Connects a client, which is ready some turns later.
    pub(crate) fn open(&mut self, client_id: &str, lifetime: Lifetime, client: Client) -> Result<(), Error> {
        let token = Token(self.clients.len());
        let connection = Connection::open(self.address, self.poll.registry(), token);
        let mut connection = connection.map_err(Error::machine("connect to the broker"))?;
        connection.unsent.extend(frames::connect(client_id, lifetime));
        if let Client::Subscriber(subscriber) = &client {
            connection.unsent.extend(subscriber.subscribe.iter().flatten());
        }
        connection.flush().map_err(Error::machine("send to the broker"))?;
        self.clients.push((connection, client));
        Ok(())
    }

    /// Until every client is ready.
    pub(crate) fn wait_ready(&mut self) -> Result<(), Error> {
        let all = self.clients.len();
        self.until("clients get ready", |tally| tally.ready >= all)
    }

    /// Lets every publisher begin that has not.
    pub(crate) fn publish(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        for (connection, client) in &mut self.clients {
            if let Client::Publisher(publisher) = client {
                publisher.publish(now, &mut self.tally, &mut connection.unsent);
                connection.flush().map_err(Error::machine("send to the broker"))?;
            }
        }
        Ok(())
    }

    pub(crate) fn stop_publishing(&mut self) {
        for (_, client) in &mut self.clients {
            if let Client::Publisher(publisher) = client {
                publisher.stop();
            }
        }
    }

    /// Goes on for so long.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<(), Error> {
        let end = Instant::now() + duration;
        while Instant::now() < end {
            self.turn()?;
        }
        Ok(())
    }

    /// Goes on until that holds.
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Tally) -> bool) -> Result<(), Error> {
        self.until_within(PATIENCE, what, holds)
    }

    pub(crate) fn until_within(
        &mut self,
        patience: Duration,
        what: &str,
        holds: impl Fn(&Tally) -> bool,
    ) -> Result<(), Error> {
        let end = Instant::now() + patience;
        while !holds(&self.tally) {
            if Instant::now() >= end {
                let Tally { ready, published, acknowledged, delivered, .. } = self.tally;
                return Err(Error::Late(format!(
                    "{what}: not within {} s; {ready} of {} clients ready, {published} published, \
                     {acknowledged} acknowledged, {delivered} delivered",
                    patience.as_secs(),
                    self.clients.len(),
                )));
            }
            self.turn()?;
        }
        Ok(())
    }

    /// Until so many messages are delivered. What does not come in time is lost: a result and no error.
    pub(crate) fn wait_delivered(&mut self, expected: u64) -> Result<(), Error> {
        match self.until("deliveries come", |tally| tally.delivered >= expected) {
            Err(Error::Late(_)) | Ok(()) => Ok(()),
            Err(error @ (Error::Machine { .. } | Error::Broker(_))) => Err(error),
        }
    }

    fn turn(&mut self) -> Result<(), Error> {
        match self.poll.poll(&mut self.events, Some(NAP)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                return Err(Error::machine("wait for sockets")(error));
            }
            _ => {}
        }
        for event in &self.events {
            let (connection, client) = &mut self.clients[event.token().0];
            let now = Instant::now();
            if event.is_readable() {
                let tally = &mut self.tally;
                let read = connection.read(&mut self.buffer, |bytes, out| {
                    let mut taken = 0;
                    while let Some((heard, length)) = frames::first(&bytes[taken..]) {
                        client.hear(heard, now, tally, out);
                        taken += length;
                    }
                    taken
                });
                if let Err(error) = read {
                    tally.trouble(format!("the broker ended a connection: {error}"));
                }
                if let Some(trouble) = &tally.trouble {
                    return Err(Error::Broker(trouble.clone()));
                }
                // Before they are told to, publishers have nothing in flight.
                if let Client::Publisher(publisher) = client
                    && tally.published > 0
                {
                    publisher.publish(now, tally, &mut connection.unsent);
                }
            }
            connection.flush().map_err(Error::machine("send to the broker"))?;
        }
        Ok(())
    }
}
