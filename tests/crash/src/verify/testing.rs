//! Owns made-up histories for the tests of the checkers.

use super::{Kind, verify};
use crate::{
    clock::At,
    history::{
        Connected, Delivery, History, Origin, Peer, Presence, Publication, PublicationIndex, Retain, Session,
        SessionIndex, Software, Span, Subscription,
    },
};
use mqtt_codec::{ProtocolVersion, QoS, TopicFilter, TopicName};

/// A history that is made up, with one publisher.
pub(super) struct Story {
    pub(super) history: History,
}

impl Story {
    pub(super) fn new() -> Self {
        let mut history = History::default();
        let (name, version) = ("publisher".to_owned(), ProtocolVersion::V311);
        history.peers.push(Peer { name, version, software: Software::Own });
        Self { history }
    }

    /// A client with a session that outlives the round.
    pub(super) fn session(&mut self, name: &str) -> SessionIndex {
        let (name, version) = (name.to_owned(), ProtocolVersion::V5);
        self.history.peers.push(Peer { name, version, software: Software::Own });
        let peer = self.history.peers.len() - 1;
        self.history.sessions.push(Session { peer, span: Span::Round, ended_at: None });
        self.history.sessions.len() - 1
    }

    /// A subscription that was acknowledged at once.
    pub(super) fn subscribed(&mut self, session: SessionIndex, filter: &str, qos: u8, at: u64) -> usize {
        self.history.subscriptions.push(Subscription {
            session,
            filter: TopicFilter::owned(filter.to_owned()).expect("a legal filter"),
            qos: QoS::from_bits(qos).expect("a QoS"),
            identifier: None,
            no_local: false,
            retain_as_published: false,
            sent_at: At(at),
            acknowledged_at: Some(At(at)),
            unsubscribe_sent_at: None,
            unsubscribed_at: None,
        });
        self.history.subscriptions.len() - 1
    }

    pub(super) fn published(
        &mut self,
        topic: &str,
        qos: u8,
        sent: u64,
        acknowledged: Option<u64>,
    ) -> PublicationIndex {
        self.history.publications.push(Publication {
            peer: 0,
            topic: TopicName::owned(topic.to_owned()).expect("a legal topic"),
            qos: QoS::from_bits(qos).expect("a QoS"),
            retain: Retain::No,
            origin: Origin::Publish,
            expiry_seconds: None,
            sent_at: Some(At(sent)),
            last_sent_at: Some(At(sent)),
            acknowledged_at: acknowledged.map(At),
        });
        self.history.publications.len() - 1
    }

    /// A delivery with the QoS it should have.
    pub(super) fn delivered(&mut self, session: SessionIndex, publication: PublicationIndex, at: u64) {
        let message = &self.history.publications[publication];
        let granted = self.history.matching(session, message).map(|it| it.qos).max();
        self.history.deliveries.push(Delivery {
            session,
            publication,
            at: At(at),
            qos: granted.map_or(message.qos, |granted| granted.min(message.qos)),
            dup: false,
            retain: false,
            identifiers: Vec::new(),
            expiry_seconds: None,
        });
    }

    pub(super) fn connected(&mut self, session: SessionIndex, from: u64, to: Option<u64>) -> &mut Connected {
        self.history.connections.push(Connected {
            peer: self.history.sessions[session].peer,
            session,
            at: At(from),
            closed_at: to.map(At),
            presence: Presence::Expected,
            session_present: true,
        });
        self.history.connections.last_mut().expect("one was pushed")
    }
}

/// What is wrong with a history.
pub(super) fn kinds(history: &History) -> Vec<Kind> {
    verify(history).into_iter().map(|violation| violation.kind).collect()
}
