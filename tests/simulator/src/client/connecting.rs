//! Owns how a client connects, what it makes of CONNACK, and how it leaves.

use super::{Client, Connection, InboundAliases, OutboundAliases, Output, Phase};
use crate::{
    scenario::{ConnectPlan, WillPlan},
    truth::SessionKey,
};
use broker_core::ConnectionId;
use mqtt_codec::{
    Packet, Properties, Property, PropertyOwner, ProtocolVersion, ReasonCode, TopicName,
    flow::{Receiver, Sender},
    packet::{ConnAck, Connect, Disconnect, Will},
};
use std::{
    collections::BTreeSet,
    num::{NonZeroU16, NonZeroU32},
};

impl Client {
    /// Uses a new connection from now on: its first packet.
    pub(crate) fn connect(&mut self, id: ConnectionId, plan: &ConnectPlan) -> Packet {
        let is_v5 = plan.version.has_properties();
        let session_expiry_seconds = match plan.version {
            ProtocolVersion::V5 => plan.session_expiry_seconds.unwrap_or(0),
            ProtocolVersion::V31 | ProtocolVersion::V311 if plan.clean_start => 0,
            ProtocolVersion::V31 | ProtocolVersion::V311 => u32::MAX,
        };
        self.connection = Some(Connection {
            id,
            version: plan.version,
            phase: Phase::AwaitsConnAck,
            buffer: Vec::new(),
            session_expiry_seconds,
            requests: BTreeSet::new(),
            inbound_aliases: InboundAliases::new(if is_v5 { plan.topic_alias_maximum } else { 0 }),
            outbound_aliases: OutboundAliases::default(),
            keep_alive_ms: u64::from(plan.keep_alive_seconds) * 1000,
        });
        Packet::Connect(Connect {
            version: plan.version,
            clean_start: plan.clean_start,
            keep_alive_seconds: plan.keep_alive_seconds,
            client_id: self.name.clone().into(),
            will: plan.will.as_ref().map(|will| will_packet(will, plan.version)),
            user_name: None,
            password: None,
            properties: if is_v5 { connect_properties(plan) } else { Properties::default() },
        })
    }

    /// CONNACK: what was in flight goes again. A session that is not the one before takes no part of its
    /// state; which session it is, a client cannot always tell, so it is told.
    pub(super) fn connected(&mut self, connack: &ConnAck, session: SessionKey, output: &mut Output) {
        if self.session.replace(session) != Some(session) {
            self.sender = Sender::new(0);
            self.receiver = Receiver::new(u16::MAX);
        }
        let Some(connection) = &mut self.connection else { return };
        connection.phase = Phase::Connected;
        let properties = &connack.properties;
        connection.outbound_aliases = OutboundAliases::new(properties.topic_alias_maximum().unwrap_or(0));
        if let Some(seconds) = properties.server_keep_alive() {
            connection.keep_alive_ms = u64::from(seconds) * 1000;
        }
        if let Some(seconds) = properties.session_expiry_interval() {
            connection.session_expiry_seconds = seconds;
        }
        self.sender.reconnect(properties.receive_maximum().map_or(u16::MAX, Into::into));
        self.receiver.reconnect(u16::MAX);
        self.send_waiting(output);
    }

    /// DISCONNECT, after which the connection is not used any more.
    pub(crate) fn disconnect(&mut self, reason: ReasonCode, session_expiry_seconds: Option<u32>) -> Packet {
        // What was 0 in CONNECT cannot be raised.
        let expiry =
            session_expiry_seconds.filter(|_| self.keeps_session() && self.version().has_properties());
        let properties =
            Properties::new(PropertyOwner::Disconnect, expiry.map(Property::SessionExpiryInterval))
                .expect("a number can be encoded");
        self.connection = None;
        Packet::Disconnect(Disconnect { reason, properties })
    }
}

fn connect_properties(plan: &ConnectPlan) -> Properties {
    let aliases = Some(plan.topic_alias_maximum).filter(|&maximum| maximum > 0);
    let properties = [
        plan.session_expiry_seconds.map(Property::SessionExpiryInterval),
        plan.receive_maximum.and_then(NonZeroU16::new).map(Property::ReceiveMaximum),
        plan.packet_bytes_max.and_then(NonZeroU32::new).map(Property::MaximumPacketSize),
        aliases.map(Property::TopicAliasMaximum),
    ];
    Properties::new(PropertyOwner::Connect, properties.into_iter().flatten()).expect("numbers can be encoded")
}

fn will_packet(will: &WillPlan, version: ProtocolVersion) -> Will {
    let message = &will.message;
    let delay = Some(will.delay_seconds).filter(|&seconds| seconds > 0).map(Property::WillDelayInterval);
    let expiry = message.expiry_seconds.map(Property::MessageExpiryInterval);
    let user = message.has_properties.then_some(Property::UserProperty("will", "true"));
    let properties = match version {
        ProtocolVersion::V5 => {
            Properties::new(PropertyOwner::Will, [delay, expiry, user].into_iter().flatten())
                .expect("what is short can be encoded")
        }
        ProtocolVersion::V31 | ProtocolVersion::V311 => Properties::default(),
    };
    Will {
        qos: message.qos,
        retain: message.retain,
        topic: TopicName::owned(message.topic).expect("the topics are legal"),
        payload: message.payload.clone(),
        properties,
    }
}
