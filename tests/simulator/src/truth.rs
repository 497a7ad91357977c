//! Owns what is true of a run: who is connected, which sessions there are and what they subscribed to, what
//! was published and who is to get it. It is a second broker, slow and simple, that only looks on. Whether
//! the first one did right is the checkers' business.

mod attribute;
mod connection;
mod copies;
mod durable;
mod filter;
mod held;
mod identifiers;
mod publication;
mod receipt;
mod restart;
mod retained;
mod sends;
mod session;
mod sessions;
mod settling;
mod slices;
mod subscribe;
mod told;

pub(crate) use attribute::{Attribution, Sending};
pub(crate) use connection::{Connection, Request};
pub(crate) use copies::{Copy, CopyId, Excuse, Group, GroupKey, SharedCopy, SharedId};
pub(crate) use publication::{Publication, PublicationId, forwarded as forwarded_properties};
pub(crate) use retained::RetainedDelivery;
pub(crate) use sends::{Send, SendId, Slot, Told};
pub(crate) use session::{InFlight, Progress, Session, SessionKey, Subscription, Will};
pub(crate) use told::{told, word};

use crate::{
    observation::{Mail, MessageKey, Observation, Place},
    settings::Settings,
};
use broker_core::{CloseCause, ConnectionId, ShardId, journal::Position};
use durable::Core;
use mqtt_codec::{Packet, PacketType, ReasonCode};
use session::Fate;
use slices::AtTick;
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// What is true at one moment of a run.
#[derive(Debug)]
pub(crate) struct Truth {
    /// What the run was set up with; the broker may have been given something else.
    pub settings: Rc<Settings>,
    /// Milliseconds of simulated time.
    pub now_ms: u64,
    /// Every session there ever was.
    pub sessions: Vec<Session>,
    /// Every connection whose CONNECT was received.
    pub connections: BTreeMap<ConnectionId, Connection>,
    /// Every message that was accepted, in its order. One that a client sent again at QoS 1 is there again.
    pub publications: Vec<Publication>,
    /// Every copy that is due to a session for its own subscriptions.
    pub copies: Vec<Copy>,
    /// Every copy that is due to one member of a group.
    pub shared_copies: Vec<SharedCopy>,
    /// Every PUBLISH to a client, those sent again not counted.
    pub sends: Vec<Send>,
    /// The groups of shared subscriptions.
    pub groups: BTreeMap<GroupKey, Group>,
    /// The last retained message of each topic.
    pub retained: BTreeMap<String, PublicationId>,
    /// Copies that could be sent in this very step.
    pub due_now: Vec<CopyId>,
    /// Where copies of this step's publications are to be forwarded to.
    pub forwards_due_now: BTreeSet<(PublicationId, ShardId)>,
    /// What was acknowledged and was gone after the last restart.
    pub broken_promises: Vec<String>,
    /// How often the broker has restarted.
    pub restarts: u32,
    /// Whether the broker refuses what it would have to put on disk.
    pub is_failing: bool,
    /// Whether the broker is closing every connection.
    pub is_shutting_down: bool,
    /// What must have come and did not, once the run is over.
    pub lost: Vec<Slot>,
    /// Counts the steps of all shards.
    pub step: u64,
    /// How the session was that this step is about, before anything was sent.
    provisional: Option<(SessionKey, Core)>,
    /// What the journal is told of in this step if it is a tick.
    at_tick: AtTick,
    /// Whose session is recorded under which name.
    recorded_names: BTreeMap<String, String>,
    /// What was sent at QoS 0 in turns that have not ended.
    sent_in_turn: Vec<SendId>,
    /// Where the journal ended when the broker last started.
    cut: Position,
    current: BTreeMap<String, SessionKey>,
    publications_by_key: BTreeMap<MessageKey, Vec<PublicationId>>,
    shared_by_key: BTreeMap<MessageKey, Vec<SharedId>>,
    copies_by_key: BTreeMap<(SessionKey, MessageKey), Vec<CopyId>>,
}

/// What an observation means in the light of the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// Nothing that must be judged.
    Unremarkable,
    /// A PUBLISH was sent: this is what it was.
    Sending(Sending),
    /// An application got a message, for the so-manieth time.
    Receipt { times: u32 },
    /// An application got a message that nobody had sent it.
    ReceiptOfNothing,
}

impl Truth {
    /// A broker that nobody has connected to.
    #[must_use]
    pub(crate) fn new(settings: Rc<Settings>) -> Self {
        Self {
            settings,
            now_ms: 0,
            sessions: Vec::new(),
            connections: BTreeMap::new(),
            publications: Vec::new(),
            copies: Vec::new(),
            shared_copies: Vec::new(),
            sends: Vec::new(),
            groups: BTreeMap::new(),
            retained: BTreeMap::new(),
            due_now: Vec::new(),
            forwards_due_now: BTreeSet::new(),
            broken_promises: Vec::new(),
            restarts: 0,
            is_failing: false,
            is_shutting_down: false,
            lost: Vec::new(),
            step: 0,
            provisional: None,
            at_tick: AtTick::default(),
            recorded_names: BTreeMap::new(),
            sent_in_turn: Vec::new(),
            cut: Position::NONE,
            current: BTreeMap::new(),
            publications_by_key: BTreeMap::new(),
            shared_by_key: BTreeMap::new(),
            copies_by_key: BTreeMap::new(),
        }
    }

    /// Takes note of what was seen, and tells what it means.
    pub(crate) fn apply(&mut self, now_ms: u64, observation: &Observation<'_>) -> Consequence {
        self.now_ms = now_ms;
        if let Some(connection) = observation.connection() {
            self.touch(connection);
        }
        match *observation {
            Observation::Received { shard, connection, packet, place } => {
                self.begin_step_at(place);
                self.received(shard, connection, packet);
            }
            Observation::Lost { connection } => {
                self.begin_step();
                self.detach(connection, Fate::Publish);
            }
            Observation::Ticked { shard } => {
                self.begin_step();
                self.ticked(shard);
                self.note_ticked(shard);
            }
            Observation::Arrived { from, to, mail, place } => {
                self.begin_step_at(place);
                if let Mail::Message(key) = mail {
                    self.arrived(from, to, key);
                }
            }
            Observation::Congested { connection } => self.set_congested(connection, Congestion::Full),
            Observation::Drained { connection } => self.set_congested(connection, Congestion::Drained),
            Observation::Sent { connection, packet, .. } => return self.sent(connection, packet),
            Observation::Closed { connection, cause } => {
                if cause == CloseCause::Error(ReasonCode::QuotaExceeded) {
                    self.take_back_last(connection);
                }
                self.detach(connection, Fate::Publish);
                self.note_closed(connection);
            }
            Observation::Delivered { connection, delivered } => return self.delivered(connection, delivered),
            Observation::ToldDurable { .. } | Observation::Loaded { .. } | Observation::TurnEnds { .. } => {
                self.begin_step();
            }
            Observation::ShutDown { .. } => {
                self.begin_step();
                self.is_shutting_down = true;
            }
            Observation::Recorded { shard, position, record } => {
                self.recorded(shard, position, record);
                self.note_slice(position, record);
                self.note_identifiers(position, record);
                self.note_held(position, record);
                self.note_retained(position, record);
            }
            Observation::Failing { is_failing } => self.is_failing = is_failing,
            Observation::Flushed { shard, last } => self.flushed(shard, last),
            Observation::Committed { durable } => self.committed(durable),
            Observation::Died => self.died(),
            Observation::Restarted { cut, died_ms, node } => {
                self.restarted(cut, died_ms, node);
                self.forget_identifiers(cut);
                self.forget_held(cut);
            }
            Observation::SentGarbage { .. }
            | Observation::Forwarded { .. }
            | Observation::StepEnded
            | Observation::Stored { .. }
            | Observation::Complained { .. }
            | Observation::Acted { .. } => {}
        }
        Consequence::Unremarkable
    }

    /// Whether a message was ever published.
    #[must_use]
    pub(crate) fn is_published(&self, key: &MessageKey) -> bool {
        self.publications_by_key.contains_key(key)
    }

    /// Whether a message was published more than once, as a publisher does that heard no acknowledgement.
    #[must_use]
    pub(crate) fn is_repeated(&self, publication: PublicationId) -> bool {
        let key = &self.publications[publication].key;
        self.publications_by_key.get(key).is_some_and(|publications| publications.len() > 1)
    }

    /// The session that a connection is or was for.
    #[must_use]
    pub(crate) fn session_of(&self, connection: ConnectionId) -> Option<&Session> {
        Some(&self.sessions[self.connections.get(&connection)?.session])
    }

    /// The publication that a sending was of.
    ///
    /// # Panics
    /// If it was of none.
    #[must_use]
    pub(crate) fn publication_of(&self, send: SendId) -> &Publication {
        let slot = self.sends[send].slot.expect("what is none of what is due ends the run");
        &self.publications[self.publication_in(slot)]
    }

    /// When a shard must have acted on a deadline: timers are exact to their tick, and the simulated clock of
    /// a shard may be late.
    #[must_use]
    pub(crate) fn overdue_ms(&self, due_ms: u64) -> u64 {
        due_ms.next_multiple_of(broker_core::timers::TICK_MS) + self.settings.network.lateness_ms_max
    }

    fn begin_step_at(&mut self, place: Place) {
        match place {
            Place::First => self.begin_step(),
            Place::Behind => {}
        }
    }

    fn begin_step(&mut self) {
        // Two each: what is sent comes behind what is received.
        self.step += 2;
        self.provisional = None;
        self.at_tick = AtTick::default();
        self.forget_missed();
        self.forwards_due_now.clear();
    }

    /// What a packet that the broker is about to take will do.
    fn received(&mut self, shard: ShardId, connection: ConnectionId, packet: &Packet) {
        if let Packet::Connect(connect) = packet {
            self.connect(shard, connection, connect);
            return self.note_provisional(connection);
        }
        let now_ms = self.now_ms;
        let Some(known) = self.connections.get_mut(&connection) else { return };
        known.last_received_ms = now_ms;
        match packet {
            Packet::Publish(publish) => self.published(connection, publish),
            Packet::PubAck(ack) => self.acknowledged(connection, ack.packet_id, Progress::Done),
            Packet::PubRec(ack) if ack.reason.is_error() => {
                self.acknowledged(connection, ack.packet_id, Progress::Done);
            }
            Packet::PubRec(ack) => self.acknowledged(connection, ack.packet_id, Progress::Received),
            Packet::PubComp(ack) => self.acknowledged(connection, ack.packet_id, Progress::Done),
            Packet::PubRel(ack) => {
                let (session, packet_id) = (&mut self.sessions[known.session], ack.packet_id.get());
                session.receipts.remove(&packet_id);
                if session.unreleased.remove(&packet_id) {
                    session.released.insert(packet_id, self.step);
                }
            }
            Packet::Subscribe(subscribe) => {
                self.subscribe(connection, subscribe);
                self.note_provisional(connection);
            }
            Packet::Unsubscribe(unsubscribe) => {
                self.unsubscribe(connection, unsubscribe);
                self.note_provisional(connection);
            }
            Packet::Disconnect(disconnect) => {
                if let Some(seconds) = disconnect.properties.session_expiry_interval() {
                    let maximum = self.settings.config.limits.session_expiry_seconds_max;
                    self.sessions[known.session].expiry_seconds = seconds.min(maximum);
                }
                let is_normal = disconnect.reason == ReasonCode::Success;
                self.detach(connection, if is_normal { Fate::Discard } else { Fate::Publish });
            }
            Packet::PingReq
            | Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp
            | Packet::Auth(_) => {}
        }
    }

    /// What the broker's packet says has happened.
    fn sent(&mut self, connection: ConnectionId, packet: &Packet) -> Consequence {
        match packet {
            Packet::ConnAck(connack) => {
                let Some(connection) = self.connections.get_mut(&connection) else {
                    return Consequence::Unremarkable;
                };
                connection.is_accepted = true;
                if let Some(seconds) = connack.properties.server_keep_alive() {
                    connection.keep_alive_seconds = seconds;
                }
                if connection.is_promised {
                    let (session, step) = (connection.session, connection.step);
                    self.promise(session, step, PacketType::ConnAck);
                }
            }
            Packet::PubAck(ack) | Packet::PubRec(ack) => self.promise_publication(connection, ack),
            Packet::PubComp(ack) => self.promise_released(connection, ack.packet_id.get()),
            Packet::PubRel(ack) => self.promise_received(connection, ack.packet_id.get()),
            Packet::SubAck(suback) => self.subscribed(connection, suback),
            Packet::UnsubAck(unsuback) => self.unsubscribed(connection, unsuback),
            Packet::Publish(publish) => {
                self.note_sent(connection, publish);
                return Consequence::Sending(self.attribute(connection, publish));
            }
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq
            | Packet::PingResp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => {}
        }
        Consequence::Unremarkable
    }

    fn set_congested(&mut self, connection: ConnectionId, congestion: Congestion) {
        self.begin_step();
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.is_congested = congestion == Congestion::Full;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Congestion {
    Full,
    Drained,
}
