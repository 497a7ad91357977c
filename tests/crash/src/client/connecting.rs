//! Owns how a client connects, leaves, is cut off and comes back, and which session it then has. What goes on in
//! the session is in its siblings.

use super::{Client, Ending, LinkState};
use crate::{
    clock::At,
    connection::{Connection, Ear},
    history::{
        Connected, Fate, Origin, Outcome, Presence, Publication, Retain, Session, Span, Unfinished, WillStory,
    },
    payload::payload,
    plan::{Comeback, Lasting},
    stage::{Load, Stage},
};
use mqtt_codec::{
    Packet, Properties, Property, PropertyOwner, ProtocolVersion, QoS, ReasonCode,
    flow::Receiver,
    packet::{ConnAck, Connect, Disconnect, Will},
};
use std::num::NonZeroU16;

/// A session that may expire while its client is away is surely there so long before its time: the broker may
/// count from its last sign of life before a crash.
const SURELY_THERE_MS: u64 = 2000;
/// And surely gone so long after it.
const SURELY_GONE_MS: u64 = 500;
/// Bytes of a will.
const WILL_BYTES: usize = 40;
const CONNECT_RETRY_MS: u64 = 5;

impl Client {
    /// Connects if it should; says when to ask again.
    pub(super) fn connect_if_due(&mut self, stage: &mut Stage) -> Option<At> {
        if self.link.state != LinkState::Down || self.is_away {
            return None;
        }
        let address = stage.broker.address?;
        let due = self.comes_back_at(stage)?.max(self.link.not_before);
        if due > stage.clock.now() {
            return Some(due);
        }
        let ear = Ear {
            peer: self.peer,
            connection: self.link.number + 1,
            version: self.part.version,
            clock: stage.clock,
            heard: stage.heard.clone(),
        };
        let Ok(connection) = Connection::open(address, ear) else {
            self.link.not_before = stage.clock.now().plus_ms(CONNECT_RETRY_MS);
            return Some(self.link.not_before);
        };
        self.link.connection = Some(connection);
        self.link.number += 1;
        self.link.process = stage.broker.process;
        self.link.state = LinkState::Connecting;
        let connect = self.connect_packet(stage);
        self.send(&Packet::Connect(connect));
        None
    }

    /// From when on it may connect; never, or not yet, is none.
    fn comes_back_at(&self, stage: &Stage) -> Option<At> {
        let was_cut_off = self.cut_at.is_some() && self.ending != Ending::Next;
        if !was_cut_off || stage.broker.process == self.link.process {
            return Some(At::default());
        }
        match self.part.comeback {
            Comeback::AfterMs(ms) => Some(stage.broker.listening_since.plus_ms(ms)),
            Comeback::WhenTheLoadIsOver => {
                matches!(stage.load, Load::NotYet | Load::Over).then_some(At::default())
            }
            Comeback::Never => None,
        }
    }

    fn connect_packet(&mut self, stage: &mut Stage) -> Connect {
        let is_lasting = self.part.lasting != Lasting::Not && self.ending != Ending::Next;
        self.link.clean_start = !is_lasting;
        if self.ending == Ending::Next {
            self.ending = Ending::Begun;
        }
        let mut properties = vec![Property::ReceiveMaximum(
            NonZeroU16::new(self.part.receive_maximum).expect("the plan has no zero"),
        )];
        if let (Lasting::Seconds(seconds), true) = (self.part.lasting, is_lasting) {
            properties.push(Property::SessionExpiryInterval(seconds));
        }
        Connect {
            version: self.part.version,
            clean_start: self.link.clean_start,
            keep_alive_seconds: 0,
            client_id: self.part.name.clone().into(),
            will: self.will_packet(stage),
            user_name: None,
            password: None,
            properties: self.properties(PropertyOwner::Connect, properties),
        }
    }

    /// The will, which is the same message on each connection.
    fn will_packet(&mut self, stage: &mut Stage) -> Option<Will> {
        let part = self.part.will.clone()?;
        let story = *self.will.get_or_insert_with(|| {
            let publication = stage.publication(Publication {
                peer: self.peer,
                topic: part.topic.clone(),
                qos: QoS::ExactlyOnce,
                retain: Retain::No,
                origin: Origin::Will,
                expiry_seconds: None,
                sent_at: None,
                last_sent_at: None,
                acknowledged_at: None,
            });
            let delay_ms = u64::from(part.delay_seconds) * 1000;
            let story = WillStory { publication, delay_ms, connected_at: None, fate: Fate::NotDue };
            stage.history.wills.push(story);
            stage.history.wills.len() - 1
        });
        let publication = stage.history.wills[story].publication;
        let delay = [Property::WillDelayInterval(part.delay_seconds)];
        Some(Will {
            qos: QoS::ExactlyOnce,
            retain: false,
            topic: part.topic,
            payload: payload(publication, WILL_BYTES),
            properties: self.properties(PropertyOwner::Will, delay.to_vec()),
        })
    }

    /// Properties for 5.0, none for 3.1.1.
    pub(super) fn properties(&self, owner: PropertyOwner, properties: Vec<Property<'_>>) -> Properties {
        match self.part.version {
            ProtocolVersion::V5 => Properties::new(owner, properties).expect("properties of ours are legal"),
            ProtocolVersion::V31 | ProtocolVersion::V311 => Properties::NONE,
        }
    }

    /// CONNACK was read: the session goes on, or a new one begins.
    pub(super) fn connack(&mut self, packet: &ConnAck, at: At, stage: &mut Stage) {
        if packet.reason != ReasonCode::Success {
            stage.history.odd(at, format!("{} was refused: {:?}", self.name(), packet.reason));
            return;
        }
        let presence = self.presence_at(at);
        let goes_on = packet.session_present && self.session.is_some();
        if !goes_on {
            self.begin_session(stage);
        }
        let session = self.session.expect("a connected client has a session");
        stage.history.connections.push(Connected {
            peer: self.peer,
            session,
            at,
            closed_at: None,
            presence,
            session_present: packet.session_present,
        });
        self.link.state = LinkState::Up;
        self.answered = 0;
        self.presence = if self.link.clean_start { Presence::Forbidden } else { Presence::Expected };
        if let Some(will) = self.will {
            let story = &mut stage.history.wills[will];
            story.connected_at = Some(at);
            story.fate = Fate::NotDue;
        }
        self.receiver.reconnect(self.receive_maximum());
        self.ask(stage);
        self.resume(stage);
    }

    fn receive_maximum(&self) -> u16 {
        if self.part.version == ProtocolVersion::V5 { self.part.receive_maximum } else { u16::MAX }
    }

    /// What CONNACK must say now: time may have ended the session.
    fn presence_at(&self, at: At) -> Presence {
        let (Lasting::Seconds(seconds), Presence::Expected) = (self.part.lasting, self.presence) else {
            return if self.link.clean_start { Presence::Forbidden } else { self.presence };
        };
        if self.link.clean_start {
            return Presence::Forbidden;
        }
        let Some(cut_at) = self.cut_at else { return self.presence };
        let expires_at = cut_at.plus_ms(u64::from(seconds) * 1000);
        if self.part.version != ProtocolVersion::V5 || at.plus_ms(SURELY_THERE_MS) < expires_at {
            Presence::Expected
        } else if at > expires_at.plus_ms(SURELY_GONE_MS) {
            Presence::Forbidden
        } else {
            Presence::Open
        }
    }

    /// Forgets what the session before knew `[MQTT5-3.1.2-4]` and begins a new one. Only a client's first
    /// session, and those that last no longer than a connection, have the planned subscriptions: one that was
    /// lost stays without, so that nothing may reach it.
    fn begin_session(&mut self, stage: &mut Stage) {
        self.give_up(stage);
        let span = match self.part.lasting {
            _ if self.ending == Ending::Begun => Span::Connection,
            Lasting::Not => Span::Connection,
            Lasting::Seconds(seconds) if seconds < 60 => Span::Moments,
            Lasting::Seconds(_) => Span::Round,
        };
        let is_first = self.session.is_none();
        stage.history.sessions.push(Session { peer: self.peer, span, ended_at: None });
        self.session = Some(stage.history.sessions.len() - 1);
        if is_first || self.part.lasting == Lasting::Not {
            for wanted in self.part.subscriptions.clone() {
                self.want(&wanted, stage);
            }
        }
    }

    /// What was in flight is gone with its session.
    fn give_up(&mut self, stage: &mut Stage) {
        self.sender.drain().for_each(drop);
        self.receiver = Receiver::new(self.receive_maximum());
        self.requests.clear();
        for hand in std::mem::take(&mut self.in_hand).into_values() {
            if let Some(unfinished) = hand.unfinished {
                stage.history.unfinished[unfinished].outcome = Outcome::Void;
            }
        }
    }

    /// Ends its session: leaves, and comes back without one. Nothing is promised to the session from here on.
    pub(super) fn end_session(&mut self, stage: &mut Stage) {
        let Some(session) = self.session else { return };
        stage.history.sessions[session].ended_at = Some(stage.clock.now());
        self.ending = Ending::Next;
        self.leave(stage);
    }

    /// Says good-bye, if it is connected.
    pub(super) fn leave(&mut self, stage: &Stage) {
        if self.link.state != LinkState::Up || stage.broker.process != self.link.process {
            return;
        }
        let reason = ReasonCode::Success;
        self.send(&Packet::Disconnect(Disconnect { reason, properties: Properties::NONE }));
        self.link.state = LinkState::Leaving;
        if let Some(connection) = &self.link.connection {
            connection.close();
        }
    }

    /// Loses its connection, as by a broken network.
    pub(crate) fn cut(&self) {
        if let Some(connection) = &self.link.connection {
            connection.close();
        }
    }

    /// The connection has ended, and everything that came before was heard.
    pub(crate) fn closed(&mut self, at: At, why: Option<String>, stage: &mut Stage) {
        let state = std::mem::replace(&mut self.link.state, LinkState::Down);
        self.link.connection = None;
        let is_killed = stage.broker.address.is_none() || stage.broker.process != self.link.process;
        if let Some(why) = why {
            stage.history.odd(at, format!("{} received what it cannot read: {why}", self.name()));
        }
        if !is_killed && state != LinkState::Leaving {
            stage.history.odd(at, format!("{} was cut off though the broker was not killed", self.name()));
        }
        self.settle_presence(state);
        self.settle_will(state, at, stage);
        let open = stage.history.connections.iter_mut().rev().find(|it| it.peer == self.peer);
        if let Some(connection) = open.filter(|connection| connection.closed_at.is_none()) {
            connection.closed_at = Some(at);
        }
        self.cut_at = Some(at);
        self.answers.clear();
        self.requeue();
        self.remember_unfinished(at, stage);
    }

    /// A CONNECT without a CONNACK may have made or ended a session, or not.
    fn settle_presence(&mut self, state: LinkState) {
        if state == LinkState::Connecting {
            self.presence = match (self.presence, self.link.clean_start) {
                (Presence::Expected, false) => Presence::Expected,
                (Presence::Forbidden, true) => Presence::Forbidden,
                (Presence::Expected | Presence::Open, _) | (Presence::Forbidden, false) => Presence::Open,
            };
        }
    }

    fn settle_will(&mut self, state: LinkState, at: At, stage: &mut Stage) {
        let Some(will) = self.will else { return };
        let story = &mut stage.history.wills[will];
        if state == LinkState::Up && self.part.comeback == Comeback::Never {
            story.fate = Fate::CutOff { at };
            stage.history.publications[story.publication].sent_at = Some(at);
        }
    }

    fn remember_unfinished(&mut self, cut_at: At, stage: &mut Stage) {
        let Some(session) = self.session else { return };
        if stage.load == Load::Ended {
            // It does not come back to see.
            return;
        }
        for (&packet_id, hand) in &mut self.in_hand {
            let (None, Some(publication)) = (hand.unfinished, hand.publication) else { continue };
            hand.unfinished = Some(stage.history.unfinished.len());
            stage.history.unfinished.push(Unfinished {
                session,
                packet_id,
                publication,
                qos: hand.qos,
                read_at: hand.read_at,
                cut_at,
                pubrec_sent: hand.pubrec_sent,
                outcome: Outcome::Pending,
            });
        }
    }
}
