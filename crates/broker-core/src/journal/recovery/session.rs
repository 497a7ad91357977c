//! Owns what operations do to one session while the journal is replayed. Which session is meant is told
//! elsewhere.

use crate::{
    ids::SessionId,
    journal::{
        ConnectionState, InFlightState, Position, QueuedState, RetainedState, SessionState,
        SubscriptionState, WillRef,
    },
    time::Timestamp,
};
use core::{borrow::Borrow, cmp::Ordering};
use mqtt_codec::{
    QoS,
    flow::Step,
    packet::{PacketId, SubscriptionOptions},
};
use std::collections::{BTreeSet, VecDeque};

/// A session as far as it was replayed: its state, with the lists that are searched in other shapes.
#[derive(Debug)]
pub(super) struct Session {
    /// Without subscriptions and what is in flight.
    state: SessionState,
    subscriptions: BTreeSet<ByFilter>,
    in_flight: VecDeque<InFlightState>,
    /// Those in the queue that were recorded apart from their messages since the last slice.
    recorded_apart: usize,
}

impl Session {
    /// One that begins. It has a connection, but was told no expiry: it ends with it.
    pub(super) fn begin(id: SessionId, client_id: &str) -> Self {
        Self::from_state(SessionState {
            id,
            client_id: Box::from(client_id),
            expiry_seconds: 0,
            connection: ConnectionState::Connected,
            will: None,
            subscriptions: Vec::new(),
            unreleased: Vec::new(),
            in_flight: Vec::new(),
            queue: VecDeque::new(),
        })
    }

    /// One that a slice tells of.
    pub(super) fn from_state(mut state: SessionState) -> Self {
        Self {
            subscriptions: std::mem::take(&mut state.subscriptions).into_iter().map(ByFilter).collect(),
            in_flight: std::mem::take(&mut state.in_flight).into(),
            recorded_apart: 0,
            state,
        }
    }

    /// What became of it.
    pub(super) fn into_state(self) -> SessionState {
        let Self { mut state, subscriptions, in_flight, .. } = self;
        state.subscriptions = subscriptions.into_iter().map(|ByFilter(subscription)| subscription).collect();
        state.unreleased.sort_unstable();
        state.unreleased.dedup();
        state.in_flight = in_flight.into();
        if has_repeated_identifiers(&state.in_flight) {
            keep_last_of_each_identifier(&mut state.in_flight);
        }
        for queued in
            state.queue.iter_mut().chain(state.in_flight.iter_mut().filter_map(|it| it.queued.as_mut()))
        {
            queued.recorded = Position::NONE;
        }
        state
    }

    /// What waited in it.
    pub(super) fn into_queue(self) -> impl Iterator<Item = QueuedState> {
        self.state.queue.into_iter()
    }

    /// How many messages wait in it.
    pub(super) fn queue_len(&self) -> usize {
        self.state.queue.len()
    }

    /// Its subscription to a filter, share prefix included.
    pub(super) fn subscription(&self, filter: &str) -> Option<&SubscriptionState> {
        self.subscriptions.get(filter).map(|ByFilter(subscription)| subscription)
    }

    pub(super) fn id(&self) -> SessionId {
        self.state.id
    }

    pub(super) fn set_id(&mut self, id: SessionId) {
        self.state.id = id;
    }

    pub(super) fn client_id(&self) -> &str {
        &self.state.client_id
    }

    /// A message joins the queue, behind what was recorded before it.
    #[inline]
    pub(super) fn enqueue(&mut self, queued: QueuedState) {
        self.recorded_apart += usize::from(is_recorded_apart(&queued));
        self.state.queue.push_back(queued);
    }

    /// A connection has its own expiry and Will, whatever the one before had.
    pub(super) fn connect(&mut self, expiry_seconds: u32, will: Option<WillRef<'_>>) {
        self.state.expiry_seconds = expiry_seconds;
        self.state.connection = ConnectionState::Connected;
        self.state.will = will.map(WillRef::to_state);
    }

    pub(super) fn disconnect(&mut self, at: Timestamp, expiry_seconds: u32, keeps_will: bool) {
        self.state.expiry_seconds = expiry_seconds;
        self.state.connection = ConnectionState::DisconnectedSince(at);
        if !keeps_will {
            self.forget_will();
        }
    }

    pub(super) fn forget_will(&mut self) {
        self.state.will = None;
    }

    /// A subscription that is replaced goes on with its retained messages if the new one asks for none, as
    /// it does when the client is there.
    pub(super) fn subscribe(
        &mut self,
        filter: &str,
        options: SubscriptionOptions,
        identifier: u32,
        share_name_bytes: Option<usize>,
        wants_retained: bool,
    ) {
        let former = self.subscriptions.take(filter);
        let retained = match former {
            _ if wants_retained => RetainedState::FromStart,
            Some(ByFilter(former)) => former.retained,
            None => RetainedState::Nothing,
        };
        let filter = Box::from(filter);
        let subscription = SubscriptionState { filter, options, identifier, share_name_bytes, retained };
        self.subscriptions.insert(ByFilter(subscription));
    }

    pub(super) fn unsubscribe(&mut self, filter: &str) {
        self.subscriptions.remove(filter);
    }

    pub(super) fn retained_progress(&mut self, filter: &str, cursor: Option<&[u8]>) {
        if let Some(ByFilter(mut subscription)) = self.subscriptions.take(filter) {
            subscription.retained =
                cursor.map_or(RetainedState::Nothing, |cursor| RetainedState::From(cursor.to_vec()));
            self.subscriptions.insert(ByFilter(subscription));
        }
    }

    /// A message leaves the queue and is in flight. Of one that was in memory alone, which is sent at QoS 2, the
    /// identifier is what matters: the client may have it, and would take another message under it for the same. As if
    /// PUBREC had come, PUBREL frees it on both ends.
    pub(super) fn send(&mut self, position: Position, packet_id: PacketId, mark: u32) {
        if position == Position::NONE {
            let (qos, step) = (QoS::ExactlyOnce, Step::Received);
            return self.in_flight.push_back(InFlightState { packet_id, qos, step, queued: None });
        }
        if let Some(queued) = self.take_queued(position, mark) {
            let in_flight =
                InFlightState { packet_id, qos: queued.qos, step: Step::Published, queued: Some(queued) };
            self.in_flight.push_back(in_flight);
        }
    }

    /// Nothing more of a publication is to be sent. Acknowledgements come in any order.
    pub(super) fn acknowledge(&mut self, packet_id: PacketId) {
        if let Some(index) = self.index_in_flight(packet_id) {
            self.in_flight.remove(index);
        }
    }

    /// PUBREC came: from now on PUBREL is what is sent again, not the message `[MQTT5-4.3.3-6]`. The publication
    /// keeps its place, in which PUBRELs are sent again.
    pub(super) fn pubrec(&mut self, packet_id: PacketId) {
        if let Some(index) = self.index_in_flight(packet_id) {
            let in_flight = &mut self.in_flight[index];
            in_flight.step = Step::Received;
            in_flight.queued = None;
        }
    }

    /// A message leaves the queue unsent.
    pub(super) fn discard(&mut self, position: Position, mark: u32) {
        self.take_queued(position, mark);
    }

    /// A QoS 2 PUBLISH is received: one with its identifier is a duplicate until PUBREL comes
    /// `[MQTT5-4.3.3-10]` `[MQTT311-4.3.3-2]`.
    pub(super) fn receive(&mut self, packet_id: PacketId) {
        self.state.unreleased.push(packet_id);
    }

    pub(super) fn release(&mut self, packet_id: PacketId) {
        self.state.unreleased.retain(|&unreleased| unreleased != packet_id);
    }

    fn index_in_flight(&self, packet_id: PacketId) -> Option<usize> {
        self.in_flight.iter().position(|in_flight| in_flight.packet_id == packet_id)
    }

    /// Takes the message of a record out of the queue: the first one, if it waits there twice. Of two that are alike
    /// it is the one that the session's own shard recorded, as a retained message: the other may be on its way to that
    /// shard, and then the next slice leaves it.
    ///
    /// It is the front one, but for a few that expire or that another shard's records have overtaken in the log.
    /// Those are found by bisection: what a slice told stands first, mostly in the order of the messages'
    /// records; behind it stands what was added since, strictly in the order of the records that added it, which
    /// is the message's own, but for retained messages and for those that another member of a group gave back.
    fn take_queued(&mut self, position: Position, mark: u32) -> Option<QueuedState> {
        let (queue, shard) = (&mut self.state.queue, self.state.id.shard());
        let is_meant = |queued: &QueuedState| queued.position == position && queued.mark() == mark;
        if self.recorded_apart > 0 {
            let is_own = |queued: &QueuedState| {
                is_meant(queued) && is_recorded_apart(queued) && queued.writer == shard
            };
            if let Some(index) = queue.iter().position(is_own) {
                self.recorded_apart -= 1;
                return queue.remove(index);
            }
        }
        if is_meant(queue.front()?) {
            self.recorded_apart -= usize::from(queue.front().is_some_and(is_recorded_apart));
            return queue.pop_front();
        }
        let is_it = |&index: &usize| queue.get(index).is_some_and(is_meant);
        let added_since = queue.partition_point(|queued| !queued.recorded.is_some());
        let in_slice = partition_point(0, added_since, |index| queue[index].position < position);
        let since = partition_point(added_since, queue.len(), |index| queue[index].recorded < position);
        let index = Some(in_slice)
            .filter(is_it)
            .or(Some(since).filter(is_it))
            .or_else(|| queue.iter().position(is_meant))
            .or_else(|| queue.iter().position(|queued| queued.position == position))?;
        self.recorded_apart -= usize::from(queue.get(index).is_some_and(is_recorded_apart));
        queue.remove(index)
    }
}

/// Whether a message was recorded before it was for this session.
fn is_recorded_apart(queued: &QueuedState) -> bool {
    queued.recorded > queued.position
}

/// The first index from `low` on that is not before what is looked for, `high` if there is none.
fn partition_point(mut low: usize, mut high: usize, is_before: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = low.midpoint(high);
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn has_repeated_identifiers(in_flight: &[InFlightState]) -> bool {
    // Identifiers count up, mostly.
    if in_flight.is_sorted_by(|one, next| one.packet_id < next.packet_id) {
        return false;
    }
    let mut identifiers: Vec<_> = in_flight.iter().map(|it| it.packet_id).collect();
    identifiers.sort_unstable();
    identifiers.windows(2).any(|pair| pair[0] == pair[1])
}

/// No shard gives an identifier twice. If a record says so all the same, whoever goes on from here can still rely
/// on it.
fn keep_last_of_each_identifier(in_flight: &mut Vec<InFlightState>) {
    let mut kept = BTreeSet::new();
    in_flight.reverse();
    in_flight.retain(|it| kept.insert(it.packet_id));
    in_flight.reverse();
}

/// A subscription, sorted and found by its filter.
#[derive(Debug)]
struct ByFilter(SubscriptionState);

impl Borrow<str> for ByFilter {
    fn borrow(&self) -> &str {
        &self.0.filter
    }
}

impl PartialEq for ByFilter {
    fn eq(&self, other: &Self) -> bool {
        self.0.filter == other.0.filter
    }
}

impl Eq for ByFilter {}

impl PartialOrd for ByFilter {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByFilter {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.filter.cmp(&other.0.filter)
    }
}
