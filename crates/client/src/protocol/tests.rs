//! Owns a protocol in a test: packets in, lines out, time stepped by hand. Each file below tests one matter.

mod leaving;
mod publishing;
mod receiving;
mod resuming;
mod subscribing;
mod time;
mod violations;

use super::{
    Arrival, Effect, Effects, Input, Protocol, ReceiptKey, SubscriptionKey, Tickets, UnmatchedStream,
};
use crate::{
    delivery::Settlement,
    message::Message,
    options::Options,
    request::{Disconnect, Subscribe, Unsubscribe},
    testing::{connack, describe},
};
use bytes::Bytes;
use mqtt_codec::{Packet, Property, ProtocolVersion, QoS};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Callers are known by name.
enum Names {}

impl Tickets for Names {
    type Publish = &'static str;
    type Subscribe = &'static str;
    type Unsubscribe = &'static str;
}

struct Session {
    protocol: Protocol<Names>,
    effects: Effects<Names>,
    now: Instant,
    version: ProtocolVersion,
    last_key: SubscriptionKey,
    keys: Vec<SubscriptionKey>,
    /// Receipts of deliveries, in order.
    receipts: Vec<ReceiptKey>,
}

/// Options of a client called "c" without Keep Alive.
fn options() -> Options {
    Options::to("localhost", 1883).client_id("c").keep_alive_seconds(0)
}

fn message(qos: QoS, payload: &'static str) -> Message {
    Message::new("a", payload).unwrap().qos(qos)
}

impl Session {
    fn offline(options: Options) -> Self {
        let version = options.version;
        Self {
            protocol: Protocol::new(Arc::new(options), UnmatchedStream::None),
            effects: Effects::new(),
            now: Instant::now(),
            version,
            last_key: SubscriptionKey::UNMATCHED,
            keys: Vec::new(),
            receipts: Vec::new(),
        }
    }

    /// Connected to a server that says this in CONNACK; what came before is not told again.
    fn connected<const N: usize>(options: Options, properties: [Property<'_>; N]) -> Self {
        let mut session = Self::offline(options);
        session.input(Input::Opened);
        session.packet(connack(false, properties));
        session.lines();
        session
    }

    fn reconnect<const N: usize>(&mut self, session_present: bool, properties: [Property<'_>; N]) {
        self.input(Input::Lost);
        self.effects.discard_output();
        self.input(Input::Opened);
        self.packet(connack(session_present, properties));
    }

    fn input(&mut self, input: Input<Names>) {
        self.protocol.handle(input, self.now, &mut self.effects);
    }

    fn packet(&mut self, packet: Packet) {
        self.input(Input::Packet(packet));
    }

    fn publish(&mut self, name: &'static str, message: Message) {
        self.input(Input::Publish(message, name));
    }

    /// Subscribes; the stream's number is its place in the order of subscribing.
    fn subscribe(&mut self, name: &'static str, subscribe: Subscribe) -> SubscriptionKey {
        self.last_key = self.last_key.next();
        self.keys.push(self.last_key);
        self.input(Input::Subscribe(self.last_key, subscribe, name));
        self.last_key
    }

    fn unsubscribe(&mut self, name: &'static str, filter: &str, target: super::UnsubscribeTarget) {
        self.input(Input::Unsubscribe(Unsubscribe::new(filter).unwrap(), target, name));
    }

    /// The delivery of this number, counted from 0, is done with.
    fn settle(&mut self, number: usize, settlement: Settlement) {
        self.input(Input::Settled(self.receipts[number], settlement));
    }

    fn leave(&mut self, drain_timeout: Duration) {
        self.input(Input::Disconnect(Disconnect {
            drain_timeout: Some(drain_timeout),
            ..Disconnect::default()
        }));
    }

    /// Steps through every deadline of the next `duration`.
    fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(deadline) = self.protocol.next_deadline().filter(|&deadline| deadline <= end) {
            self.now = self.now.max(deadline);
            self.input(Input::Tick);
        }
        self.now = end;
        self.input(Input::Tick);
    }

    /// Everything since last asked: packets first, then outcomes.
    fn lines(&mut self) -> Vec<String> {
        let mut lines = self.packets();
        while let Some(effect) = self.effects.next() {
            let line = self.describe(effect);
            lines.push(line);
        }
        lines
    }

    fn packets(&mut self) -> Vec<String> {
        let output = Bytes::copy_from_slice(self.effects.output());
        self.effects.wrote(output.len());
        let mut rest = output;
        let mut lines = Vec::new();
        while let Some((packet, bytes)) = Packet::decode_first(&rest, self.version, u32::MAX).unwrap() {
            lines.push(describe(&packet));
            rest = rest.slice(bytes..);
        }
        assert!(rest.is_empty(), "only whole packets are put out");
        lines
    }

    fn describe(&mut self, effect: Effect<Names>) -> String {
        match effect {
            Effect::Written(name, _) => format!("{name}: written"),
            Effect::Published(name, Ok(published)) => format!("{name}: {}", published.reason),
            Effect::Published(name, Err(error)) => format!("{name}: {error}"),
            Effect::Subscribed(name, _, Ok(granted)) => format!("{name}: {:?}", granted.reasons),
            Effect::Subscribed(name, _, Err(error)) => format!("{name}: {error}"),
            Effect::Unsubscribed(name, Ok(reasons)) => format!("{name}: {reasons:?}"),
            Effect::Unsubscribed(name, Err(error)) => format!("{name}: {error}"),
            Effect::Deliver(key, arrival) => self.describe_delivery(key, &arrival),
            Effect::StreamEnded(key) => format!("stream {} ended", self.number(key)),
            Effect::Connected(connected) => {
                format!("connected, session present: {}", connected.session_present)
            }
            Effect::Report(crate::event::Event::Resubscribed(filters)) => {
                let filters: Vec<_> =
                    filters.iter().map(|(filter, reason)| format!("{filter} {reason}")).collect();
                format!("resubscribed: {}", filters.join(", "))
            }
            Effect::Report(crate::event::Event::Unmatched(message)) => {
                format!("unmatched: {}", message.topic)
            }
            Effect::Report(event) => format!("{event:?}"),
            Effect::Close(error) => format!("closed: {error}"),
            Effect::Finished { undelivered } => format!("finished, undelivered: {undelivered}"),
        }
    }

    fn describe_delivery(&mut self, key: SubscriptionKey, arrival: &Arrival) -> String {
        self.receipts.extend(arrival.receipt);
        let dup = if arrival.dup { " DUP" } else { "" };
        let payload = String::from_utf8_lossy(&arrival.message.payload);
        format!("stream {} gets{dup} {}: {payload}", self.number(key), arrival.message.topic)
    }

    fn number(&self, key: SubscriptionKey) -> String {
        match self.keys.iter().position(|&known| known == key) {
            Some(position) => (position + 1).to_string(),
            None => "of the unmatched".to_owned(),
        }
    }

    #[track_caller]
    fn check<const N: usize>(&mut self, expected: [&str; N]) {
        assert_eq!(self.lines(), expected);
    }
}
