//! Owns what plants do to packets, on their way in and on their way out.

use super::{Plant, Planted};
use bytes::Bytes;
use mqtt_codec::{
    Packet, PacketId, Properties, Property, PropertyOwner, ProtocolVersion, ReasonCode,
    packet::{Delivery, Publish},
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
        let mut packet = packet.clone();
        let is_altered = match &mut packet {
            Packet::Connect(connect) => {
                let altered = self.alter_connect(&connect.properties)?;
                connect.properties = altered;
                true
            }
            Packet::Publish(publish) => {
                let has_expiry = publish.properties.message_expiry_interval().is_some();
                if has_expiry && self.strikes(Plant::IgnoreExpiry) {
                    let is_expiry = |it: &Property<'_>| matches!(it, Property::MessageExpiryInterval(_));
                    publish.properties = without(PropertyOwner::Publish, &publish.properties, is_expiry);
                    true
                } else {
                    let is_heard = !(publish.retain && self.strikes(Plant::IgnoreRetain));
                    publish.retain &= is_heard;
                    !is_heard
                }
            }
            Packet::Disconnect(disconnect) => {
                disconnect.reason = ReasonCode::DisconnectWithWill;
                self.strikes(Plant::KeepWill)
            }
            _ => false,
        };
        is_altered.then(|| encode(&packet, version))
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
            Packet::ConnAck(connack) => {
                if version > ProtocolVersion::V31 && self.strikes(Plant::FlipSessionPresent) {
                    let mut connack = connack.clone();
                    connack.session_present = !connack.session_present;
                    return Sent::Instead(encode(&Packet::ConnAck(connack), version));
                }
                Sent::AsItIs
            }
            Packet::PubAck(_) | Packet::PingResp if self.strikes(Plant::DropAnswer) => Sent::NotAtAll,
            Packet::PingResp if self.strikes(Plant::SendGarbage) => Sent::Instead(vec![0xF3, 0]),
            Packet::Publish(publish) => match publish.delivery {
                Delivery::AtMostOnce if is_plain(publish) && self.strikes(Plant::RepeatPublish) => {
                    Sent::Twice
                }
                Delivery::AtMostOnce if is_plain(publish) && self.strikes(Plant::DropPublish) => {
                    Sent::NotAtAll
                }
                _ if self.strikes(Plant::Misdeliver) => Sent::ToSomebodyElse,
                delivery => {
                    let mut publish = publish.clone();
                    publish.delivery = self.alter_delivery(delivery);
                    let is_long = publish.payload.len() > 20;
                    if is_long && self.strikes(Plant::AlterPayload) {
                        let mut payload = publish.payload.to_vec();
                        payload.iter_mut().rev().take(1).for_each(|byte| *byte = b'?');
                        publish.payload = Bytes::from(payload);
                    } else if publish.delivery == delivery {
                        return Sent::AsItIs;
                    }
                    Sent::Instead(encode(&Packet::Publish(publish), version))
                }
            },
            _ => Sent::AsItIs,
        }
    }

    fn alter_delivery(&mut self, delivery: Delivery) -> Delivery {
        match delivery {
            Delivery::AtLeastOnce { packet_id, dup: true } if self.strikes(Plant::LoseDup) => {
                Delivery::AtLeastOnce { packet_id, dup: false }
            }
            Delivery::ExactlyOnce { packet_id, dup: true } if self.strikes(Plant::LoseDup) => {
                Delivery::ExactlyOnce { packet_id, dup: false }
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
