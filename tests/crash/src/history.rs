//! Owns what is recorded of a round: who published, received, connected and subscribed when, as read from the
//! sockets. What must hold of it is `verify`'s business.

use crate::clock::At;
use mqtt_codec::{PacketId, ProtocolVersion, QoS, TopicFilter, TopicName};
use std::{collections::BTreeMap, time::Duration};

/// The index of a client of the round.
pub(crate) type PeerIndex = usize;
/// The index of a session: each one that a client had.
pub(crate) type SessionIndex = usize;
/// The index of a message, which its payload names.
pub(crate) type PublicationIndex = usize;

/// Everything that was seen of a round.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) peers: Vec<Peer>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) connections: Vec<Connected>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) publications: Vec<Publication>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) unfinished: Vec<Unfinished>,
    pub(crate) probes: Vec<Probe>,
    pub(crate) wills: Vec<WillStory>,
    pub(crate) outages: Vec<Outage>,
    pub(crate) oddities: Vec<Oddity>,
    /// From sending a PUBLISH to reading its PUBACK or PUBREC, without a crash in between.
    pub(crate) latencies: Vec<Duration>,
}

/// A client.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) version: ProtocolVersion,
    pub(crate) software: Software,
}

/// Whose code a client runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    /// Ours: it resends in the order it first sent, and keeps the identifiers of QoS 2 over a crash.
    Own,
    /// rumqttc, which does neither when crashes follow each other.
    Rumqttc,
}

/// What a client may expect of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// It ends with its connection.
    Connection,
    /// It may expire while nobody is connected, so nothing is promised to it.
    Moments,
    /// It outlives the round.
    Round,
}

/// One session of a client.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) peer: PeerIndex,
    pub(crate) span: Span,
    /// When the client asked for its end.
    pub(crate) ended_at: Option<At>,
}

/// What CONNACK should say of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It was established and cannot have expired.
    Expected,
    /// There is none, it was ended, or it has expired.
    Forbidden,
    /// Nobody can tell: a CONNACK was cut off, or the time is close.
    Open,
}

/// A connection whose CONNACK was read.
#[derive(Clone, Debug)]
pub(crate) struct Connected {
    pub(crate) peer: PeerIndex,
    /// The session it has from here on.
    pub(crate) session: SessionIndex,
    pub(crate) at: At,
    pub(crate) closed_at: Option<At>,
    pub(crate) presence: Presence,
    pub(crate) session_present: bool,
}

/// A subscription, from SUBSCRIBE on.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) session: SessionIndex,
    pub(crate) filter: TopicFilter,
    pub(crate) qos: QoS,
    pub(crate) identifier: Option<u32>,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) sent_at: At,
    /// When SUBACK was read.
    pub(crate) acknowledged_at: Option<At>,
    pub(crate) unsubscribe_sent_at: Option<At>,
    /// When UNSUBACK was read.
    pub(crate) unsubscribed_at: Option<At>,
}

/// A message, from its first PUBLISH on; of a will, from the loss of the connection on.
#[derive(Clone, Debug)]
pub(crate) struct Publication {
    pub(crate) peer: PeerIndex,
    pub(crate) topic: TopicName,
    pub(crate) qos: QoS,
    pub(crate) retain: Retain,
    pub(crate) origin: Origin,
    pub(crate) expiry_seconds: Option<u32>,
    /// When it was first sent; none while it waits.
    pub(crate) sent_at: Option<At>,
    /// When it was last sent.
    pub(crate) last_sent_at: Option<At>,
    /// When PUBACK or PUBREC was read.
    pub(crate) acknowledged_at: Option<At>,
}

/// What a message does to the retained one of its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retain {
    /// Nothing.
    No,
    /// It replaces it.
    Set,
    /// It removes it: its payload is empty, so nobody can tell which message it is.
    Clear,
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Publish,
    Will,
}

/// A message that a client was given.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) session: SessionIndex,
    pub(crate) publication: PublicationIndex,
    pub(crate) at: At,
    pub(crate) qos: QoS,
    pub(crate) dup: bool,
    pub(crate) retain: bool,
    pub(crate) identifiers: Vec<u32>,
    pub(crate) expiry_seconds: Option<u32>,
}

/// What a client had received and not answered when its connection was lost: it must come again `[MQTT5-4.4.0-1]`
/// `[MQTT311-4.4.0-1]`.
#[derive(Clone, Debug)]
pub(crate) struct Unfinished {
    pub(crate) session: SessionIndex,
    pub(crate) packet_id: PacketId,
    pub(crate) publication: PublicationIndex,
    pub(crate) qos: QoS,
    pub(crate) read_at: At,
    pub(crate) cut_at: At,
    /// Whether PUBREC was sent, so that PUBREL may come instead.
    pub(crate) pubrec_sent: bool,
    pub(crate) outcome: Outcome,
}

/// How it went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing came.
    Pending,
    /// A PUBLISH came with its packet identifier.
    Published { publication: Option<PublicationIndex>, dup: bool },
    /// PUBREL came.
    Released,
    /// The session ended.
    Void,
}

/// What a new subscriber was given of the retained messages.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub(crate) started_at: At,
    pub(crate) ended_at: At,
    pub(crate) found: BTreeMap<String, PublicationIndex>,
}

/// A will and what became of its client.
#[derive(Clone, Debug)]
pub(crate) struct WillStory {
    pub(crate) publication: PublicationIndex,
    pub(crate) delay_ms: u64,
    /// When CONNACK was read.
    pub(crate) connected_at: Option<At>,
    pub(crate) fate: Fate,
}

/// Whether a will is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The client is connected, or came back before its delay was over, or said good-bye.
    NotDue,
    /// The client was cut off and stayed away.
    CutOff { at: At },
}

/// A time without a broker.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    pub(crate) killed_at: At,
    /// When the next process said that it listens; none if it was killed before.
    pub(crate) listening_at: Option<At>,
    /// From starting the process to its first line.
    pub(crate) start_took: Duration,
}

/// Something that must never be seen, in the words of whoever saw it.
#[derive(Clone, Debug)]
pub(crate) struct Oddity {
    pub(crate) at: At,
    pub(crate) text: String,
}

impl History {
    pub(crate) fn odd(&mut self, at: At, text: String) {
        self.oddities.push(Oddity { at, text });
    }

    /// The client of a session.
    pub(crate) fn peer_of(&self, session: SessionIndex) -> &Peer {
        &self.peers[self.sessions[session].peer]
    }

    /// Whether a subscription asks for a message, whatever the time.
    pub(crate) fn wants(&self, subscription: &Subscription, publication: &Publication) -> bool {
        let is_own = self.sessions[subscription.session].peer == publication.peer;
        subscription.filter.matches(&publication.topic) && !(is_own && subscription.no_local)
    }

    /// The subscriptions of a session that ask for a message, whatever the time.
    pub(crate) fn matching(
        &self,
        session: SessionIndex,
        publication: &Publication,
    ) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter().filter(move |subscription| {
            subscription.session == session && self.wants(subscription, publication)
        })
    }
}

impl Subscription {
    /// Whether it held from before a message was first sent until after it was acknowledged.
    pub(crate) fn covers(&self, publication: &Publication) -> bool {
        let (Some(subscribed), Some(sent)) = (self.acknowledged_at, publication.sent_at) else {
            return false;
        };
        let end = publication.acknowledged_at.unwrap_or(sent);
        subscribed < sent && self.unsubscribe_sent_at.is_none_or(|at| at > end)
    }
}
