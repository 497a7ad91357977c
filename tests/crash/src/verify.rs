//! Owns the list of what must hold of every round. Each invariant is judged in a file of its own, from the
//! history alone.

mod contents;
mod exactly_once;
mod loss;
mod oddities;
mod order;
mod redelivery;
mod retained;
mod sessions;
mod unasked;
mod wills;

#[cfg(test)]
mod testing;

pub(crate) use loss::Outstanding;
pub(crate) use retained::needed;

use crate::history::{History, Origin, Publication, PublicationIndex, Session};
use std::fmt;

/// Something that must not have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// Which invariant was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// An acknowledged message did not arrive.
    Loss,
    /// A QoS 2 message arrived twice.
    ExactlyOnce,
    /// Messages overtook each other.
    Order,
    /// A retained message is not the last one.
    Retained,
    /// A message in flight did not come again as it was.
    Redelivery,
    /// CONNACK told the wrong thing of the session.
    SessionPresent,
    /// A message nobody had subscribed to.
    Unasked,
    /// A message arrived with other properties than it should.
    Contents,
    /// A will came too early, twice, in vain or not at all.
    Will,
    /// Something that must never be seen.
    Oddity,
}

/// Everything that is wrong with a round, the gravest first.
pub(crate) fn verify(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    for check in [
        loss::check,
        exactly_once::check,
        order::check,
        retained::check,
        redelivery::check,
        sessions::check,
        unasked::check,
        contents::check,
        wills::check,
        oddities::check,
    ] {
        check(history, &mut violations);
    }
    violations.sort_by_key(|violation| violation.kind);
    violations
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Loss => "lost",
            Self::ExactlyOnce => "not exactly once",
            Self::Order => "out of order",
            Self::Retained => "retained",
            Self::Redelivery => "not redelivered",
            Self::SessionPresent => "session present",
            Self::Unasked => "unasked",
            Self::Contents => "contents",
            Self::Will => "will",
            Self::Oddity => "odd",
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.text)
    }
}

/// A message in words: who published it where, when it was sent and acknowledged.
fn told(history: &History, index: PublicationIndex) -> String {
    let publication = &history.publications[index];
    let Publication { topic, qos, sent_at, last_sent_at, acknowledged_at, .. } = publication;
    let peer = &history.peers[publication.peer];
    let whose = format!("{index} on {topic} (QoS {}) of {} ({})", qos.bits(), peer.name, peer.version);
    if publication.origin == Origin::Will {
        let cut_off = sent_at.map_or("kept its connection".to_owned(), |at| format!("was cut off at {at}"));
        return format!("will {whose}, who {cut_off}");
    }
    let sent = sent_at.map_or("never sent".to_owned(), |at| format!("sent at {at}"));
    let again = last_sent_at.filter(|last| sent_at.is_some_and(|sent| sent != *last));
    let again = again.map_or(String::new(), |at| format!(" and at {at}"));
    let acknowledged =
        acknowledged_at.map_or("not acknowledged".to_owned(), |at| format!("acknowledged at {at}"));
    format!("message {whose}, {sent}{again}, {acknowledged}")
}

/// A session in words: whose it is.
fn owner(history: &History, session: usize) -> String {
    let Session { peer, .. } = history.sessions[session];
    let peer = &history.peers[peer];
    format!("{} ({})", peer.name, peer.version)
}
