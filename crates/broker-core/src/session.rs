//! Owns what the broker knows of one client, connected or not. What happens to it is decided in `shard`.

mod connection;
mod outbound;
mod queued;
mod route;
mod subscriptions;
mod table;
mod will;

pub(crate) use connection::Connection;
pub(crate) use outbound::{Accepted, Lost, Outbound};
pub(crate) use queued::{Own, Queued};
pub(crate) use route::Route;
pub(crate) use subscriptions::{Subscribed, Subscriptions};
pub(crate) use table::{Lifetime, Sessions};
pub(crate) use will::PendingWill;

use crate::{
    ids::{ConnectionId, SessionId},
    retained::RetainedCursor,
    retaining::Begun,
    subscriptions::LoadGauge,
    time::Timestamp,
    timers::TimerHandle,
};
use mqtt_codec::{QoS, flow::Receiver};
use std::collections::BTreeMap;

/// The session of one client identifier. All of its state is here and stays until it ends
/// `[MQTT311-4.1.0-1]`.
#[derive(Debug)]
pub(crate) struct Session {
    /// Its key, which no other session ever has.
    pub(crate) id: SessionId,
    /// Whose it is.
    pub(crate) client_id: Box<str>,
    /// The connection that uses it now.
    pub(crate) connection: Option<Box<Connection>>,
    /// What it subscribed to.
    pub(crate) subscriptions: Subscriptions,
    /// What is on its way to the client.
    pub(crate) outbound: Outbound,
    /// What is on its way from the client.
    pub(crate) receiver: Receiver,
    /// Retained messages still to be delivered, a page at a time, by the text of the filter.
    pub(crate) retained: BTreeMap<Box<str>, RetainedDelivery>,
    /// Whether it is on the shard's list for the next page of them.
    pub(crate) is_paging: bool,
    /// What to publish when the connection is lost.
    pub(crate) will: Option<Box<PendingWill>>,
    /// Seconds it outlives its connection; 4,294,967,295 is for ever.
    pub(crate) expiry_seconds: u32,
    /// When it lost its connection, if it has none.
    pub(crate) disconnected_at: Timestamp,
    /// When a delayed Will is due.
    pub(crate) will_timer: Option<TimerHandle>,
    /// When it ends.
    pub(crate) expiry_timer: Option<TimerHandle>,
    /// Tells the subscription index how busy a member of a shared subscription is.
    pub(crate) load: Option<LoadGauge>,
}

/// The retained messages of one subscription, as far as they are not delivered.
#[derive(Debug, Default)]
pub(crate) struct RetainedDelivery {
    /// How far it has come.
    pub(crate) cursor: RetainedCursor,
    /// The QoS granted.
    pub(crate) qos: QoS,
    /// Whether the client's own messages are left out.
    pub(crate) no_local: bool,
    /// The Subscription Identifier, 0 for none.
    pub(crate) identifier: u32,
    /// Whose messages may belong to them and were not retained yet.
    pub(crate) awaited: Begun,
}

impl Session {
    /// A session that was never connected.
    pub(crate) fn new(id: SessionId, client_id: &str) -> Self {
        Self {
            id,
            client_id: Box::from(client_id),
            connection: None,
            subscriptions: Subscriptions::default(),
            outbound: Outbound::new(),
            receiver: Receiver::new(0),
            retained: BTreeMap::new(),
            is_paging: false,
            will: None,
            expiry_seconds: 0,
            disconnected_at: Timestamp::ZERO,
            will_timer: None,
            expiry_timer: None,
            load: None,
        }
    }

    /// The connection's key, if there is one.
    pub(crate) fn connection_id(&self) -> Option<ConnectionId> {
        self.connection.as_ref().map(|connection| connection.id)
    }

    /// Whether a page of retained messages could be delivered now. Behind a full outbox, a full window or
    /// a waiting queue it would only pile up, and what the queue has no room for would be lost.
    pub(crate) fn is_ready_for_retained(&self) -> bool {
        let Some(first) = self.retained.values().next() else { return false };
        let is_open = self.connection.as_ref().is_some_and(|connection| !connection.is_congested);
        is_open && (first.qos == QoS::AtMostOnce || self.outbound.is_clear())
    }

    /// Whether a free place in the window is of use to anything.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        // An acknowledgement is held as long as the queue is beyond its limit, so never beside an empty one.
        debug_assert!(!self.outbound.is_clear() || !self.outbound.is_holding());
        !self.outbound.is_clear() || !self.retained.is_empty()
    }

    /// QoS 1 and 2 messages that may be sent now, nothing being in flight unsent.
    pub(crate) fn window_room(&self) -> usize {
        let window = self.connection.as_ref().map_or(0, |connection| usize::from(connection.receive_maximum));
        window.saturating_sub(self.outbound.sender.len())
    }

    /// States to the subscription index how much waits here.
    pub(crate) fn report_load(&self) {
        if let Some(load) = &self.load {
            load.set(u32::try_from(self.outbound.len()).unwrap_or(u32::MAX));
        }
    }
}
