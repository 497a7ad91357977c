//! Owns the load: its clients, what they are told, and how long is waited for what. One turn of the thread that
//! serves their sockets is in `turn`.

mod turn;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use mio::{Events, Poll};
use mqtt_codec::{QoS, TopicFilter, TopicName};

use crate::client::{Client, Publisher, Publishing, Receiving, Role, Subscriber, Subscribing};
use crate::connection::Connection;
use crate::error::{Error, Invalid};
use crate::frame::DISCONNECT;
use crate::ledger::{Ledger, Loss};
use crate::pace::Pace;
use crate::routes::Routes;
use crate::tally::{Recording, Tally};
use crate::target::{Lifetime, Target};

/// Clients of one broker, served by the thread that calls. Between calls nothing is read or sent.
///
/// Dropped, it closes its connections without DISCONNECT.
#[derive(Debug)]
pub struct Load {
    target: Target,
    /// Times are nanoseconds since then.
    begin: Instant,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    clients: Vec<(Option<Connection>, Client)>,
    /// Clients without a connection.
    waiting: VecDeque<u32>,
    handshakes: usize,
    routes: Routes,
    pub(crate) ledger: Ledger,
    pace: Pace,
    /// Clients whose connections have something to send.
    to_be_flushed: Vec<u32>,
    phase: Phase,
    ping_at: u64,
}

/// Whether publishers publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Prepared,
    Started,
}

/// How long nothing may happen while clients get ready, and a goodbye may take.
const PATIENCE: Duration = Duration::from_secs(60);
const GOODBYE_PATIENCE: Duration = Duration::from_secs(2);
const BUFFER_BYTES: usize = 256 * 1024;
const EVENTS_MAX: usize = 1_024;

impl Load {
    /// A load without clients.
    ///
    /// # Errors
    /// [`Error::System`]: the system gives no poll.
    pub fn new(target: Target) -> Result<Self, Error> {
        let mut ledger = Ledger::new();
        ledger.keep_alive = Some(target.keep_alive_seconds).filter(|&seconds| seconds > 0);
        Ok(Self {
            target,
            begin: Instant::now(),
            poll: Poll::new().map_err(Error::system("make a poll"))?,
            events: Events::with_capacity(EVENTS_MAX),
            buffer: vec![0; BUFFER_BYTES],
            clients: Vec::new(),
            waiting: VecDeque::new(),
            handshakes: 0,
            routes: Routes::default(),
            ledger,
            pace: Pace::new(),
            to_be_flushed: Vec::new(),
            phase: Phase::Prepared,
            ping_at: u64::MAX,
        })
    }

    /// Adds a client that subscribes and is to get, in order and once, what the publishers of this load publish.
    /// It connects with the next call that waits; at most 256 clients do at once.
    ///
    /// # Errors
    /// [`Error::Invalid`]: a filter is none, or there are publishers already.
    pub fn subscriber(
        &mut self,
        lifetime: Lifetime,
        client_id: &str,
        subscriber: Subscriber,
    ) -> Result<(), Error> {
        let name = self.name(client_id);
        if self.ledger.next_topic() > 0 {
            return Err(invalid(name, Invalid::Order));
        }
        let client = self.next_client();
        for filter in &subscriber.filters {
            match TopicFilter::owned(filter.as_str()) {
                Ok(filter) => self.routes.add(&filter, client),
                Err(violation) => return Err(invalid(name, Invalid::Topic(violation))),
            }
        }
        let role = Subscribing::new(subscriber, Receiving::expected());
        self.add(name, lifetime, Role::Subscriber(Box::new(role)))
    }

    /// Adds a client that subscribes and takes whatever comes: what was retained, or queued for its session by
    /// another load. Order and duplicates are checked as far as it goes, for messages that one load published;
    /// what is missing, only the caller can tell. It may be added at any time and costs no memory per filter
    /// once it has subscribed.
    ///
    /// # Errors
    /// [`Error::Invalid`]: too many clients. What is wrong with a filter shows when it is subscribed to.
    pub fn collector(
        &mut self,
        lifetime: Lifetime,
        client_id: &str,
        subscriber: Subscriber,
    ) -> Result<(), Error> {
        let role = Subscribing::new(subscriber, Receiving::anything());
        self.add(self.name(client_id), lifetime, Role::Subscriber(Box::new(role)))
    }

    /// Adds a client that publishes once the load is [started](Load::start).
    ///
    /// # Errors
    /// [`Error::Invalid`] says what cannot be published so.
    pub fn publisher(&mut self, client_id: &str, publisher: Publisher) -> Result<(), Error> {
        let name = self.name(client_id);
        let role = match self.publishing(publisher) {
            Ok(role) => role,
            Err(what) => return Err(invalid(name, what)),
        };
        self.add(name, Lifetime::Connection, Role::Publisher(Box::new(role)))
    }

    fn publishing(&mut self, mut publisher: Publisher) -> Result<Publishing, Invalid> {
        let has_rate = publisher.rate.is_none_or(|rate| rate.is_finite() && rate > 0.0);
        if publisher.topics.is_empty() || publisher.window == 0 || !has_rate {
            return Err(Invalid::Nothing);
        }
        let first_topic = self.ledger.next_topic();
        let turns = u32::try_from(publisher.topics.len()).map_err(|_| Invalid::TooMany)?;
        if first_topic.checked_add(turns).is_none() {
            return Err(Invalid::TooMany);
        }
        let topics = std::mem::take(&mut publisher.topics).into_iter().map(TopicName::owned);
        let topics = topics.collect::<Result<Vec<_>, _>>().map_err(Invalid::Topic)?;
        let client = self.next_client();
        let window = match publisher.qos {
            QoS::AtMostOnce => self.ledger.add_unacknowledged(client, publisher.window),
            QoS::AtLeastOnce | QoS::ExactlyOnce => self.ledger.add_acknowledged(client),
        };
        let publishing = Publishing::new(&publisher, &topics, self.target.version, first_topic, window)?;
        for (turn, topic) in (0..).zip(&topics) {
            let copies = self.expect(topic);
            self.ledger.add_topic(window, turn, turns, copies);
        }
        Ok(publishing)
    }

    /// Tells the subscribers that match, and how many receivers they are.
    fn expect(&mut self, topic: &TopicName) -> u32 {
        let number = self.ledger.next_topic();
        let mut copies = 0;
        for routes in self.routes.matching(topic).chunk_by(|one, next| one.group == next.group) {
            let share = routes[0].group.map(|_| self.ledger.add_shared());
            for route in routes {
                if let Role::Subscriber(subscriber) = &mut self.clients[route.client as usize].1.role {
                    subscriber.expect(number, share);
                    copies += u32::from(share.is_none());
                }
            }
            copies += u32::from(share.is_some());
        }
        copies
    }

    /// Adds a client that does nothing once it is connected.
    ///
    /// # Errors
    /// [`Error::Invalid`]: too many clients.
    pub fn idle(&mut self, client_id: &str, lifetime: Lifetime) -> Result<(), Error> {
        self.add(self.name(client_id), lifetime, Role::Idle)
    }

    fn add(&mut self, name: String, lifetime: Lifetime, role: Role) -> Result<(), Error> {
        let client = self.next_client();
        if client == u32::MAX {
            return Err(invalid(name, Invalid::TooMany));
        }
        self.clients.push((None, Client::new(name, lifetime, role)));
        self.waiting.push_back(client);
        Ok(())
    }

    fn name(&self, client_id: &str) -> String {
        format!("{}{client_id}", self.target.client_id_prefix)
    }

    fn next_client(&self) -> u32 {
        u32::try_from(self.clients.len()).unwrap_or(u32::MAX)
    }

    /// Goes on until every client is connected and its subscriptions are acknowledged.
    ///
    /// # Errors
    /// What the broker refused, or [`Error::Late`] if nothing happened for a minute.
    pub fn wait_ready(&mut self) -> Result<(), Error> {
        let all = self.clients.len() as u64;
        let (mut end, mut done) = (Instant::now() + PATIENCE, 0);
        while self.ledger.tally.ready < all {
            self.turn(end)?;
            let tally = &self.ledger.tally;
            if tally.connected + tally.ready > done {
                (end, done) = (Instant::now() + PATIENCE, tally.connected + tally.ready);
            } else if Instant::now() >= end {
                return Err(self.late(&format!("{all} clients are not ready: nothing came"), PATIENCE));
            }
        }
        Ok(())
    }

    /// Has the publishers begin; one that is added later begins as soon as it is ready. Those with a rate begin
    /// spread over their interval, so that not all publish at the same instant.
    pub fn start(&mut self) {
        if self.phase == Phase::Started {
            return;
        }
        self.phase = Phase::Started;
        let now = self.now();
        let has_rate = |client: &Client| match &client.role {
            Role::Publisher(publisher) => publisher.has_rate(),
            Role::Idle | Role::Subscriber(_) => false,
        };
        let paced = self.clients.iter().filter(|(_, client)| has_rate(client)).count();
        let mut parts = (0_u32..).map(|part| f64::from(part) / paced as f64);
        for (client, number) in self.clients.iter_mut().map(|(_, client)| client).zip(0..) {
            let part = if has_rate(client) { parts.next().unwrap_or(0.0) } else { 0.0 };
            if let Role::Publisher(publisher) = &mut client.role {
                publisher.start(now, part);
                self.ledger.awake.push(number);
            }
        }
    }

    /// Has the publishers publish nothing more. What is under way goes on with the next call.
    pub fn stop(&mut self) {
        for (_, client) in &mut self.clients {
            if let Role::Publisher(publisher) = &mut client.role {
                publisher.stop();
            }
        }
    }

    /// Goes on for so long.
    ///
    /// # Errors
    /// What the broker ended or sent that must not come; so do all calls that wait.
    pub fn run(&mut self, duration: Duration) -> Result<(), Error> {
        let end = Instant::now() + duration;
        while Instant::now() < end {
            self.turn(end)?;
        }
        Ok(())
    }

    /// Goes on until that holds; `what` names it in a clause such as "every message is acknowledged".
    ///
    /// # Errors
    /// [`Error::Late`] when the patience is at its end, and those of [`run`](Load::run).
    pub fn run_until(
        &mut self,
        patience: Duration,
        what: &str,
        mut holds: impl FnMut(&Tally) -> bool,
    ) -> Result<(), Error> {
        let end = Instant::now() + patience;
        while !holds(&self.ledger.tally) {
            if Instant::now() >= end {
                return Err(self.late(what, patience));
            }
            self.turn(end)?;
        }
        Ok(())
    }

    fn late(&self, what: &str, patience: Duration) -> Error {
        Error::Late { what: what.to_owned(), patience, counted: self.ledger.tally.to_string() }
    }

    /// Goes on until all is published, acknowledged and delivered, or the patience is at its end; tells what is
    /// missing then. Publishers without a number of messages are [stopped](Load::stop) before.
    ///
    /// # Errors
    /// As [`run`](Load::run); what is missing is a result and no error.
    pub fn drain(&mut self, patience: Duration) -> Result<Loss, Error> {
        let end = Instant::now() + patience;
        while !(self.ledger.loss().is_none() && self.is_finished()) && Instant::now() < end {
            self.turn(end)?;
        }
        Ok(self.ledger.loss())
    }

    /// Whether every publisher has published all it is to.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.clients.iter().all(|(_, client)| match &client.role {
            Role::Publisher(publisher) => publisher.is_finished(),
            Role::Idle | Role::Subscriber(_) => true,
        })
    }

    /// What has been counted.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.ledger.tally
    }

    /// Begins or ends to note the times of messages.
    pub fn record(&mut self, recording: Recording) {
        self.ledger.tally.record(recording);
    }

    /// Takes leave of the broker with DISCONNECT, and waits two seconds at the most until it has closed every
    /// connection.
    ///
    /// # Errors
    /// [`Error::System`]: the system gives no events.
    pub fn disconnect(mut self) -> Result<(), Error> {
        // Nobody is to be woken any more.
        self.phase = Phase::Prepared;
        (self.pace, self.ledger.awake) = (Pace::new(), Vec::new());
        self.waiting.clear();
        for (connection, client) in &mut self.clients {
            client.role = Role::Idle;
            let Some(open) = connection else { continue };
            open.unsent.extend_from_slice(&DISCONNECT);
            if open.finish().is_err() {
                *connection = None;
            }
        }
        let end = Instant::now() + GOODBYE_PATIENCE;
        while self.clients.iter().any(|(connection, _)| connection.is_some()) && Instant::now() < end {
            self.hear_out(end)?;
        }
        Ok(())
    }

    /// Resets every connection, as a machine does whose power is cut and comes back: persistent sessions stay.
    /// No port is kept back, so that as many clients can come again at once.
    pub fn cut(self) {
        for (connection, _) in &self.clients {
            if let Some(connection) = connection {
                connection.reset_on_drop();
            }
        }
    }

    fn now(&self) -> u64 {
        nanoseconds(self.begin.elapsed())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn invalid(client: String, what: Invalid) -> Error {
    Error::Invalid { client, what }
}
