//! Owns `%j` and `%J`: a message as one JSON object in the shape of mosquitto_sub. Blanks are [`style`]'s.

mod style;

pub(crate) use style::JsonStyle;

use super::time::{OFFSET, SECONDS};
use crate::{delivered::Delivered, property_name::KebabCase};
use jiff::Zoned;
use mqtt_codec::{Property, PropertyId};
use std::{fmt::Display, io::Write};

/// How the payload appears in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsonPayload {
    /// `%j`: as a string, or as an array of byte values if it is not UTF-8.
    Quoted,
    /// `%J`: as the JSON it is.
    Raw,
}

/// A `%J` met a payload that is not JSON; that parameter printed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PayloadNotJson;

/// Appends `delivered` as an object.
pub(super) fn append(
    delivered: &Delivered<'_>,
    time: &Zoned,
    payload: JsonPayload,
    style: JsonStyle,
    out: &mut Vec<u8>,
) -> Result<(), PayloadNotJson> {
    if payload == JsonPayload::Raw && !delivered.payload.is_empty() && !is_json(delivered.payload) {
        return Err(PayloadNotJson);
    }
    match style {
        JsonStyle::Compact => append_object(delivered, time, payload, out),
        JsonStyle::Pretty => {
            let mut compact = Vec::new();
            append_object(delivered, time, payload, &mut compact);
            style::append_pretty(&compact, out);
        }
    }
    Ok(())
}

fn append_object(delivered: &Delivered<'_>, time: &Zoned, payload: JsonPayload, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"tst\":\"");
    append_time(time, out);
    out.extend_from_slice(b"\",\"topic\":");
    append_text(delivered.topic, out);
    let (qos, retain) = (delivered.qos.bits(), u8::from(delivered.retain));
    append_display(
        format_args!(",\"qos\":{qos},\"retain\":{retain},\"payloadlen\":{}", delivered.payload.len()),
        out,
    );
    if let Some(packet_id) = delivered.packet_id {
        append_display(format_args!(",\"mid\":{}", packet_id.get()), out);
    }
    if !delivered.properties.is_empty() {
        append_properties(delivered, out);
    }
    out.extend_from_slice(b",\"payload\":");
    match payload {
        JsonPayload::Quoted | JsonPayload::Raw if delivered.payload.is_empty() => {
            out.extend_from_slice(b"null");
        }
        JsonPayload::Quoted => append_bytes(delivered.payload, out),
        JsonPayload::Raw => style::append_compact(delivered.payload, out),
    }
    out.push(b'}');
}

/// `2026-11-22T01:11:18.420535Z+0100`: the `Z` before the offset is no standard, but it is what scripts that
/// read mosquitto_sub have always been given.
fn append_time(time: &Zoned, out: &mut Vec<u8>) {
    SECONDS.append(time, out);
    append_display(format_args!(".{:06}Z", time.subsec_nanosecond() / 1000), out);
    OFFSET.append(time, out);
}

/// The properties in the order of the wire, the user properties together where the first of them stands.
fn append_properties(delivered: &Delivered<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"properties\":{");
    let mut user_properties_done = false;
    let mut first = true;
    for property in &delivered.properties {
        if matches!(property, Property::UserProperty(..))
            && std::mem::replace(&mut user_properties_done, true)
        {
            continue;
        }
        if !std::mem::replace(&mut first, false) {
            out.push(b',');
        }
        append_property(delivered, property, out);
    }
    out.push(b'}');
}

fn append_property(delivered: &Delivered<'_>, property: Property<'_>, out: &mut Vec<u8>) {
    let id = property.id();
    match property {
        Property::UserProperty(..) => append_user_properties(delivered, out),
        Property::PayloadFormatIndicator(format) => append_number(id, format as u8, out),
        Property::MessageExpiryInterval(seconds) => append_number(id, seconds, out),
        Property::SubscriptionIdentifier(number) => append_number(id, number, out),
        Property::TopicAlias(alias) => append_number(id, alias.get(), out),
        Property::ContentType(text) => append_string(id, text.as_bytes(), out),
        Property::ResponseTopic(topic) => append_string(id, topic.text().as_bytes(), out),
        Property::CorrelationData(bytes) => append_string(id, bytes, out),
        // A PUBLISH cannot carry the others; the codec has refused them.
        Property::SessionExpiryInterval(_)
        | Property::AssignedClientIdentifier(_)
        | Property::ServerKeepAlive(_)
        | Property::AuthenticationMethod(_)
        | Property::AuthenticationData(_)
        | Property::RequestProblemInformation(_)
        | Property::WillDelayInterval(_)
        | Property::RequestResponseInformation(_)
        | Property::ResponseInformation(_)
        | Property::ServerReference(_)
        | Property::ReasonString(_)
        | Property::ReceiveMaximum(_)
        | Property::TopicAliasMaximum(_)
        | Property::MaximumQoS(_)
        | Property::RetainAvailable(_)
        | Property::MaximumPacketSize(_)
        | Property::WildcardSubscriptionAvailable(_)
        | Property::SubscriptionIdentifierAvailable(_)
        | Property::SharedSubscriptionAvailable(_) => append_string(id, b"", out),
    }
}

/// An object whose names repeat if the properties' names do: JSON allows it, and nothing is lost.
fn append_user_properties(delivered: &Delivered<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"user-properties\":{");
    for (index, (name, value)) in delivered.properties.user_properties().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append_text(name, out);
        out.push(b':');
        append_text(value, out);
    }
    out.push(b'}');
}

fn append_number(id: PropertyId, value: impl Display, out: &mut Vec<u8>) {
    append_display(format_args!("\"{}\":{value}", KebabCase(id)), out);
}

fn append_string(id: PropertyId, value: &[u8], out: &mut Vec<u8>) {
    append_display(format_args!("\"{}\":", KebabCase(id)), out);
    append_bytes(value, out);
}

/// A string if it is UTF-8, else an array of numbers.
fn append_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    // Neither can fail: the sink is a vector, and text and numbers are always JSON.
    let _ = match str::from_utf8(bytes) {
        Ok(text) => serde_json::to_writer(out, text),
        Err(_) => serde_json::to_writer(out, bytes),
    };
}

fn append_text(text: &str, out: &mut Vec<u8>) {
    append_bytes(text.as_bytes(), out);
}

fn append_display(arguments: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    let _ = out.write_fmt(arguments);
}

/// Whether `payload` is exactly one JSON value. Nothing is built from it.
fn is_json(payload: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(payload).is_ok()
}
