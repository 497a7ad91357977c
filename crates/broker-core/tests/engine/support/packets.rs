//! Owns the packets that the tests' clients send, as short to write as they are to read.

use bytes::Bytes;
use mqtt_codec::{
    MAXIMUM_PACKET_BYTES, Packet, Properties, Property, PropertyOwner, ProtocolVersion, QoS, ReasonCode,
    TopicAlias, TopicFilterRef, TopicName,
    packet::{
        Ack, Connect, Delivery, Disconnect, PacketId, Publish, Subscribe, Subscription, SubscriptionOptions,
        Unsubscribe, Will,
    },
};
use std::num::{NonZeroU16, NonZeroU32};

/// A CONNECT in the making: Clean Start, no Keep Alive, nothing else.
#[derive(Clone)]
pub(crate) struct Hello {
    connect: Connect,
    properties: Vec<Property<'static>>,
}

pub(crate) fn v5(client_id: &str) -> Hello {
    hello(ProtocolVersion::V5, client_id)
}

pub(crate) fn v311(client_id: &str) -> Hello {
    hello(ProtocolVersion::V311, client_id)
}

pub(crate) fn v31(client_id: &str) -> Hello {
    hello(ProtocolVersion::V31, client_id)
}

fn hello(version: ProtocolVersion, client_id: &str) -> Hello {
    let connect = Connect {
        version,
        clean_start: true,
        keep_alive_seconds: 0,
        client_id: client_id.into(),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::default(),
    };
    Hello { connect, properties: Vec::new() }
}

impl Hello {
    /// Wants a session of before, if there is one.
    pub(crate) fn resuming(mut self) -> Self {
        self.connect.clean_start = false;
        self
    }

    /// Has its session outlive the connection: by seconds in 5.0, for ever in 3.x.
    pub(crate) fn keeping(self, seconds: u32) -> Self {
        match self.connect.version {
            ProtocolVersion::V5 => self.with(Property::SessionExpiryInterval(seconds)),
            ProtocolVersion::V31 | ProtocolVersion::V311 => self.resuming(),
        }
    }

    pub(crate) fn with(mut self, property: Property<'static>) -> Self {
        self.properties.push(property);
        self
    }

    pub(crate) fn keep_alive(mut self, seconds: u16) -> Self {
        self.connect.keep_alive_seconds = seconds;
        self
    }

    pub(crate) fn will(mut self, will: Will) -> Self {
        self.connect.will = Some(will);
        self
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.connect.client_id
    }

    pub(crate) fn version(&self) -> ProtocolVersion {
        self.connect.version
    }

    pub(crate) fn packet_bytes_max(&self) -> u32 {
        let told = self.properties.iter().find_map(|property| match property {
            Property::MaximumPacketSize(bytes) => Some(bytes.get()),
            _ => None,
        });
        told.unwrap_or(MAXIMUM_PACKET_BYTES)
    }

    pub(crate) fn encode(mut self) -> Vec<u8> {
        self.connect.properties = Properties::new(PropertyOwner::Connect, self.properties).unwrap();
        let mut bytes = Vec::new();
        Packet::Connect(self.connect).encode(ProtocolVersion::V5, &mut bytes).unwrap();
        bytes
    }
}

/// A Will that is not retained.
pub(crate) fn will(topic: &str, payload: &str, qos: QoS, properties: &[Property<'_>]) -> Will {
    Will {
        qos,
        retain: false,
        topic: TopicName::owned(topic).unwrap(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        properties: Properties::new(PropertyOwner::Will, properties.iter().copied()).unwrap(),
    }
}

/// A packet in the making.
#[derive(Clone)]
pub(crate) struct Say {
    packet: Packet,
    properties: Vec<Property<'static>>,
}

impl From<Packet> for Say {
    fn from(packet: Packet) -> Self {
        Self { packet, properties: Vec::new() }
    }
}

/// A PUBLISH of QoS 0. An empty topic leaves it to an alias.
pub(crate) fn publish(topic: &str, payload: &str) -> Say {
    let publish = Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: (!topic.is_empty()).then(|| TopicName::owned(topic).unwrap()),
        properties: Properties::default(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    };
    Packet::Publish(publish).into()
}

impl Say {
    pub(crate) fn qos1(self, id: u16) -> Self {
        self.changed(|publish| {
            publish.delivery = Delivery::AtLeastOnce { packet_id: packet_id(id), dup: false };
        })
    }

    pub(crate) fn qos2(self, id: u16) -> Self {
        self.changed(|publish| {
            publish.delivery = Delivery::ExactlyOnce { packet_id: packet_id(id), dup: false };
        })
    }

    pub(crate) fn qos(self, qos: QoS, id: u16) -> Self {
        match qos {
            QoS::AtMostOnce => self,
            QoS::AtLeastOnce => self.qos1(id),
            QoS::ExactlyOnce => self.qos2(id),
        }
    }

    /// Sent again: DUP is set.
    pub(crate) fn again(self) -> Self {
        self.changed(|publish| match &mut publish.delivery {
            Delivery::AtMostOnce => panic!("QoS 0 is not sent again"),
            Delivery::AtLeastOnce { dup, .. } | Delivery::ExactlyOnce { dup, .. } => *dup = true,
        })
    }

    pub(crate) fn retained(self) -> Self {
        self.changed(|publish| publish.retain = true)
    }

    pub(crate) fn with(mut self, property: Property<'static>) -> Self {
        self.properties.push(property);
        self
    }

    fn changed(mut self, change: impl FnOnce(&mut Publish)) -> Self {
        let Packet::Publish(publish) = &mut self.packet else { panic!("no PUBLISH") };
        change(publish);
        self
    }

    pub(crate) fn encode(mut self, version: ProtocolVersion) -> Vec<u8> {
        if !self.properties.is_empty() {
            let owner = self.packet.packet_type().property_owner().unwrap();
            let properties = Properties::new(owner, self.properties).unwrap();
            match &mut self.packet {
                Packet::Publish(packet) => packet.properties = properties,
                Packet::Subscribe(packet) => packet.properties = properties,
                Packet::Disconnect(packet) => packet.properties = properties,
                other => panic!("no test gives properties to {other:?}"),
            }
        }
        let mut bytes = Vec::new();
        self.packet.encode(version, &mut bytes).unwrap();
        bytes
    }
}

/// An acknowledgement: `acknowledge(Packet::PubAck, 7)`.
pub(crate) fn acknowledge(kind: fn(Ack) -> Packet, id: u16) -> Packet {
    kind(Ack::new(packet_id(id), ReasonCode::Success))
}

/// An acknowledgement that says no: `refuse(Packet::PubAck, 7)`.
pub(crate) fn refuse(kind: fn(Ack) -> Packet, id: u16) -> Packet {
    kind(Ack::new(packet_id(id), ReasonCode::UnspecifiedError))
}

pub(crate) fn subscription(qos: QoS) -> SubscriptionOptions {
    SubscriptionOptions::qos(qos)
}

pub(crate) fn subscribe(id: u16, subscriptions: &[(&str, SubscriptionOptions)]) -> Say {
    let subscriptions = subscriptions
        .iter()
        .map(|&(filter, options)| Subscription { filter: TopicFilterRef::new(filter).unwrap(), options });
    Packet::Subscribe(Subscribe::new(packet_id(id), Properties::default(), subscriptions).unwrap()).into()
}

pub(crate) fn unsubscribe(id: u16, filters: &[&str]) -> Packet {
    let filters = filters.iter().map(|filter| TopicFilterRef::new(filter).unwrap());
    Packet::Unsubscribe(Unsubscribe::new(packet_id(id), Properties::default(), filters).unwrap())
}

pub(crate) fn disconnect(reason: ReasonCode) -> Say {
    Packet::Disconnect(Disconnect { reason, properties: Properties::default() }).into()
}

/// What an obliging client answers.
pub(crate) fn receipt(packet: &Packet) -> Option<Packet> {
    match packet {
        Packet::Publish(publish) => match publish.delivery {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce { packet_id, .. } => Some(acknowledge(Packet::PubAck, packet_id.get())),
            Delivery::ExactlyOnce { packet_id, .. } => Some(acknowledge(Packet::PubRec, packet_id.get())),
        },
        Packet::PubRel(ack) => Some(acknowledge(Packet::PubComp, ack.packet_id.get())),
        _ => None,
    }
}

pub(crate) fn packet_id(id: u16) -> PacketId {
    PacketId::new(id).expect("0 is no packet identifier")
}

pub(crate) fn receive_maximum(count: u16) -> Property<'static> {
    Property::ReceiveMaximum(NonZeroU16::new(count).unwrap())
}

pub(crate) fn maximum_packet_size(bytes: u32) -> Property<'static> {
    Property::MaximumPacketSize(NonZeroU32::new(bytes).unwrap())
}

pub(crate) fn topic_alias(number: u16) -> Property<'static> {
    Property::TopicAlias(TopicAlias::new(number).unwrap())
}

pub(crate) fn identifier(number: u32) -> Property<'static> {
    Property::SubscriptionIdentifier(NonZeroU32::new(number).unwrap())
}
