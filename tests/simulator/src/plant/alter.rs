//! Owns what plants do to packets, on their way in and on their way out.

use super::{Plant, Planted};
use crate::truth;
use bytes::Bytes;
use mqtt_codec::{
    Packet, PacketId, Properties, Property, PropertyOwner, ProtocolVersion, ReasonCode,
    packet::{Ack, ConnAck, Connect, Delivery, Disconnect, Publish},
};

/// What becomes of a packet that the broker sends.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    AsItIs,
    NotAtAll,
    Twice,
    Instead(Vec<u8>),
    ToSomebodyElse,
}

impl Planted {
    /// What the broker is handed instead of a packet, if it is something else.
    pub(crate) fn alter_received(&mut self, packet: &Packet, version: ProtocolVersion) -> Option<Vec<u8>> {
        let altered = match packet {
            Packet::Connect(connect) => {
                let properties = self.alter_connect(&connect.properties)?;
                Packet::Connect(Connect { properties, ..connect.clone() })
            }
            Packet::Publish(publish) => Packet::Publish(self.alter_publish(publish)?),
            Packet::Disconnect(disconnect) if self.strikes(Plant::KeepWill) => {
                let reason = ReasonCode::DisconnectWithWill;
                Packet::Disconnect(Disconnect { reason, ..disconnect.clone() })
            }
            Packet::Disconnect(_)
            | Packet::ConnAck(_)
            | Packet::PubAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::Subscribe(_)
            | Packet::SubAck(_)
            | Packet::Unsubscribe(_)
            | Packet::UnsubAck(_)
            | Packet::PingReq
            | Packet::PingResp
            | Packet::Auth(_) => return None,
        };
        Some(encode(&altered, version))
    }

    fn alter_publish(&mut self, publish: &Publish) -> Option<Publish> {
        if publish.properties.message_expiry_interval().is_some() && self.strikes(Plant::IgnoreExpiry) {
            let is_expiry = |it: &Property<'_>| matches!(it, Property::MessageExpiryInterval(_));
            let properties = without(PropertyOwner::Publish, &publish.properties, is_expiry);
            return Some(Publish { properties, ..publish.clone() });
        }
        let is_deaf = publish.retain && self.strikes(Plant::IgnoreRetain);
        is_deaf.then(|| Publish { retain: false, ..publish.clone() })
    }

    fn alter_connect(&self, properties: &Properties) -> Option<Properties> {
        let owner = PropertyOwner::Connect;
        if self.is(Plant::IgnoreReceiveMaximum) {
            return Some(without(owner, properties, |it| matches!(it, Property::ReceiveMaximum(_))));
        }
        if self.is(Plant::IgnorePacketSize) {
            return Some(without(owner, properties, |it| matches!(it, Property::MaximumPacketSize(_))));
        }
        if self.is(Plant::IgnoreAliasMaximum) && properties.topic_alias_maximum().is_some() {
            let rest = properties.iter().filter(|it| !matches!(it, Property::TopicAliasMaximum(_)));
            let all = rest.chain([Property::TopicAliasMaximum(u16::MAX)]);
            return Properties::new(owner, all).ok();
        }
        None
    }

    /// What becomes of a packet that the broker sends.
    pub(crate) fn alter_sent(&mut self, packet: &Packet, version: ProtocolVersion) -> Sent {
        match packet {
            Packet::ConnAck(connack) if version > ProtocolVersion::V31 => {
                if !self.strikes(Plant::FlipSessionPresent) {
                    return Sent::AsItIs;
                }
                let session_present = !connack.session_present;
                Sent::Instead(encode(
                    &Packet::ConnAck(ConnAck { session_present, ..connack.clone() }),
                    version,
                ))
            }
            Packet::PubAck(_) | Packet::PingResp if self.strikes(Plant::DropAnswer) => Sent::NotAtAll,
            Packet::PubAck(ack) if tells_less(ack) && self.strikes(Plant::Boast) => {
                Sent::Instead(encode(&Packet::PubAck(boasting(ack, PropertyOwner::PubAck)), version))
            }
            Packet::PubRec(ack) if tells_less(ack) && self.strikes(Plant::Boast) => {
                Sent::Instead(encode(&Packet::PubRec(boasting(ack, PropertyOwner::PubRec)), version))
            }
            Packet::PingResp if self.strikes(Plant::SendGarbage) => Sent::Instead(vec![0xF3, 0]),
            Packet::Publish(publish) => self.alter_sent_publish(publish, version),
            Packet::ConnAck(_)
            | Packet::PubAck(_)
            | Packet::PingResp
            | Packet::Connect(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::Subscribe(_)
            | Packet::SubAck(_)
            | Packet::Unsubscribe(_)
            | Packet::UnsubAck(_)
            | Packet::PingReq
            | Packet::Disconnect(_)
            | Packet::Auth(_) => Sent::AsItIs,
        }
    }

    fn alter_sent_publish(&mut self, publish: &Publish, version: ProtocolVersion) -> Sent {
        if publish.delivery == Delivery::AtMostOnce && is_plain(publish) {
            if self.strikes(Plant::RepeatPublish) {
                return Sent::Twice;
            }
            if self.strikes(Plant::DropPublish) {
                return Sent::NotAtAll;
            }
        }
        if self.strikes(Plant::Misdeliver) {
            return Sent::ToSomebodyElse;
        }
        let mut altered = Publish { delivery: self.alter_delivery(publish.delivery), ..publish.clone() };
        // Longer than any key: the last byte is padding.
        if publish.payload.len() > 20 && self.strikes(Plant::AlterPayload) {
            let mut payload = publish.payload.to_vec();
            payload.pop();
            payload.push(b'?');
            altered.payload = Bytes::from(payload);
        }
        if altered == *publish {
            return Sent::AsItIs;
        }
        Sent::Instead(encode(&Packet::Publish(altered), version))
    }

    fn alter_delivery(&mut self, delivery: Delivery) -> Delivery {
        match delivery {
            Delivery::AtLeastOnce { packet_id, dup: true } if self.strikes(Plant::LoseDup) => {
                Delivery::AtLeastOnce { packet_id, dup: false }
            }
            Delivery::ExactlyOnce { packet_id, dup: true } if self.strikes(Plant::LoseDup) => {
                Delivery::ExactlyOnce { packet_id, dup: false }
            }
            Delivery::AtLeastOnce { packet_id, dup: true }
                if self.has_restarted(Plant::RestartWithoutDup) =>
            {
                Delivery::AtLeastOnce { packet_id, dup: false }
            }
            Delivery::AtLeastOnce { dup: false, .. } if self.is(Plant::ReuseId) => {
                Delivery::AtLeastOnce { packet_id: PacketId::FIRST, dup: false }
            }
            Delivery::ExactlyOnce { packet_id, dup: false } if self.strikes(Plant::LowerQos) => {
                Delivery::AtLeastOnce { packet_id, dup: false }
            }
            as_it_is => as_it_is,
        }
    }
}

/// Whether an acknowledgement tells that its message is not on disk.
fn tells_less(ack: &Ack) -> bool {
    truth::told(&ack.properties).any(|word| word != "disk")
}

/// An acknowledgement that tells more than is true.
fn boasting(ack: &Ack, owner: PropertyOwner) -> Ack {
    let told = [Property::UserProperty("dunlin-durability", "disk")];
    let properties = Properties::new(owner, told).expect("what is short can be encoded");
    Ack { properties, ..ack.clone() }
}

/// Whether nothing later depends on it.
fn is_plain(publish: &Publish) -> bool {
    !publish.retain && publish.properties.topic_alias().is_none()
}

fn without(
    owner: PropertyOwner,
    properties: &Properties,
    is_left_out: impl Fn(&Property<'_>) -> bool,
) -> Properties {
    let rest = properties.iter().filter(|property| !is_left_out(property));
    Properties::new(owner, rest).expect("they were decoded")
}

fn encode(packet: &Packet, version: ProtocolVersion) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("what was decoded can be encoded");
    bytes
}
