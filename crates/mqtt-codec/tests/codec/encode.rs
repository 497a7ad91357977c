//! Owns what the codec refuses to write, and the parts of a PUBLISH that a server puts together.

use super::hex;
use bytes::{Bytes, BytesMut};
use mqtt_codec::{
    EncodeError, MAXIMUM_PACKET_BYTES, Packet, PacketId, Properties, PropertyOwner,
    ProtocolVersion::{self, V5, V31, V311},
    QoS, ReasonCode, TopicFilterRef, TopicName, Violation,
    packet::{
        Ack, Auth, ConnAck, Connect, Delivery, Disconnect, Publish, PublishParts, RetainHandling, SubAck,
        Subscribe, Subscription, SubscriptionOptions, UnsubAck, Unsubscribe,
    },
};

const FIRST: PacketId = PacketId::FIRST;

fn encode(packet: &Packet, version: ProtocolVersion) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    packet.encode(version, &mut out).map(|()| out)
}

fn connect(version: ProtocolVersion) -> Connect {
    Connect {
        version,
        clean_start: true,
        keep_alive_seconds: 60,
        client_id: "cid".into(),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::NONE,
    }
}

fn publish(topic: Option<&str>) -> Packet {
    Packet::Publish(Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: topic.map(|topic| TopicName::owned(topic).unwrap()),
        properties: Properties::NONE,
        payload: Bytes::from_static(b"x"),
    })
}

#[test]
fn what_a_decoder_would_refuse_is_not_encoded() {
    let password = Some(Bytes::from_static(b"pass"));
    let ack = |reason| Ack::new(FIRST, reason);
    let table = [
        (
            Packet::Connect(Connect { password: password.clone(), ..connect(V311) }),
            Violation::PasswordWithoutUserName,
        ),
        (Packet::Connect(Connect { client_id: "a\0".into(), ..connect(V5) }), Violation::TextHasNul),
        (Packet::Connect(Connect { user_name: Some("\0".into()), ..connect(V5) }), Violation::TextHasNul),
        (
            Packet::ConnAck(ConnAck {
                session_present: true,
                reason: ReasonCode::NotAuthorized,
                properties: Properties::NONE,
            }),
            Violation::SessionPresentOnError,
        ),
        (
            Packet::ConnAck(ConnAck {
                session_present: false,
                reason: ReasonCode::SessionTakenOver,
                properties: Properties::NONE,
            }),
            Violation::ReasonCodeUnknown,
        ),
        (publish(None), Violation::TopicEmptyWithoutAlias),
        (Packet::PubAck(ack(ReasonCode::PacketIdentifierNotFound)), Violation::ReasonCodeUnknown),
        (Packet::PubRec(ack(ReasonCode::ProtocolError)), Violation::ReasonCodeUnknown),
        (Packet::PubRel(ack(ReasonCode::NoMatchingSubscribers)), Violation::ReasonCodeUnknown),
        (Packet::PubComp(ack(ReasonCode::QuotaExceeded)), Violation::ReasonCodeUnknown),
        (
            Packet::Disconnect(Disconnect { reason: ReasonCode::Banned, properties: Properties::NONE }),
            Violation::ReasonCodeUnknown,
        ),
        (
            Packet::Auth(Auth { reason: ReasonCode::NotAuthorized, properties: Properties::NONE }),
            Violation::ReasonCodeUnknown,
        ),
        (
            Packet::Auth(Auth { reason: ReasonCode::ContinueAuthentication, properties: Properties::NONE }),
            Violation::AuthenticationMethodMissing,
        ),
    ];
    for (packet, violation) in table {
        assert_eq!(encode(&packet, V5), Err(EncodeError::Violation(violation)), "{packet:?}");
    }
    assert_eq!(encode(&publish(None), V311), Err(EncodeError::Violation(Violation::TopicEmpty)));
    let auth = Packet::Auth(Auth { reason: ReasonCode::Success, properties: Properties::NONE });
    assert_eq!(encode(&auth, V311), Err(EncodeError::NotInVersion));
    assert!(encode(&Packet::Connect(Connect { password, ..connect(V5) }), V5).is_ok());
}

#[test]
fn lists_are_not_built_from_nothing_or_from_what_is_illegal() {
    let none = Properties::NONE;
    let violation = |violation| Some(EncodeError::Violation(violation));
    assert_eq!(Subscribe::new(FIRST, none.clone(), []).err(), violation(Violation::SubscribeEmpty));
    assert_eq!(Unsubscribe::new(FIRST, none.clone(), []).err(), violation(Violation::UnsubscribeEmpty));
    assert_eq!(SubAck::new(FIRST, none.clone(), []).err(), violation(Violation::ReasonCodesMissing));
    assert_eq!(UnsubAck::new(FIRST, none.clone(), []).err(), violation(Violation::ReasonCodesMissing));
    let code = [ReasonCode::NoSubscriptionExisted];
    assert_eq!(SubAck::new(FIRST, none.clone(), code).err(), violation(Violation::ReasonCodeUnknown));
    assert!(UnsubAck::new(FIRST, none.clone(), code).is_ok());
    let filter = TopicFilterRef::new("$share/g/a").unwrap();
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() };
    let subscribe = Subscribe::new(FIRST, none, [Subscription { filter, options }]);
    assert_eq!(subscribe.err(), violation(Violation::NoLocalOnShared));
}

#[test]
fn a_version_leaves_out_what_it_does_not_have() {
    let reason = Properties::new(PropertyOwner::PubAck, [mqtt_codec::Property::ReasonString("why")]).unwrap();
    let ack = Packet::PubAck(Ack { packet_id: FIRST, reason: ReasonCode::NotAuthorized, properties: reason });
    assert_eq!(encode(&ack, V5), Ok(hex::bytes("40 # 0001 87 (1f 'why')")));
    assert_eq!(encode(&ack, V311), Ok(hex::bytes("40 # 0001")));

    let options = SubscriptionOptions {
        maximum_qos: QoS::ExactlyOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::DoNotSend,
    };
    let filter = TopicFilterRef::new("a/#").unwrap();
    let subscribe = Subscribe::new(FIRST, Properties::NONE, [Subscription { filter, options }]).unwrap();
    let subscribe = Packet::Subscribe(subscribe);
    // No properties are a Property Length of 0 [MQTT5-2.2.2-1].
    assert_eq!(encode(&subscribe, V5), Ok(hex::bytes("82 # 0001 () 'a/#' 2e")));
    assert_eq!(encode(&subscribe, V31), Ok(hex::bytes("82 # 0001 'a/#' 02")));

    let codes = [ReasonCode::GrantedQoS2, ReasonCode::NotAuthorized, ReasonCode::QuotaExceeded];
    let suback = Packet::SubAck(SubAck::new(FIRST, Properties::NONE, codes).unwrap());
    assert_eq!(encode(&suback, V5), Ok(hex::bytes("90 # 0001 () 02 87 97")));
    // [MQTT311-3.9.3-2]
    assert_eq!(encode(&suback, V311), Ok(hex::bytes("90 # 0001 02 80 80")));
    let codes = [ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
    let unsuback = Packet::UnsubAck(UnsubAck::new(FIRST, Properties::NONE, codes).unwrap());
    assert_eq!(encode(&unsuback, V311), Ok(hex::bytes("b0 # 0001")));
}

#[test]
fn a_refusal_becomes_the_nearest_return_code_of_3_1_1() {
    let returned = |reason| {
        let packet =
            Packet::ConnAck(ConnAck { session_present: false, reason, properties: Properties::NONE });
        encode(&packet, V311).unwrap()[3]
    };
    for (reason, code) in [
        (ReasonCode::Success, 0),
        (ReasonCode::UnsupportedProtocolVersion, 1),
        (ReasonCode::ClientIdentifierNotValid, 2),
        (ReasonCode::ServerUnavailable, 3),
        (ReasonCode::ServerBusy, 3),
        (ReasonCode::QuotaExceeded, 3),
        (ReasonCode::BadUserNameOrPassword, 4),
        (ReasonCode::BadAuthenticationMethod, 4),
        (ReasonCode::NotAuthorized, 5),
        (ReasonCode::Banned, 5),
    ] {
        assert_eq!(returned(reason), code, "{reason}");
    }
}

#[test]
fn what_only_3_1_1_can_say_is_not_written_in_5_0() {
    for (notation, violation) in [
        ("82 # 0001 '$share//a' 00", Violation::ShareNameEmpty),
        ("a2 # 0001 '$share/g'", Violation::ShareFilterMissing),
        ("b0 # 0001", Violation::ReasonCodesMissing),
    ] {
        let bytes = Bytes::from(hex::bytes(notation));
        let (packet, _) = Packet::decode_first(&bytes, V311, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
        assert_eq!(encode(&packet, V5), Err(EncodeError::Violation(violation)), "{notation}");
    }
}

#[test]
fn a_publish_is_put_together_from_shared_and_own_parts() {
    let parts = PublishParts {
        delivery: Delivery::AtLeastOnce { packet_id: PacketId::new(0x1234).unwrap(), dup: true },
        retain: true,
        topic: "a/b",
        first_properties: &[0x0B, 0x07],
        properties: &[0x01, 0x01],
        payload: b"hello",
    };
    let expected = hex::bytes("3b # 'a/b' 1234 (0b 07 01 01) <hello>");
    let mut out = BytesMut::from(&b"before"[..]);
    let layout = parts.encode(V5, &mut out).unwrap();
    assert_eq!(out[6..], expected);
    assert_eq!(parts.encoded_len(V5), Ok(expected.len()));
    assert_eq!(layout.start, 6);
    assert_eq!(out[layout.packet_id..layout.packet_id + 2], [0x12, 0x34]);

    let mut head = Vec::new();
    assert_eq!(parts.encode_head(V5, &mut head).unwrap().start, 0);
    head.extend_from_slice(parts.payload);
    assert_eq!(head, expected);

    let mut out = Vec::new();
    parts.encode(V311, &mut out).unwrap();
    assert_eq!(out, hex::bytes("3b # 'a/b' 1234 <hello>"));
}

#[test]
fn an_alias_stands_for_a_topic_wherever_it_is_among_the_properties() {
    let alias = hex::bytes("23 0001");
    let parts = |first_properties, properties| PublishParts {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: "",
        first_properties,
        properties,
        payload: &[],
    };
    let expected = hex::bytes("30 # '' (23 0001)");
    for parts in [parts(&alias, &[]), parts(&[], &alias)] {
        let mut out = Vec::new();
        parts.encode(V5, &mut out).unwrap();
        assert_eq!(out, expected);
    }
    let mut out = Vec::new();
    assert_eq!(
        parts(&[], &[]).encode(V5, &mut out),
        Err(EncodeError::Violation(Violation::TopicEmptyWithoutAlias))
    );
    assert!(out.is_empty());
}

#[test]
fn room_is_made_once_and_exactly() {
    for example in super::examples::EXAMPLES {
        let bytes = Bytes::from(example.bytes());
        let (packet, _) =
            Packet::decode_first(&bytes, example.version, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
        let mut out = Counting::default();
        packet.encode(example.version, &mut out).unwrap();
        assert_eq!(out.reserved, [out.bytes.len()], "MQTT {} {}", example.version, example.name);
    }
}

/// Remembers what room was asked for.
#[derive(Default)]
struct Counting {
    bytes: Vec<u8>,
    reserved: Vec<usize>,
}

impl mqtt_codec::Output for Counting {
    fn reserve(&mut self, bytes: usize) {
        self.reserved.push(bytes);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn position(&self) -> usize {
        self.bytes.len()
    }

    fn grow(&mut self, bytes: usize) -> &mut [u8] {
        mqtt_codec::Output::grow(&mut self.bytes, bytes)
    }
}
