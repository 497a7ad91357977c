//! Owns the list of packets and the way from a frame to one of them. Each packet type has a file of its
//! own that serves every protocol version, both directions and both storages.

mod ack;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod id;
mod kind;
mod publish;
mod suback;
mod subscribe;
mod unsubscribe;
mod will;

pub use ack::Ack;
pub use auth::Auth;
pub use connack::ConnAck;
pub use connect::Connect;
pub use disconnect::Disconnect;
pub use id::PacketId;
pub use kind::PacketType;
pub use publish::{Delivery, LastTopic, Publish, PublishLayout, PublishParts, PublishRun};
pub use suback::{SubAck, UnsubAck};
pub use subscribe::{RetainHandling, Subscribe, Subscription, SubscriptionOptions};
pub use unsubscribe::Unsubscribe;
pub use will::Will;

use crate::{
    error::{DecodeError, EncodeError, Violation},
    frame::Frame,
    property::PropertyOwner,
    storage::{Borrowed, Owned, Storage},
    version::ProtocolVersion,
    write::{self, Output},
};
use bytes::Bytes;

/// Any MQTT packet of any version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the specification's; each type documents itself")]
pub enum Packet<S: Storage = Owned> {
    Connect(Connect<S>),
    ConnAck(ConnAck<S>),
    Publish(Publish<S>),
    PubAck(Ack<S>),
    PubRec(Ack<S>),
    PubRel(Ack<S>),
    PubComp(Ack<S>),
    Subscribe(Subscribe<S>),
    SubAck(SubAck<S>),
    Unsubscribe(Unsubscribe<S>),
    UnsubAck(UnsubAck<S>),
    PingReq,
    PingResp,
    Disconnect(Disconnect<S>),
    Auth(Auth<S>),
}

/// A packet that borrows from the frame it was decoded from.
pub type PacketRef<'a> = Packet<Borrowed<'a>>;

impl<'a> PacketRef<'a> {
    /// Decodes one frame without copying or allocating. A CONNECT is read by the version it names;
    /// `version` is then only for the error of one that names none.
    ///
    /// # Errors
    /// The first violation found. The connection cannot go on after it.
    #[inline(always)]
    pub fn decode(frame: Frame<'a>, version: ProtocolVersion) -> Result<Self, DecodeError> {
        Self::decode_next(frame, version, &mut LastTopic::default())
    }

    /// Decodes one of several frames that were read into the same buffer. A topic that is the last one once more is
    /// not judged again; it may then lie in that one's frame.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    #[inline(always)]
    pub fn decode_next(
        frame: Frame<'a>,
        version: ProtocolVersion,
        last_topic: &mut LastTopic<'a>,
    ) -> Result<Self, DecodeError> {
        let (kind, flags, body) = (frame.header.packet_type, frame.header.flags, frame.body());
        let refuse = |violation| Self::refuse(violation, kind, body, version);
        // Each arm ends in a packet or an error of its own, so that a caller who matches on the outcome
        // gets its fields in registers; as one value every packet would be moved at the size of the largest.
        match kind {
            PacketType::Publish => {
                Publish::decode(flags, body, version, last_topic).map(Self::Publish).map_err(refuse)
            }
            PacketType::PubAck => Ack::decode(kind, body, version).map(Self::PubAck).map_err(refuse),
            PacketType::PubRec => Ack::decode(kind, body, version).map(Self::PubRec).map_err(refuse),
            PacketType::PubRel => Ack::decode(kind, body, version).map(Self::PubRel).map_err(refuse),
            PacketType::PubComp => Ack::decode(kind, body, version).map(Self::PubComp).map_err(refuse),
            PacketType::PingReq => empty(body).map(|()| Self::PingReq).map_err(refuse),
            PacketType::PingResp => empty(body).map(|()| Self::PingResp).map_err(refuse),
            PacketType::Subscribe => Subscribe::decode(body, version).map(Self::Subscribe).map_err(refuse),
            PacketType::SubAck => SubAck::decode(body, version).map(Self::SubAck).map_err(refuse),
            PacketType::Unsubscribe => {
                Unsubscribe::decode(body, version).map(Self::Unsubscribe).map_err(refuse)
            }
            PacketType::UnsubAck => UnsubAck::decode(body, version).map(Self::UnsubAck).map_err(refuse),
            PacketType::Disconnect => Disconnect::decode(body, version).map(Self::Disconnect).map_err(refuse),
            PacketType::Connect => Connect::decode(body).map(Self::Connect).map_err(refuse),
            PacketType::ConnAck => ConnAck::decode(body, version).map(Self::ConnAck).map_err(refuse),
            PacketType::Auth => Auth::decode(body, version).map(Self::Auth).map_err(refuse),
        }
    }

    #[cold]
    fn refuse(violation: Violation, kind: PacketType, body: &[u8], version: ProtocolVersion) -> DecodeError {
        let named = if kind == PacketType::Connect { connect::named_version(body) } else { None };
        DecodeError { violation, packet_type: Some(kind), version: named.unwrap_or(version) }
    }

    /// The same packet over shared bytes. `frame` must hold the bytes it was decoded from.
    ///
    /// # Panics
    /// If the packet borrows from other bytes.
    #[must_use]
    pub fn into_owned(self, frame: &Bytes) -> Packet {
        match self {
            Self::Connect(packet) => Packet::Connect(packet.into_owned(frame)),
            Self::ConnAck(packet) => Packet::ConnAck(packet.into_owned(frame)),
            Self::Publish(packet) => Packet::Publish(packet.into_owned(frame)),
            Self::PubAck(packet) => Packet::PubAck(packet.into_owned(frame)),
            Self::PubRec(packet) => Packet::PubRec(packet.into_owned(frame)),
            Self::PubRel(packet) => Packet::PubRel(packet.into_owned(frame)),
            Self::PubComp(packet) => Packet::PubComp(packet.into_owned(frame)),
            Self::Subscribe(packet) => Packet::Subscribe(packet.into_owned(frame)),
            Self::SubAck(packet) => Packet::SubAck(packet.into_owned(frame)),
            Self::Unsubscribe(packet) => Packet::Unsubscribe(packet.into_owned(frame)),
            Self::UnsubAck(packet) => Packet::UnsubAck(packet.into_owned(frame)),
            Self::PingReq => Packet::PingReq,
            Self::PingResp => Packet::PingResp,
            Self::Disconnect(packet) => Packet::Disconnect(packet.into_owned(frame)),
            Self::Auth(packet) => Packet::Auth(packet.into_owned(frame)),
        }
    }
}

impl Packet {
    /// Takes the first whole packet off the front of `input` and decodes it over the same bytes;
    /// `None` when its end is not there yet.
    ///
    /// # Errors
    /// As [`frame`](crate::frame()) and [`PacketRef::decode`].
    pub fn decode_first(
        input: &Bytes,
        version: ProtocolVersion,
        packet_bytes_max: u32,
    ) -> Result<Option<(Self, usize)>, DecodeError> {
        let Some(frame) = crate::frame(input, version, packet_bytes_max)? else { return Ok(None) };
        let packet = PacketRef::decode(frame, version)?.into_owned(input);
        Ok(Some((packet, frame.header.packet_bytes)))
    }
}

impl<S: Storage> Packet<S> {
    /// Which packet it is.
    #[must_use]
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }

    /// Appends the packet as `version` writes it. A CONNECT is written in the version it names.
    /// Properties and reason codes are left out of 3.x packets, which have none.
    ///
    /// # Errors
    /// The caller's fault, see [`EncodeError`]; `out` is then as it was only if nothing was appended,
    /// so drop it.
    pub fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        match self {
            Self::Connect(packet) => packet.encode(out),
            Self::ConnAck(packet) => packet.encode(version, out),
            Self::Publish(packet) => packet.encode(version, out).map(drop),
            Self::PubAck(packet) | Self::PubRec(packet) | Self::PubRel(packet) | Self::PubComp(packet) => {
                packet.encode(self.packet_type(), version, out)
            }
            Self::Subscribe(packet) => packet.encode(version, out),
            Self::SubAck(packet) => packet.encode(version, out),
            Self::Unsubscribe(packet) => packet.encode(version, out),
            Self::UnsubAck(packet) => packet.encode(version, out),
            Self::PingReq | Self::PingResp => write::fixed_header(out, self.packet_type().first_byte(), 0),
            Self::Disconnect(packet) => packet.encode(version, out),
            Self::Auth(packet) => packet.encode(version, out),
        }
    }
}

fn empty(body: &[u8]) -> Result<(), Violation> {
    if body.is_empty() { Ok(()) } else { Err(Violation::TrailingBytes) }
}

impl PacketType {
    /// What the packet's properties are judged as; PINGREQ and PINGRESP have none.
    #[must_use]
    pub const fn property_owner(self) -> Option<PropertyOwner> {
        Some(match self {
            Self::Connect => PropertyOwner::Connect,
            Self::ConnAck => PropertyOwner::ConnAck,
            Self::Publish => PropertyOwner::Publish,
            Self::PubAck => PropertyOwner::PubAck,
            Self::PubRec => PropertyOwner::PubRec,
            Self::PubRel => PropertyOwner::PubRel,
            Self::PubComp => PropertyOwner::PubComp,
            Self::Subscribe => PropertyOwner::Subscribe,
            Self::SubAck => PropertyOwner::SubAck,
            Self::Unsubscribe => PropertyOwner::Unsubscribe,
            Self::UnsubAck => PropertyOwner::UnsubAck,
            Self::Disconnect => PropertyOwner::Disconnect,
            Self::Auth => PropertyOwner::Auth,
            Self::PingReq | Self::PingResp => return None,
        })
    }
}
