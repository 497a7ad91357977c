//! Owns what all clients of a round share: the clock, the history, where the broker is, and whether there is
//! load. Who acts when is the round's business.

use crate::{
    clock::{At, Clock},
    connection::Heard,
    history::{History, Publication, PublicationIndex},
};
use std::{net::SocketAddr, sync::mpsc::SyncSender};

/// What the clients of a round share.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) clock: Clock,
    pub(crate) history: History,
    pub(crate) heard: SyncSender<Heard>,
    pub(crate) broker: Broker,
    pub(crate) load: Load,
}

/// Where the broker is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broker {
    /// None while it is down.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) listening_since: At,
    /// Which process it is, counted from 1.
    pub(crate) process: u32,
}

/// How far the round has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Everybody connects and subscribes.
    NotYet,
    Since(At),
    /// Nobody publishes; it began then.
    Paused(At),
    /// Everybody comes back and finishes what is under way.
    Over,
    /// Everybody leaves for good.
    Ended,
}

impl Stage {
    pub(crate) fn new(clock: Clock, heard: SyncSender<Heard>) -> Self {
        let broker = Broker { address: None, listening_since: At::default(), process: 0 };
        Self { clock, history: History::default(), heard, broker, load: Load::NotYet }
    }

    /// Puts a message into the history; its index goes into its payload.
    pub(crate) fn publication(&mut self, publication: Publication) -> PublicationIndex {
        self.history.publications.push(publication);
        self.history.publications.len() - 1
    }

    /// The latency counts only where the acknowledgement is of the last time the message was sent.
    pub(crate) fn acknowledged(&mut self, publication: PublicationIndex, at: At) {
        let publication = &mut self.history.publications[publication];
        if publication.acknowledged_at.is_none() {
            publication.acknowledged_at = Some(at);
            self.history.latencies.extend(publication.last_sent_at.map(|sent| at.since(sent)));
        }
    }
}
