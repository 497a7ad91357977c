//! One subscriber of one filter, as the caller gives it and as the index packs it. Lists of them are
//! kept elsewhere.

use mqtt_codec::QoS;

use crate::ids::{GroupId, SessionId};

/// A session and the options it subscribed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Who receives.
    pub session: SessionId,
    /// The QoS granted.
    pub qos: QoS,
    /// Whether what the session itself publishes is kept from it.
    pub no_local: bool,
    /// Whether the RETAIN flag is forwarded as published.
    pub retain_as_published: bool,
    /// The Subscription Identifier, 0 for none; at most 268,435,455.
    pub identifier: u32,
}

/// Twelve bytes: the bits of a [`SessionId`] or [`GroupId`] in two halves (which aligns them to four
/// bytes), then the Subscription Identifier over four bits of options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Entry {
    high: u32,
    low: u32,
    options: u32,
}

/// What an [`Entry`] names.
pub(super) enum Named {
    Session(Subscriber),
    Group(GroupId),
}

const QOS_BITS: u32 = 0b11;
const NO_LOCAL: u32 = 1 << 2;
const RETAIN_AS_PUBLISHED: u32 = 1 << 3;
const IDENTIFIER_SHIFT: u32 = 4;

impl Entry {
    pub(super) fn from_subscriber(subscriber: Subscriber) -> Self {
        assert!(subscriber.identifier < 1 << 28, "a Subscription Identifier has at most 28 bits");
        let mut options = qos_bits(subscriber.qos) | subscriber.identifier << IDENTIFIER_SHIFT;
        if subscriber.no_local {
            options |= NO_LOCAL;
        }
        if subscriber.retain_as_published {
            options |= RETAIN_AS_PUBLISHED;
        }
        Self::new(subscriber.session.to_bits(), options)
    }

    pub(super) fn from_group(group: GroupId) -> Self {
        Self::new(group.to_bits(), qos_bits(QoS::AtMostOnce))
    }

    #[allow(clippy::cast_possible_truncation, reason = "the key is kept in two halves")]
    pub(super) fn new(key: u64, options: u32) -> Self {
        Self { high: (key >> 32) as u32, low: key as u32, options }
    }

    /// Sessions first, grouped by shard, then groups.
    pub(super) fn key(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }

    pub(super) fn options(self) -> u32 {
        self.options
    }

    pub(super) fn named(self) -> Named {
        if GroupId::owns(self.key()) {
            return Named::Group(GroupId::from_bits(self.key()));
        }
        Named::Session(Subscriber {
            session: SessionId::from_bits(self.key()),
            qos: qos_of(self.options),
            no_local: self.options & NO_LOCAL != 0,
            retain_as_published: self.options & RETAIN_AS_PUBLISHED != 0,
            identifier: self.options >> IDENTIFIER_SHIFT,
        })
    }
}

/// The subscribers of one filter in twelve bytes: none, one in place, or the number of a list.
/// Most filters have one subscriber, who then costs no further memory and no further cache miss.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subscribers(Entry);

/// What [`Subscribers`] hold.
pub(super) enum Held {
    Nobody,
    One(Entry),
    List(u32),
}

/// The options no entry has, because 3 is not a QoS. Its key is then the number of a list.
const NO_ENTRY: u32 = QOS_BITS;
const NOBODY: u64 = u64::MAX;

impl Subscribers {
    pub(super) fn one(entry: Entry) -> Self {
        debug_assert_ne!(entry.options & QOS_BITS, NO_ENTRY, "{entry:?} is no entry");
        Self(entry)
    }

    pub(super) fn list(list: u32) -> Self {
        Self(Entry::new(u64::from(list), NO_ENTRY))
    }

    pub(super) fn held(self) -> Held {
        match self.0.options == NO_ENTRY {
            false => Held::One(self.0),
            true if self.0.key() == NOBODY => Held::Nobody,
            true => Held::List(self.0.low),
        }
    }

    pub(super) fn is_empty(self) -> bool {
        matches!(self.held(), Held::Nobody)
    }
}

impl Default for Subscribers {
    fn default() -> Self {
        Self(Entry::new(NOBODY, NO_ENTRY))
    }
}

fn qos_bits(qos: QoS) -> u32 {
    match qos {
        QoS::AtMostOnce => 0,
        QoS::AtLeastOnce => 1,
        QoS::ExactlyOnce => 2,
    }
}

fn qos_of(options: u32) -> QoS {
    match options & QOS_BITS {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        2 => QoS::ExactlyOnce,
        _ => unreachable!("an entry has a QoS"),
    }
}
