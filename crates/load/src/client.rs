//! Owns one client of the load: its way to being ready, and which of its packets go where. Sockets are not its
//! business.

mod publisher;
mod subscriber;

use mqtt_codec::packet::PacketType;
use mqtt_codec::{MAXIMUM_PACKET_BYTES, PacketRef, ProtocolVersion, ReasonCode, frame};

use crate::error::Error;
use crate::frame::put_subscribes;
use crate::heard::Heard;
use crate::ledger::Ledger;
use crate::target::Lifetime;

pub use publisher::Publisher;
pub(crate) use publisher::{Halt, Publishing};
pub use subscriber::Subscriber;
pub(crate) use subscriber::{Receiving, Subscribing};

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: Box<str>,
    pub(crate) lifetime: Lifetime,
    pub(crate) stage: Stage,
    /// When its connection was begun.
    pub(crate) opened_at: u64,
    pub(crate) role: Role,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It has no connection.
    Waiting,
    /// CONNACK is to come.
    Connecting,
    /// So many SUBACK are to come.
    Subscribing {
        awaited: u32,
    },
    Ready,
}

/// What it does.
#[derive(Debug)]
pub(crate) enum Role {
    Idle,
    Publisher(Box<Publishing>),
    Subscriber(Box<Subscribing>),
}

impl Client {
    pub(crate) fn new(name: String, lifetime: Lifetime, role: Role) -> Self {
        Self { name: name.into(), lifetime, stage: Stage::Waiting, opened_at: 0, role }
    }

    /// Takes one packet of the broker.
    #[inline]
    pub(crate) fn hear(
        &mut self,
        heard: Heard<'_>,
        version: ProtocolVersion,
        now: u64,
        ledger: &mut Ledger,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let packet = match (heard, &mut self.role) {
            (Heard::Message(message), Role::Subscriber(subscriber)) => {
                subscriber.message(message, now, ledger, out);
                return Ok(());
            }
            (Heard::PubRel { packet_id }, Role::Subscriber(subscriber)) => {
                subscriber.released(packet_id, out);
                return Ok(());
            }
            (Heard::PubAck { packet_id, reason }, Role::Publisher(publisher)) => {
                publisher.acknowledged(PacketType::PubAck, packet_id, reason, now, ledger)
            }
            (Heard::PubRec { packet_id, reason }, Role::Publisher(publisher)) => {
                publisher.received(packet_id, reason, now, ledger, out)
            }
            (Heard::PubComp { packet_id }, Role::Publisher(publisher)) => {
                publisher.acknowledged(PacketType::PubComp, packet_id, 0, now, ledger)
            }
            (Heard::Other(packet), _) => return self.hear_rare(packet, version, now, ledger, out),
            (Heard::Message(_), _) => Err(PacketType::Publish),
            (Heard::PubRel { .. }, _) => Err(PacketType::PubRel),
            (Heard::PubAck { .. }, _) => Err(PacketType::PubAck),
            (Heard::PubRec { .. }, _) => Err(PacketType::PubRec),
            (Heard::PubComp { .. }, _) => Err(PacketType::PubComp),
        };
        packet.map_err(|packet| self.unexpected(Some(packet)))
    }

    fn hear_rare(
        &mut self,
        packet: &[u8],
        version: ProtocolVersion,
        now: u64,
        ledger: &mut Ledger,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let frame = frame(packet, version, MAXIMUM_PACKET_BYTES).ok().flatten();
        let Some(packet) = frame.and_then(|frame| PacketRef::decode(frame, version).ok()) else {
            return Err(self.unexpected(None));
        };
        match (packet, self.stage) {
            (PacketRef::ConnAck(answer), Stage::Connecting) => {
                self.accept(PacketType::ConnAck, answer.reason)?;
                ledger.tally.connected += 1;
                ledger.tally.handshake.saturating_record(now.saturating_sub(self.opened_at));
                let keep_alive = answer.properties.server_keep_alive().filter(|&seconds| seconds > 0);
                ledger.keep_alive = ledger.keep_alive.into_iter().chain(keep_alive).min();
                if let Some(maximum) = answer.properties.receive_maximum()
                    && let Role::Publisher(publisher) = &mut self.role
                {
                    publisher.limit_window(maximum.get());
                }
                self.subscribe(version, ledger, out)
            }
            (PacketRef::SubAck(answer), Stage::Subscribing { awaited }) => {
                for reason in answer.reason_codes() {
                    self.accept(PacketType::SubAck, reason)?;
                }
                self.subscribed(awaited - 1, ledger);
                Ok(())
            }
            (PacketRef::Disconnect(answer), _) => {
                Err(Error::Ended { client: self.name.to_string(), reason: Some(answer.reason) })
            }
            (PacketRef::PingResp, _) => Ok(()),
            (packet, _) => Err(self.unexpected(Some(packet.packet_type()))),
        }
    }

    fn accept(&self, packet: PacketType, reason: ReasonCode) -> Result<(), Error> {
        if reason.is_error() {
            return Err(Error::Refused { client: self.name.to_string(), packet, reason });
        }
        Ok(())
    }

    /// The filters are not needed any more, and there may be millions.
    fn subscribe(
        &mut self,
        version: ProtocolVersion,
        ledger: &mut Ledger,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let packets = match &mut self.role {
            Role::Subscriber(subscriber) => {
                let filters = std::mem::take(&mut subscriber.filters);
                put_subscribes(&filters, subscriber.qos, version, out)
                    .map_err(|what| Error::Invalid { client: self.name.to_string(), what })?
            }
            Role::Idle | Role::Publisher(_) => 0,
        };
        self.subscribed(packets, ledger);
        Ok(())
    }

    fn subscribed(&mut self, awaited: u32, ledger: &mut Ledger) {
        self.stage = match awaited {
            0 => Stage::Ready,
            awaited => Stage::Subscribing { awaited },
        };
        if self.stage == Stage::Ready {
            ledger.tally.ready += 1;
        }
    }

    pub(crate) fn unexpected(&self, packet: Option<PacketType>) -> Error {
        Error::Unexpected { client: self.name.to_string(), packet }
    }
}
