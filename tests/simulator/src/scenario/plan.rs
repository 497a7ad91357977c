//! Owns the options of what clients do: how they connect, what they publish, how they subscribe. Nothing
//! here knows a packet.

use super::{Mix, topics};
use crate::{
    observation::{MessageKey, PADDING},
    random::Random,
};
use bytes::Bytes;
use mqtt_codec::{ProtocolVersion, QoS, packet::RetainHandling, packet::SubscriptionOptions};

/// How a client connects.
#[derive(Clone, Debug)]
pub(crate) struct ConnectPlan {
    pub version: ProtocolVersion,
    pub clean_start: bool,
    pub keep_alive_seconds: u16,
    /// 5.0: none leaves the property out.
    pub session_expiry_seconds: Option<u32>,
    pub receive_maximum: Option<u16>,
    pub packet_bytes_max: Option<u32>,
    pub topic_alias_maximum: u16,
    pub will: Option<WillPlan>,
}

/// What is published when the connection is lost.
#[derive(Clone, Debug)]
pub(crate) struct WillPlan {
    pub message: Message,
    /// 5.0 alone.
    pub delay_seconds: u32,
}

/// Something to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub topic: &'static str,
    pub payload: Bytes,
    pub qos: QoS,
    pub retain: bool,
    /// 5.0: seconds it is worth delivering.
    pub expiry_seconds: Option<u32>,
    /// 5.0: whether it carries properties that are to be forwarded.
    pub has_properties: bool,
    /// 5.0: whether its publisher asks where it is once it is acknowledged.
    pub asks: bool,
}

/// How a client subscribes: one packet.
#[derive(Clone, Debug)]
pub(crate) struct SubscribePlan {
    pub filters: Vec<(&'static str, SubscriptionOptions)>,
    /// 5.0: 0 for none.
    pub identifier: u32,
}

impl ConnectPlan {
    pub(super) fn draw(client: usize, number: u32, random: &mut Random, mix: &Mix) -> Self {
        let version = match random.chance(mix.v5_percent) {
            true => ProtocolVersion::V5,
            false => *random.pick(&[ProtocolVersion::V311, ProtocolVersion::V311, ProtocolVersion::V31]),
        };
        let is_small = random.chance(mix.small_packets_percent);
        Self {
            version,
            clean_start: random.chance(mix.clean_percent),
            keep_alive_seconds: *random.pick(&[0, 1, 2, 5, 60]),
            session_expiry_seconds: *random.pick(&[
                None,
                Some(0),
                Some(1),
                Some(3),
                Some(30),
                Some(u32::MAX),
            ]),
            receive_maximum: *random.pick(&[None, Some(1), Some(2), Some(5), Some(100)]),
            packet_bytes_max: is_small.then(|| random.between(80_u32, 400)),
            topic_alias_maximum: *random.pick(&[0, 0, 1, 3, 100]),
            will: random.chance(mix.will_percent).then(|| WillPlan::draw(client, number, random, mix)),
        }
    }
}

impl ConnectPlan {
    /// How the auditor connects: clean, with every limit as far off as can be.
    #[must_use]
    pub(crate) fn of_auditor() -> Self {
        Self {
            version: ProtocolVersion::V5,
            clean_start: true,
            keep_alive_seconds: 0,
            session_expiry_seconds: None,
            receive_maximum: None,
            packet_bytes_max: None,
            topic_alias_maximum: 0,
            will: None,
        }
    }
}

impl WillPlan {
    fn draw(client: usize, number: u32, random: &mut Random, mix: &Mix) -> Self {
        let message = Message::draw(client, number, random, mix);
        let payload = Bytes::from(format!("c{client}!{number}"));
        Self { message: Message { payload, ..message }, delay_seconds: *random.pick(&[0, 0, 1, 2, 4]) }
    }
}

impl Message {
    pub(super) fn draw(client: usize, number: u32, random: &mut Random, mix: &Mix) -> Self {
        let retain = random.chance(mix.retain_percent);
        let payload = if retain && random.chance(20) {
            Bytes::new()
        } else {
            let padding = if random.chance(mix.large_percent) { 1_500 } else { 120 };
            payload(format!("c{client}:{number}"), random.between(0_u64, padding))
        };
        Self {
            topic: topics::topic(random, mix),
            qos: *random.pick(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]),
            retain,
            // What is cleared has no payload to be told by, so one must be like the other.
            expiry_seconds: (!payload.is_empty() && random.chance(15)).then(|| random.between(1_u32, 5)),
            has_properties: !payload.is_empty() && random.chance(15),
            asks: false,
            payload,
        }
    }

    /// Whether nothing is said but topic and payload.
    pub(super) fn is_plain(&self) -> bool {
        let is_bare = !self.retain && !self.has_properties && !self.asks && self.expiry_seconds.is_none();
        is_bare && self.qos == QoS::AtMostOnce && !self.payload.is_empty()
    }

    /// One that says more of the same.
    pub(super) fn behind(&self, number: u32) -> Self {
        let key = MessageKey::of(self.topic, &self.payload);
        Self { payload: payload(format!("{key}+{number}"), u64::from(number)), ..self.clone() }
    }
}

impl SubscribePlan {
    pub(super) fn draw(random: &mut Random, mix: &Mix) -> Self {
        let count = random.between(1_u16, 3);
        let filters = (0..count).map(|_| subscription(random, mix)).collect();
        Self { filters, identifier: *random.pick(&[0, 0, 1, 2, 3, 200]) }
    }

    /// What the auditor asks for: everything, with its RETAIN flag.
    #[must_use]
    pub(crate) fn everything() -> Self {
        let options = SubscriptionOptions::qos(QoS::ExactlyOnce);
        Self { filters: topics::EVERYTHING.map(|filter| (filter, options)).to_vec(), identifier: 0 }
    }
}

fn subscription(random: &mut Random, mix: &Mix) -> (&'static str, SubscriptionOptions) {
    let filter = topics::filter(random, mix);
    let is_shared = filter.starts_with("$share/");
    let options = SubscriptionOptions {
        maximum_qos: *random.pick(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::ExactlyOnce]),
        no_local: !is_shared && random.chance(15),
        retain_as_published: random.chance(30),
        retain_handling: *random.pick(&[
            RetainHandling::Send,
            RetainHandling::SendIfNew,
            RetainHandling::DoNotSend,
        ]),
    };
    (filter, options)
}

fn payload(mut text: String, padding: u64) -> Bytes {
    text.extend((0..padding).map(|_| char::from(PADDING)));
    Bytes::from(text)
}
