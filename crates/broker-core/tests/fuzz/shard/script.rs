//! Owns the language of the programs: which bytes stand for which step, and the packets they build.
//! Any bytes are a program. Carrying it out is the world's business.

use broker_core::config::{Capabilities, Config, Limits, QueuePolicy, ShareStrategy, Sys};
use bytes::Bytes;
use mqtt_codec::{
    Packet, Properties, Property, PropertyOwner, ProtocolVersion, QoS, ReasonCode, TopicAlias,
    TopicFilterRef, TopicName,
    packet::{
        Ack, Connect, Delivery, Disconnect, PacketId, Publish, RetainHandling, Subscribe, Subscription,
        SubscriptionOptions, Unsubscribe, Will,
    },
};
use std::num::{NonZeroU16, NonZeroU32};

/// How many connections a program can tell apart.
pub(super) const SEATS: usize = 8;

/// One thing that happens, mostly at one seat.
#[expect(clippy::large_enum_variant, reason = "each is carried out at once, none is kept")]
pub(super) enum Step {
    /// Bytes, whatever they are; on a seat without a connection they open one.
    Say(Vec<u8>),
    /// A packet, if the version of the connection knows it.
    Packet(Packet),
    /// The client acknowledges what it has owed for the longest time.
    Answer(Reason),
    HangUp,
    OutboxFull,
    OutboxDrained,
    ToNextDeadline,
    /// Milliseconds go by.
    Pass(u64),
    /// One message between shards arrives.
    Letter(usize),
    /// All messages between shards arrive.
    AllMail,
}

/// Whether an acknowledgement says yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Success,
    Error,
}

const TOPICS: [&str; 8] = ["a", "a/b", "a/b/c", "b", "$SYS/a", "/", "a//b", ""];
const FILTERS: [&str; 16] = [
    "a",
    "a/b",
    "#",
    "+/b",
    "$share/g/a",
    "$share/g/#",
    "$SYS/#",
    "+",
    "a/#",
    "$share/h/+/b",
    "/",
    "+/+",
    "$share/g/a/b",
    "b",
    "a//b",
    "$share/h/a",
];
const CLIENT_IDS: [&str; 4] = ["", "a", "b", "c"];
const PAYLOAD_BYTES: [usize; 4] = [0, 1, 40, 3000];
const SECONDS: [Option<u32>; 4] = [None, Some(0), Some(1), Some(5)];

/// The rest of a program. What is missing at its end is 0.
pub(super) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    pub(super) fn shards(&mut self) -> usize {
        1 + usize::from(self.byte() % 3)
    }

    /// Small limits, so that short programs reach them; or the defaults.
    pub(super) fn config(&mut self) -> Config {
        let bits = self.byte();
        let queue_policy = match bits & 3 {
            0 => QueuePolicy::DropOldest,
            1 => QueuePolicy::DropNewest,
            _ => QueuePolicy::HoldPublisher,
        };
        let share_strategy = match bits >> 2 & 3 {
            0 => ShareStrategy::RoundRobin,
            1 => ShareStrategy::LeastInFlight,
            2 => ShareStrategy::StickyTopic,
            _ => ShareStrategy::StickyPublisher,
        };
        let limits = if is_set(bits, 4) { small_limits() } else { Limits::default() };
        let capabilities = if is_set(bits, 5) {
            Capabilities { maximum_qos: QoS::AtLeastOnce, ..Capabilities::default() }
        } else {
            Capabilities::default()
        };
        let sys = if is_set(bits, 6) { Sys { interval_ms: 1000 } } else { Sys { interval_ms: 0 } };
        Config { limits, capabilities, queue_policy, share_strategy, sys, durability: Vec::new() }
    }

    /// The next step: four bits for what, three for where, one more for which, then what it needs.
    pub(super) fn step(&mut self) -> Option<(usize, Step)> {
        let &first = self.0.first()?;
        let bits = self.byte();
        let step = match first & 15 {
            0 | 1 => Step::Say(self.connect()),
            2 => {
                let length = usize::from(self.byte() & 63).min(self.0.len());
                let (bytes, rest) = self.0.split_at(length);
                self.0 = rest;
                Step::Say(bytes.to_vec())
            }
            3 | 4 => self.publish(),
            5 | 6 => self.subscribe(),
            7 => Step::Packet(self.unsubscribe()),
            8 | 9 => Step::Answer(if is_set(bits, 7) { Reason::Error } else { Reason::Success }),
            10 => Step::HangUp,
            11 if is_set(bits, 7) => Step::ToNextDeadline,
            11 => Step::Pass(1 << (self.byte() & 31)),
            12 if is_set(bits, 7) => Step::OutboxFull,
            12 => Step::OutboxDrained,
            13 => Step::Letter(usize::from(self.byte())),
            14 => Step::AllMail,
            _ => Step::Packet(self.short_packet()),
        };
        Some((usize::from(first >> 4) % SEATS, step))
    }

    /// A CONNECT, as bytes: its version is its own.
    fn connect(&mut self) -> Vec<u8> {
        let (who, terms, last) = (self.byte(), self.byte(), self.byte());
        let version = version(who);
        let will = is_set(who, 5).then(|| self.will(version, last));
        let mut properties = Vec::new();
        properties.extend(
            [None, NonZeroU16::new(1), NonZeroU16::new(2), NonZeroU16::new(5)][two_bits(terms, 0)]
                .map(Property::ReceiveMaximum),
        );
        properties.extend(
            [None, NonZeroU32::new(4), NonZeroU32::new(24), NonZeroU32::new(60)][two_bits(terms, 2)]
                .map(Property::MaximumPacketSize),
        );
        properties.extend(SECONDS[two_bits(terms, 4)].map(Property::SessionExpiryInterval));
        properties
            .extend([None, Some(0), Some(1), Some(2)][two_bits(terms, 6)].map(Property::TopicAliasMaximum));
        properties.extend(is_set(last, 7).then_some(Property::RequestProblemInformation(false)));
        let connect = Connect {
            version,
            clean_start: is_set(who, 2),
            keep_alive_seconds: u16::from(is_set(who, 7)),
            client_id: CLIENT_IDS[two_bits(who, 3)].into(),
            will,
            user_name: None,
            password: None,
            properties: properties_for(version, PropertyOwner::Connect, properties),
        };
        let mut bytes = Vec::new();
        // 3.1 has no empty client identifier: then nothing is said.
        if Packet::Connect(connect).encode(version, &mut bytes).is_err() {
            bytes.clear();
        }
        bytes
    }

    fn will(&mut self, version: ProtocolVersion, bits: u8) -> Will {
        let delay = SECONDS[two_bits(bits, 2)].map(Property::WillDelayInterval);
        Will {
            qos: qos(bits),
            retain: is_set(bits, 6),
            topic: topic(bits >> 4 & 3).expect("the first topics are not empty"),
            payload: Bytes::from_static(b"will"),
            properties: properties_for(version, PropertyOwner::Will, delay),
        }
    }

    /// Its properties are lost on a connection of 3.x.
    fn publish(&mut self) -> Step {
        let (what, how) = (self.byte(), self.byte());
        let (packet_id, dup) = (packet_id(how), is_set(what, 6));
        let delivery = match qos(what >> 3) {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
            QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
        };
        let mut properties = Vec::new();
        let alias = u16::try_from(two_bits(how, 2)).ok().and_then(TopicAlias::new);
        properties.extend(alias.map(Property::TopicAlias));
        properties.extend(SECONDS[two_bits(how, 4)].map(Property::MessageExpiryInterval));
        properties.extend(is_set(what, 7).then_some(Property::UserProperty("name", "value")));
        Step::Packet(Packet::Publish(Publish {
            delivery,
            retain: is_set(what, 5),
            topic: topic(what & 7),
            properties: properties_for(ProtocolVersion::V5, PropertyOwner::Publish, properties),
            payload: Bytes::from(vec![b'x'; PAYLOAD_BYTES[two_bits(how, 6)]]),
        }))
    }

    fn subscribe(&mut self) -> Step {
        let (which, how) = (self.byte(), self.byte());
        let options = SubscriptionOptions {
            maximum_qos: qos(how),
            no_local: is_set(how, 2),
            retain_as_published: is_set(how, 3),
            retain_handling: [
                RetainHandling::Send,
                RetainHandling::SendIfNew,
                RetainHandling::DoNotSend,
                RetainHandling::Send,
            ][two_bits(how, 4)],
        };
        let filters =
            if is_set(which, 7) { vec![filter(which), filter(how >> 2)] } else { vec![filter(which)] };
        let subscriptions = filters.into_iter().map(|filter| {
            // Not legal for a shared one [MQTT5-3.8.3-4]; the codec's tests say so of the bytes.
            let no_local = options.no_local && filter.share_name().is_none();
            Subscription { filter, options: SubscriptionOptions { no_local, ..options } }
        });
        let identifier = is_set(how, 6).then_some(Property::SubscriptionIdentifier(NonZeroU32::MIN));
        let properties = properties_for(ProtocolVersion::V5, PropertyOwner::Subscribe, identifier);
        let subscribe = Subscribe::new(packet_id(which >> 4), properties, subscriptions);
        Step::Packet(Packet::Subscribe(subscribe.expect("one or two legal filters")))
    }

    fn unsubscribe(&mut self) -> Packet {
        let which = self.byte();
        let unsubscribe = Unsubscribe::new(packet_id(which >> 4), Properties::default(), [filter(which)]);
        Packet::Unsubscribe(unsubscribe.expect("one filter"))
    }

    fn short_packet(&mut self) -> Packet {
        let bits = self.byte();
        let acknowledge = |kind: fn(Ack) -> Packet| kind(Ack::new(packet_id(bits >> 3), ReasonCode::Success));
        let disconnect =
            |reason| Packet::Disconnect(Disconnect { reason, properties: Properties::default() });
        match bits & 7 {
            0 => Packet::PingReq,
            1 => disconnect(ReasonCode::Success),
            2 => disconnect(ReasonCode::DisconnectWithWill),
            3 => acknowledge(Packet::PubAck),
            4 => acknowledge(Packet::PubRec),
            5 => acknowledge(Packet::PubComp),
            _ => acknowledge(Packet::PubRel),
        }
    }

    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }
}

fn small_limits() -> Limits {
    Limits {
        connections_max: 5,
        sessions_max: 4,
        packet_bytes_max: 3500,
        topic_levels_max: 3,
        subscriptions_per_session_max: 3,
        queue_messages_max: 2,
        queue_bytes_max: 3100,
        inflight_max: 2,
        receive_maximum: 2,
        inbound_inflight_max_v3: 2,
        topic_alias_maximum: 2,
        topic_alias_outbound_max: 1,
        retained_messages_max: 2,
        retained_bytes_max: 3100,
        keep_alive_seconds_max: 30,
        session_expiry_seconds_max: 3,
        ..Limits::default()
    }
}

/// 3.x has none.
fn properties_for<'a>(
    version: ProtocolVersion,
    owner: PropertyOwner,
    properties: impl IntoIterator<Item = Property<'a>>,
) -> Properties {
    if !version.has_properties() {
        return Properties::default();
    }
    Properties::new(owner, properties).expect("each property belongs to its packet, once")
}

fn version(bits: u8) -> ProtocolVersion {
    match bits & 3 {
        0 => ProtocolVersion::V31,
        1 => ProtocolVersion::V311,
        _ => ProtocolVersion::V5,
    }
}

fn qos(bits: u8) -> QoS {
    match bits & 3 {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

/// None for the empty one, which an alias stands for.
fn topic(bits: u8) -> Option<TopicName> {
    TopicName::owned(TOPICS[usize::from(bits) % TOPICS.len()]).ok()
}

fn filter(bits: u8) -> TopicFilterRef<'static> {
    TopicFilterRef::new(FILTERS[usize::from(bits) % FILTERS.len()]).expect("all are filters")
}

/// One to four: programs are to use one again.
fn packet_id(bits: u8) -> PacketId {
    PacketId::new(1 + u16::from(bits & 3)).expect("not 0")
}

fn is_set(bits: u8, number: u8) -> bool {
    bits >> number & 1 == 1
}

fn two_bits(bits: u8, from: u8) -> usize {
    usize::from(bits >> from & 3)
}
