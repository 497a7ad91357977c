//! Owns which parts of each packet are shown, in the order of the wire and by the names of the specification.

use super::{
    field::{Field, Value},
    property,
};
use mqtt_codec::{
    Borrowed, PacketId, PacketRef, ProtocolVersion, QoS, ReasonCode,
    packet::{
        Ack, Auth, ConnAck, Connect, Disconnect, Publish, SubAck, Subscribe, Subscription, UnsubAck,
        Unsubscribe, Will,
    },
};

/// The fields of a packet. Those that `version` does not have are left out.
pub(super) fn fields<'a>(packet: &'a PacketRef<'a>, version: ProtocolVersion) -> Vec<Field<'a>> {
    match packet {
        PacketRef::Connect(packet) => connect(packet),
        PacketRef::ConnAck(packet) => connack(packet, version),
        PacketRef::Publish(packet) => publish(packet),
        PacketRef::PubAck(packet)
        | PacketRef::PubRec(packet)
        | PacketRef::PubRel(packet)
        | PacketRef::PubComp(packet) => ack(packet, version),
        PacketRef::Subscribe(packet) => subscribe(packet, version),
        PacketRef::SubAck(packet) => suback(packet),
        PacketRef::Unsubscribe(packet) => unsubscribe(packet),
        PacketRef::UnsubAck(packet) => unsuback(packet),
        PacketRef::PingReq | PacketRef::PingResp => Vec::new(),
        PacketRef::Disconnect(packet) => disconnect(packet, version),
        PacketRef::Auth(packet) => auth(packet),
    }
}

fn connect<'a>(packet: &'a Connect<Borrowed<'a>>) -> Vec<Field<'a>> {
    let (version_name, clean_name) = match packet.version {
        ProtocolVersion::V5 => ("Protocol Version", "Clean Start"),
        ProtocolVersion::V31 | ProtocolVersion::V311 => ("Protocol Level", "Clean Session"),
    };
    let mut fields = vec![
        Field::one("Protocol Name", Value::Text(packet.version.name())),
        Field::one(version_name, Value::Number(packet.version.level().into())),
        Field::one(clean_name, Value::Flag(packet.clean_start)),
        Field::one("Keep Alive", Value::Number(packet.keep_alive_seconds.into())),
    ];
    fields.extend(property::field(&packet.properties));
    fields.push(Field::one("Client Identifier", Value::Text(packet.client_id)));
    fields.extend(packet.will.as_ref().map(|packet| Field::one("Will", Value::Fields(will(packet)))));
    fields.extend(packet.user_name.map(|name| Field::one("User Name", Value::Text(name))));
    fields.extend(packet.password.map(|password| Field::one("Password", Value::Bytes(password))));
    fields
}

fn will<'a>(will: &'a Will<Borrowed<'a>>) -> Vec<Field<'a>> {
    let mut fields = vec![qos("Will QoS", will.qos), Field::one("Will Retain", Value::Flag(will.retain))];
    fields.extend(property::field(&will.properties));
    fields.push(Field::one("Will Topic", Value::Text(will.topic.text())));
    fields.push(Field::one("Will Payload", Value::Bytes(will.payload)));
    fields
}

fn connack<'a>(packet: &'a ConnAck<Borrowed<'a>>, version: ProtocolVersion) -> Vec<Field<'a>> {
    let code = Value::Code(packet.reason.connack_byte(version), packet.reason.name());
    let name = if version.has_properties() { "Reason Code" } else { "Return Code" };
    let mut fields =
        vec![Field::one("Session Present", Value::Flag(packet.session_present)), Field::one(name, code)];
    fields.extend(property::field(&packet.properties));
    fields
}

fn publish<'a>(packet: &'a Publish<Borrowed<'a>>) -> Vec<Field<'a>> {
    let mut fields = vec![
        Field::one("DUP", Value::Flag(packet.delivery.dup())),
        qos("QoS", packet.delivery.qos()),
        Field::one("RETAIN", Value::Flag(packet.retain)),
        Field::one("Topic Name", Value::Text(packet.topic.as_ref().map_or("", |topic| topic.text()))),
    ];
    fields.extend(packet.delivery.packet_id().map(packet_id));
    fields.extend(property::field(&packet.properties));
    fields.push(Field::one("Payload", Value::Bytes(packet.payload)));
    fields
}

fn ack<'a>(packet: &'a Ack<Borrowed<'a>>, version: ProtocolVersion) -> Vec<Field<'a>> {
    let mut fields = vec![packet_id(packet.packet_id)];
    if version.has_properties() {
        fields.push(Field::one("Reason Code", reason(packet.reason)));
    }
    fields.extend(property::field(&packet.properties));
    fields
}

fn subscribe<'a>(packet: &'a Subscribe<Borrowed<'a>>, version: ProtocolVersion) -> Vec<Field<'a>> {
    let mut fields = vec![packet_id(packet.packet_id)];
    fields.extend(property::field(&packet.properties));
    fields.extend(
        packet
            .subscriptions()
            .map(|asked| Field::many("Subscription", Value::Fields(subscription(asked, version)))),
    );
    fields
}

fn subscription(asked: Subscription<'_>, version: ProtocolVersion) -> Vec<Field<'_>> {
    let filter = Field::one("Topic Filter", Value::Text(asked.filter.text()));
    if !version.has_properties() {
        return vec![filter, qos("Requested QoS", asked.options.maximum_qos)];
    }
    vec![
        filter,
        qos("Maximum QoS", asked.options.maximum_qos),
        Field::one("No Local", Value::Flag(asked.options.no_local)),
        Field::one("Retain As Published", Value::Flag(asked.options.retain_as_published)),
        Field::one("Retain Handling", Value::Number(asked.options.retain_handling as u32)),
    ]
}

fn suback<'a>(packet: &'a SubAck<Borrowed<'a>>) -> Vec<Field<'a>> {
    let mut fields = vec![packet_id(packet.packet_id)];
    fields.extend(property::field(&packet.properties));
    fields.extend(packet.reason_codes().map(|code| {
        let name = if code == ReasonCode::Success { "Granted QoS 0" } else { code.name() };
        Field::many("Reason Code", Value::Code(code.byte(), name))
    }));
    fields
}

fn unsubscribe<'a>(packet: &'a Unsubscribe<Borrowed<'a>>) -> Vec<Field<'a>> {
    let mut fields = vec![packet_id(packet.packet_id)];
    fields.extend(property::field(&packet.properties));
    fields.extend(packet.filters().map(|filter| Field::many("Topic Filter", Value::Text(filter.text()))));
    fields
}

fn unsuback<'a>(packet: &'a UnsubAck<Borrowed<'a>>) -> Vec<Field<'a>> {
    let mut fields = vec![packet_id(packet.packet_id)];
    fields.extend(property::field(&packet.properties));
    fields.extend(packet.reason_codes().map(|code| Field::many("Reason Code", reason(code))));
    fields
}

fn disconnect<'a>(packet: &'a Disconnect<Borrowed<'a>>, version: ProtocolVersion) -> Vec<Field<'a>> {
    if !version.has_properties() {
        return Vec::new();
    }
    let name =
        if packet.reason == ReasonCode::Success { "Normal disconnection" } else { packet.reason.name() };
    let mut fields = vec![Field::one("Reason Code", Value::Code(packet.reason.byte(), name))];
    fields.extend(property::field(&packet.properties));
    fields
}

fn auth<'a>(packet: &'a Auth<Borrowed<'a>>) -> Vec<Field<'a>> {
    let mut fields = vec![Field::one("Reason Code", reason(packet.reason))];
    fields.extend(property::field(&packet.properties));
    fields
}

fn packet_id(id: PacketId) -> Field<'static> {
    Field::one("Packet Identifier", Value::Number(id.get().into()))
}

fn qos(name: &'static str, qos: QoS) -> Field<'static> {
    Field::one(name, Value::Number(qos.bits().into()))
}

const fn reason(code: ReasonCode) -> Value<'static> {
    Value::Code(code.byte(), code.name())
}
