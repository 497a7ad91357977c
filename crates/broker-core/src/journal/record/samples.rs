//! Owns arbitrary values for the tests of records: the same ones for the same seed.

use crate::{
    config::Durability,
    ids::{SessionId, ShardId},
    journal::{
        ConnectionState, InFlightState, Operation, Position, QueuedState, RetainedState, SessionState,
        SubscriptionState, WillRef, state::QueuedRest,
    },
    message::MessageRef,
    time::Timestamp,
};
use mqtt_codec::{
    QoS, TopicNameRef,
    flow::Step,
    packet::{PacketId, RetainHandling, SubscriptionOptions},
};

/// A source of arbitrary values.
pub(in crate::journal) struct Samples(u64);

const TEXTS: [&str; 6] =
    ["", "a", "client", "größer", "$share/group/a/+", "0123456789012345678901234567890123456789"];
const TOPICS: [&str; 4] = ["a", "a/b", "sensors/größe/7", "$SYS/x"];
const FILTERS: [(&str, Option<usize>); 5] =
    [("#", None), ("a/+/c", None), ("$share/group/a/#", Some(5)), ("$share/+", None), ("$", None)];
/// User Property "k" = "v", Content Type "t".
const PROPERTIES: [&[u8]; 3] =
    [&[], &[0x26, 0, 1, b'k', 0, 1, b'v'], &[0x03, 0, 1, b't', 0x26, 0, 1, b'k', 0, 1, b'v']];
const PAYLOADS: [&[u8]; 3] = [&[], b"payload", &[0xFF; 300]];

impl Samples {
    pub(in crate::journal) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(in crate::journal) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 16).expect("48 bits") % end
    }

    pub(in crate::journal) fn chance(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(in crate::journal) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(in crate::journal) fn up_to<T>(
        &mut self,
        most: usize,
        mut make: impl FnMut(&mut Self) -> T,
    ) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    /// A number of any length.
    pub(in crate::journal) fn number(&mut self) -> u64 {
        let bits = self.below(64);
        self.next() >> bits
    }

    pub(in crate::journal) fn u32(&mut self) -> u32 {
        u32::try_from(self.number() & 0xFFFF_FFFF).expect("32 bits")
    }

    pub(in crate::journal) fn position(&mut self) -> Position {
        Position::new(self.number().clamp(1, Position::MAX.get()))
    }

    pub(in crate::journal) fn time(&mut self) -> Timestamp {
        if self.chance() { Timestamp::NEVER } else { Timestamp::from_millis(self.number()) }
    }

    pub(in crate::journal) fn shard(&mut self) -> ShardId {
        ShardId(self.pick(&[0, 1, 7, ShardId::MAX.0]))
    }

    pub(in crate::journal) fn session(&mut self) -> SessionId {
        let slot = self.u32() % SessionId::SLOTS_MAX;
        let generation = if self.chance() { slot } else { self.u32() };
        SessionId::new(self.shard(), slot, generation).durable()
    }

    pub(in crate::journal) fn packet_id(&mut self) -> PacketId {
        PacketId::new(self.pick(&[1, 2, 127, 128, 65_535])).expect("not zero")
    }

    pub(in crate::journal) fn text(&mut self) -> &'static str {
        self.pick(&TEXTS)
    }

    fn promised_qos(&mut self) -> QoS {
        self.pick(&[QoS::AtLeastOnce, QoS::ExactlyOnce])
    }

    pub(in crate::journal) fn message(&mut self) -> MessageRef<'static> {
        MessageRef {
            topic: TopicNameRef::new(self.pick(&TOPICS)).expect("a topic"),
            properties: self.pick(&PROPERTIES),
            payload: self.pick(&PAYLOADS),
            qos: self.pick(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]),
            retain: self.chance(),
            expires_at: self.time(),
            publisher: None,
            durability: Durability::Disk,
            position: Position::NONE,
        }
    }

    pub(in crate::journal) fn queued(&mut self) -> QueuedState {
        let rest = QueuedRest {
            identifiers: self.up_to(3, |it| it.u32() >> 4).into(),
            group: self.chance().then(|| Box::from(self.text())),
        };
        let is_plain = rest == QueuedRest::default();
        QueuedState {
            position: self.position(),
            recorded: Position::NONE,
            expires_at: self.time(),
            rest: (!is_plain).then(|| Box::new(rest)),
            bytes: self.u32(),
            writer: ShardId(0),
            qos: self.promised_qos(),
            retain: self.chance(),
        }
    }

    fn will(&mut self) -> WillRef<'static> {
        WillRef {
            topic: self.pick(&TOPICS),
            properties: self.pick(&PROPERTIES),
            payload: self.pick(&PAYLOADS),
            qos: self.pick(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]),
            retain: self.chance(),
            delay_seconds: self.u32(),
            expiry_seconds: self.chance().then(|| self.u32()),
        }
    }

    fn options(&mut self) -> SubscriptionOptions {
        SubscriptionOptions {
            maximum_qos: self.pick(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]),
            no_local: self.chance(),
            retain_as_published: self.chance(),
            retain_handling: self.pick(&[
                RetainHandling::Send,
                RetainHandling::SendIfNew,
                RetainHandling::DoNotSend,
            ]),
        }
    }

    fn subscription(&mut self) -> SubscriptionState {
        let (filter, share_name_bytes) = self.pick(&FILTERS);
        SubscriptionState {
            filter: Box::from(filter),
            options: self.options(),
            identifier: self.u32() >> 4,
            share_name_bytes,
            retained: match self.below(3) {
                0 => RetainedState::Nothing,
                1 => RetainedState::FromStart,
                _ => RetainedState::From(self.text().into()),
            },
        }
    }

    fn in_flight(&mut self) -> InFlightState {
        let queued = self.chance().then(|| self.queued());
        let step = self.pick(&[Step::Published, Step::Received]);
        InFlightState { packet_id: self.packet_id(), qos: self.promised_qos(), step, queued }
    }

    pub(in crate::journal) fn state(&mut self) -> SessionState {
        SessionState {
            id: self.session(),
            client_id: Box::from(self.text()),
            expiry_seconds: self.u32(),
            connection: match self.chance() {
                true => ConnectionState::Connected,
                false => ConnectionState::DisconnectedSince(self.time()),
            },
            will: self.chance().then(|| self.will().to_state()),
            subscriptions: self.up_to(3, Self::subscription),
            unreleased: self.up_to(3, Self::packet_id),
            in_flight: self.up_to(3, Self::in_flight),
            queue: self.up_to(5, Self::queued).into(),
        }
    }

    /// One of each kind, by turns.
    pub(in crate::journal) fn operation(&mut self, turn: usize, session: SessionId) -> Operation<'static> {
        let (filter, share_name_bytes) = self.pick(&FILTERS);
        let packet_id = self.packet_id();
        match turn % 16 {
            0 => Operation::Opened { session, client_id: self.text() },
            1 => Operation::Bound { session, client_id: self.text() },
            2 => Operation::Connected {
                session,
                expiry_seconds: self.u32(),
                will: self.chance().then(|| self.will()),
            },
            3 => Operation::Disconnected {
                session,
                at: self.time(),
                expiry_seconds: self.u32(),
                keeps_will: self.chance(),
            },
            4 => Operation::WillGone { session },
            5 => Operation::Ended { session },
            6 => Operation::Subscribed {
                session,
                filter,
                options: self.options(),
                identifier: self.u32() >> 4,
                share_name_bytes,
                wants_retained: self.chance(),
            },
            7 => Operation::Unsubscribed { session, filter },
            8 => Operation::RetainedProgress {
                session,
                filter,
                cursor: self.chance().then(|| self.text().as_bytes()),
            },
            9 => Operation::Queued { session, queued: self.queued() },
            10 => Operation::Sent { session, position: self.position(), packet_id, mark: 1 },
            11 => Operation::Acked { session, packet_id },
            12 => Operation::Received { session, packet_id },
            13 => Operation::Dropped { session, position: self.position(), mark: 6 },
            14 => Operation::InboundReceived { session, packet_id },
            _ => Operation::InboundReleased { session, packet_id },
        }
    }
}
