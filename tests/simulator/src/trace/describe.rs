//! Owns how an observation reads in a trace: one line, the same words as the specification.

use crate::observation::{MessageKey, Observation};
use broker_core::ConnectionId;
use mqtt_codec::{Packet, packet::Ack, packet::Publish};
use std::fmt;

/// An observation as a line of text.
#[derive(Debug)]
pub(crate) struct Described<'a>(&'a Observation<'a>);

/// An observation as a line of text.
#[must_use]
pub(crate) fn describe<'a>(observation: &'a Observation<'a>) -> Described<'a> {
    Described(observation)
}

impl fmt::Display for Described<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0 {
            Observation::Received { shard, connection, packet, .. } => {
                write!(out, "{} > {}", At(connection), Line(packet))?;
                if let Packet::Connect(_) = packet { write!(out, " (shard {})", shard.0) } else { Ok(()) }
            }
            Observation::Lost { connection } => write!(out, "{} lost", At(connection)),
            Observation::Ticked { shard } => write!(out, "shard {} ticks", shard.0),
            Observation::Congested { connection } => write!(out, "{} is congested", At(connection)),
            Observation::Drained { connection } => write!(out, "{} is drained", At(connection)),
            Observation::Arrived { from, to, mail, .. } => {
                write!(out, "shard {} reads from {}: {mail:?}", to.0, from.0)
            }
            Observation::Forwarded { from, to, mail } => {
                write!(out, "shard {} forwards to {}: {mail:?}", from.0, to.0)
            }
            Observation::Sent { connection, packet, bytes } => {
                write!(out, "{} < {} ({bytes} bytes)", At(connection), Line(packet))
            }
            Observation::SentGarbage { connection, text } => {
                write!(out, "{} < no packet: {text}", At(connection))
            }
            Observation::Closed { connection, cause } => write!(out, "{} closed: {cause:?}", At(connection)),
            Observation::Recorded { shard, position, record } => {
                write!(out, "shard {} records {:#x}: {record:?}", shard.0, position.get())
            }
            Observation::TurnEnds { shard } => write!(out, "shard {} ends its turn", shard.0),
            Observation::Flushed { shard, last } => {
                write!(out, "shard {} has ended its turn at {:#x}", shard.0, last.get())
            }
            Observation::Failing { is_failing } => write!(out, "the disk is failing: {is_failing}"),
            Observation::Committed { durable } => write!(out, "on disk up to {:#x}", durable.get()),
            Observation::ToldDurable { shard } => write!(out, "shard {} hears what is on disk", shard.0),
            Observation::Loaded { shard } => write!(out, "shard {} gets messages off the disk", shard.0),
            Observation::ShutDown { shard } => write!(out, "shard {} shuts down", shard.0),
            Observation::Died => write!(out, "the broker is gone"),
            Observation::Restarted { cut, died_ms, node } => {
                let shards = node.shards().count();
                write!(out, "the broker restarts with {shards} shards, cut at {:#x}, ", cut.get())?;
                write!(out, "dead since {died_ms} ms")
            }
            Observation::Stored { files, bytes } => write!(out, "{bytes} bytes in {files} files"),
            Observation::StepEnded => write!(out, "."),
            Observation::Delivered { connection, delivered } => {
                write!(out, "{} delivers {} at {:?}", At(connection), delivered.key, delivered.qos)
            }
            Observation::Complained { connection, text } => {
                write!(out, "{} complains: {text}", At(connection))
            }
            Observation::Acted { client, text } => write!(out, "client {client} {text}"),
        }
    }
}

struct At(ConnectionId);

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "#{}", self.0.0)
    }
}

struct Line<'a>(&'a Packet);

impl fmt::Display for Line<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.packet_type();
        match self.0 {
            Packet::Connect(connect) => {
                write!(out, "{name} {} {}", connect.client_id, connect.version)?;
                write!(out, " clean={} keep_alive={}", connect.clean_start, connect.keep_alive_seconds)?;
                if let Some(will) = &connect.will {
                    let key = MessageKey::of(will.topic.as_str(), &will.payload);
                    write!(out, " will={key} at {} {:?}", will.topic, will.qos)?;
                    write!(out, " retain={} {:?}", will.retain, will.properties)?;
                }
                write!(out, " {:?}", connect.properties)
            }
            Packet::ConnAck(connack) => {
                write!(
                    out,
                    "{name} present={} {} {:?}",
                    connack.session_present, connack.reason, connack.properties
                )
            }
            Packet::Publish(publish) => publish_line(publish, out),
            Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
                let Ack { packet_id, reason, .. } = ack;
                write!(out, "{name} id={packet_id} {reason}")
            }
            Packet::Subscribe(subscribe) => {
                write!(out, "{name} id={} {:?}", subscribe.packet_id, subscribe.properties)?;
                for subscription in subscribe.subscriptions() {
                    let options = subscription.options;
                    write!(out, " [{} {:?}", subscription.filter, options.maximum_qos)?;
                    write!(out, " no_local={} rap={}", options.no_local, options.retain_as_published)?;
                    write!(out, " {:?}]", options.retain_handling)?;
                }
                Ok(())
            }
            Packet::Unsubscribe(unsubscribe) => {
                let filters: Vec<_> = unsubscribe.filters().map(|filter| filter.to_string()).collect();
                write!(out, "{name} id={} {filters:?}", unsubscribe.packet_id)
            }
            Packet::SubAck(suback) => {
                let codes: Vec<_> = suback.reason_codes().map(mqtt_codec::ReasonCode::byte).collect();
                write!(out, "{name} id={} {codes:?}", suback.packet_id)
            }
            Packet::UnsubAck(unsuback) => {
                let codes: Vec<_> = unsuback.reason_codes().map(mqtt_codec::ReasonCode::byte).collect();
                write!(out, "{name} id={} {codes:?}", unsuback.packet_id)
            }
            Packet::Disconnect(disconnect) => {
                write!(out, "{name} {} {:?}", disconnect.reason, disconnect.properties)
            }
            Packet::PingReq | Packet::PingResp | Packet::Auth(_) => write!(out, "{name}"),
        }
    }
}

fn publish_line(publish: &Publish, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let topic = publish.topic.as_ref().map_or("", |topic| topic.as_str());
    let key = MessageKey::of(topic, &publish.payload);
    write!(out, "PUBLISH {topic} {key} q{}", publish.delivery.qos().bits())?;
    if let Some(packet_id) = publish.delivery.packet_id() {
        write!(out, " id={packet_id}")?;
    }
    if publish.delivery.dup() {
        write!(out, " dup")?;
    }
    if publish.retain {
        write!(out, " retain")?;
    }
    if !publish.properties.is_empty() {
        write!(out, " {:?}", publish.properties)?;
    }
    Ok(())
}
