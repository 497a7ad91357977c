//! Owns the sessions of one shard and the one door to them. Each kind of input has a file of its own;
//! the story of a PUBLISH begins in `shard/publish.rs`.

mod acks;
mod answer;
mod checkpoint;
mod connack;
mod connect;
mod deliver;
mod disconnect;
mod expire;
mod keep;
mod leave;
mod load;
mod pages;
mod publish;
mod recover;
mod relocate;
mod route;
mod run;
mod send;
mod share;
mod subscribe;
mod tick;

pub use recover::RecoveredShard;

use crate::{
    effect::{CloseCause, Effects},
    held::{HeldAcknowledgements, Holding},
    ids::{ConnectionId, SessionId, ShardId},
    input::Input,
    journal::Position,
    message::{Message, SpareMessages},
    node::Node,
    outgoing::OutgoingRun,
    peers::{PeerMessage, Recorded},
    recorder::Recorder,
    session::{Connection, Queued, Route, Sessions},
    stats::OwnStats,
    sys::Sys,
    time::Timestamp,
    timers::Timers,
};
use mqtt_codec::{DecodeError, Packet, PacketRef, PacketType, ReasonCode};
use std::{collections::VecDeque, sync::Arc};

/// One shard: single-threaded, with sessions of its own and a view of what the node shares.
///
/// **Order.** Effects are to be carried out in their order; messages to another shard arrive in the
/// order they were sent.
#[derive(Debug)]
pub struct Shard {
    node: Arc<Node>,
    id: ShardId,
    stats: OwnStats,
    sessions: Sessions,
    timers: Timers<Timer>,
    /// Acknowledgements that wait for other sessions, or for the disk.
    held: HeldAcknowledgements,
    /// What the journal is told, and what waits for it.
    recorder: Recorder,
    /// The checkpoint that is being written.
    checkpoint: Option<checkpoint::Walk>,
    /// Other shards that have begun the next checkpoint.
    begun_elsewhere: usize,
    /// The survey that is being made.
    survey: Option<relocate::Survey>,
    /// What the next checkpoint goes over to.
    copies: Arc<[(Position, Position)]>,
    /// Sessions that a page of retained messages may go to.
    paging: VecDeque<SessionId>,
    /// The `$SYS` tree, which the first shard publishes.
    sys: Option<Sys>,
    /// Numbers assigned client identifiers; starts at random, so that a restart repeats none.
    next_client_number: u64,
    /// Messages that are done with, to be made into new ones.
    spare: SpareMessages,
    // Buffers kept from step to step.
    route: Option<Box<Route>>,
    properties: Vec<u8>,
    page: Vec<Arc<Message>>,
    fired: Vec<Timer>,
    members: Vec<keep::Member>,
    dropped: Vec<Queued>,
}

/// What a timer of the shard is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Timer {
    /// Look whether a client has been silent for too long.
    KeepAlive(SessionId, ConnectionId),
    /// A delayed Will is due.
    Will(SessionId),
    /// A session has outlived its connection for as long as it may.
    Expiry(SessionId),
    /// Something may have expired in a session's queue.
    QueueExpiry(SessionId),
    /// The `$SYS` tree is due.
    Sys,
    /// Expired retained messages are to be removed.
    Sweep,
}

impl Shard {
    /// An empty shard of `node`. `seed` makes the client identifiers it assigns hard to guess.
    #[must_use]
    pub fn new(node: Arc<Node>, id: ShardId, seed: u64, now: Timestamp) -> Self {
        let mut timers = Timers::new(now);
        let mut sys = None;
        if id == ShardId(0) {
            timers.insert(now.plus_millis(tick::SWEEP_INTERVAL_MS), Timer::Sweep);
            let interval_ms = u64::from(node.config.sys.interval_ms);
            if interval_ms > 0 {
                sys = Some(Sys::new(now));
                timers.insert(now, Timer::Sys);
            }
        }
        Self {
            stats: node.stats.own(id),
            sessions: Sessions::new(id, usize::try_from(seed).unwrap_or(usize::MAX)),
            timers,
            held: HeldAcknowledgements::new(id),
            recorder: Recorder::new(node.journal.clone(), id, node.shards().count()),
            checkpoint: None,
            begun_elsewhere: 0,
            survey: None,
            copies: Arc::default(),
            node,
            id,
            paging: VecDeque::new(),
            sys,
            next_client_number: seed,
            spare: SpareMessages::default(),
            route: None,
            properties: Vec::new(),
            page: Vec::new(),
            fired: Vec::new(),
            members: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// Takes one input and appends what is to be done about it. `now` never goes back.
    // Inlined, so that whoever has a packet or a message need not move it: inputs are as large as the largest packet.
    #[inline(always)]
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp, effects: &mut Effects) {
        match input {
            Input::Packet { connection, ref packet, frame } => {
                self.receive(connection, packet, frame, now, effects);
            }
            Input::Publishes { connection, run } => self.receive_run(connection, run, now, effects),
            Input::Peer(ref message) => self.receive_from_peer(message, now, effects),
            Input::Connect { connection, connect } => self.connect(connection, &connect, now, effects),
            Input::Closed { connection } => self.network_lost(connection, now, effects),
            Input::Malformed { connection, error } => self.receive_malformed(connection, error, now, effects),
            Input::OutboxFull { connection } => self.outbox_full(connection),
            Input::OutboxDrained { connection } => self.outbox_drained(connection, now, effects),
            Input::Tick => self.tick(now, effects),
            Input::Shutdown => self.shut_down(now, effects),
            Input::Flush => self.recorder.flush(),
            Input::Durable(position) => self.leave(position, now, effects),
            Input::Loaded { session, messages } => self.loaded(session, messages, now, effects),
            Input::Checkpoint => self.begin_checkpoint(effects),
            Input::Survey { from, to } => self.begin_survey(from, to),
            Input::Copied(copies) => self.copies = copies,
        }
    }

    /// When [`Input::Tick`] is due; a time in the past means at once, None means never.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let is_busy = !self.paging.is_empty() || self.is_writing_checkpoint() || self.survey.is_some();
        if is_busy { Some(Timestamp::ZERO) } else { self.timers.next_deadline() }
    }

    /// Whether [`Input::Flush`] is due at the end of the turn.
    #[must_use]
    #[inline]
    pub fn wants_flush(&self) -> bool {
        self.recorder.wants_flush()
    }

    /// What must be durable for anything that waits to leave: [`Input::Durable`] with at least this position
    /// does something.
    #[must_use]
    #[inline]
    pub fn awaits_durable(&self) -> Option<Position> {
        self.recorder.awaits_durable()
    }

    /// Clients connected to this shard.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.sessions.connections()
    }

    /// One packet of a connected client.
    #[inline(never)]
    fn receive(
        &mut self,
        connection: ConnectionId,
        packet: &PacketRef<'_>,
        frame: &[u8],
        now: Timestamp,
        effects: &mut Effects,
    ) {
        // Behind a refused CONNECT nothing is heard [MQTT311-3.1.4-5].
        let Some(id) = self.sessions.of_connection(connection) else { return };
        self.stats.messages_received.add(1);
        if let Some(connection) = self.connection_mut(id) {
            connection.last_received = now;
        }
        match packet {
            Packet::Publish(publish) => self.publish(id, publish, frame, now, effects),
            Packet::PubAck(ack) => self.puback(id, ack, now, effects),
            Packet::PubRec(ack) => self.pubrec(id, ack, now, effects),
            Packet::PubRel(ack) => self.pubrel(id, ack, effects),
            Packet::PubComp(ack) => self.pubcomp(id, ack, now, effects),
            Packet::Subscribe(subscribe) => self.subscribe(id, subscribe, now, effects),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(id, unsubscribe, now, effects),
            // [MQTT5-3.12.4-1] [MQTT311-3.12.4-1]
            Packet::PingReq => _ = self.send(id, &Packet::PingResp, effects),
            Packet::Disconnect(disconnect) => self.disconnect(id, disconnect, now, effects),
            Packet::Auth(auth) => self.authenticate(id, auth, now, effects),
            // [MQTT5-3.1.0-2] [MQTT311-3.1.0-2]; the others are a server's to send.
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp => {
                let text = "this packet is not for a connected client to send";
                self.break_off(id, ReasonCode::ProtocolError, text, now, effects);
            }
        }
    }

    /// Bytes that are no packet end the connection `[MQTT5-4.13.1-1]` `[MQTT311-4.8.0-1]`.
    fn receive_malformed(
        &mut self,
        connection: ConnectionId,
        error: DecodeError,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(id) = self.sessions.of_connection(connection) else { return };
        // A second CONNECT may be wrong in ways that only a CONNACK has a code for.
        let is_disconnect_reason = error.reason().is_allowed_in(PacketType::Disconnect);
        let reason = if is_disconnect_reason { error.reason() } else { ReasonCode::ProtocolError };
        let (text, cause) = (error.violation.text(), CloseCause::Malformed(error));
        self.end_connection(id, reason, text, cause, now, effects);
    }

    #[inline(never)]
    fn receive_from_peer(&mut self, message: &PeerMessage<'_>, now: Timestamp, effects: &mut Effects) {
        match *message {
            PeerMessage::Deliver(ref forwarded) => {
                self.note_seen(forwarded.recorded);
                self.deliver_from_peer(forwarded, now, effects);
            }
            PeerMessage::DeliverRun(forwarded) => {
                let mut outgoing = OutgoingRun::forwarded(forwarded);
                self.deliver_run(forwarded.targets, &mut outgoing, now, effects);
            }
            PeerMessage::HandOver { messages, recorded } => {
                self.note_seen(recorded);
                for message in messages {
                    self.take_over(message.clone(), &mut Holding::Nothing, now, effects);
                }
            }
            PeerMessage::Stored(token) => self.stored(token, effects),
            PeerMessage::CheckpointBegun => self.note_checkpoint_begun(),
        }
    }

    fn outbox_full(&mut self, connection: ConnectionId) {
        let id = self.sessions.of_connection(connection);
        if let Some(connection) = id.and_then(|id| self.connection_mut(id)) {
            connection.is_congested = true;
        }
    }

    fn outbox_drained(&mut self, connection: ConnectionId, now: Timestamp, effects: &mut Effects) {
        let Some(id) = self.sessions.of_connection(connection) else { return };
        if let Some(connection) = self.connection_mut(id) {
            connection.is_congested = false;
        }
        self.send_waiting(id, now, effects);
    }

    fn note_seen(&mut self, recorded: Option<Recorded>) {
        if let Some(Recorded { shard, position }) = recorded {
            self.recorder.saw(shard, position);
        }
    }

    fn connection_mut(&mut self, id: SessionId) -> Option<&mut Connection> {
        self.sessions.get_mut(id)?.connection.as_deref_mut()
    }

    fn connection_ref(&self, id: SessionId) -> Option<&Connection> {
        self.sessions.get(id)?.connection.as_deref()
    }
}
