//! Owns the legality and multiplicity of every property in every packet, from a table of its own.

use mqtt_codec::{
    EncodeError, Properties, PropertiesRef, Property, PropertyId, PropertyOwner,
    PropertyOwner::{
        Auth, ConnAck, Connect, Disconnect, PubAck, PubComp, PubRec, PubRel, Publish, SubAck, Subscribe,
        UnsubAck, Unsubscribe, Will,
    },
    Violation,
};

const OWNERS: [PropertyOwner; 14] = [
    Connect,
    Will,
    ConnAck,
    Publish,
    PubAck,
    PubRec,
    PubRel,
    PubComp,
    Subscribe,
    SubAck,
    Unsubscribe,
    UnsubAck,
    Disconnect,
    Auth,
];

/// Identifier, a legal value in the notation of `hex`, and the packets that may carry it.
#[rustfmt::skip]
const TABLE: &[(u8, &str, &[PropertyOwner])] = &[
    (0x01, "01", &[Publish, Will]),
    (0x02, "00000000", &[Publish, Will]),
    (0x03, "''", &[Publish, Will]),
    (0x08, "'a/b'", &[Publish, Will]),
    (0x09, "0000", &[Publish, Will]),
    (0x0B, "ffffff7f", &[Publish, Subscribe]),
    (0x11, "ffffffff", &[Connect, ConnAck, Disconnect]),
    (0x12, "'cid'", &[ConnAck]),
    (0x13, "0000", &[ConnAck]),
    (0x15, "'SCRAM'", &[Connect, ConnAck, Auth]),
    (0x16, "0001 ff", &[Connect, ConnAck, Auth]),
    (0x17, "00", &[Connect]),
    (0x18, "ffffffff", &[Will]),
    (0x19, "01", &[Connect]),
    (0x1A, "'answers'", &[ConnAck]),
    (0x1C, "'other'", &[ConnAck, Disconnect]),
    (0x1F, "'why'", &[ConnAck, PubAck, PubRec, PubRel, PubComp, SubAck, UnsubAck, Disconnect, Auth]),
    (0x21, "0001", &[Connect, ConnAck]),
    (0x22, "0000", &[Connect, ConnAck]),
    (0x23, "ffff", &[Publish]),
    (0x24, "01", &[ConnAck]),
    (0x25, "00", &[ConnAck]),
    (0x26, "'' ''", &OWNERS),
    (0x27, "00000001", &[Connect, ConnAck]),
    (0x28, "00", &[ConnAck]),
    (0x29, "01", &[ConnAck]),
    (0x2A, "00", &[ConnAck]),
];

const METHOD: &str = "15 'SCRAM'";

fn judge(owner: PropertyOwner, notation: &str) -> Result<(), Violation> {
    PropertiesRef::from_raw(owner, &super::hex::bytes(notation)).map(drop)
}

/// One property with what it needs beside it to be legal.
fn with_company(owner: PropertyOwner, id: u8, value: &str) -> String {
    let needs_method = (id == 0x16 || owner == Auth) && id != 0x15;
    format!("{id:02x} {value} {}", if needs_method { METHOD } else { "" })
}

#[test]
fn every_property_is_legal_in_its_packets_and_in_no_other() {
    for &(id, value, owners) in TABLE {
        for owner in OWNERS {
            let is_legal = owners.contains(&owner);
            let found = judge(owner, &with_company(owner, id, value));
            let expected = if is_legal { Ok(()) } else { Err(Violation::PropertyNotAllowed) };
            assert_eq!(found, expected, "{id:#04x} in {owner:?}");
            let known = PropertyId::from_number(u32::from(id)).unwrap();
            assert_eq!(known.is_allowed_in(owner), is_legal, "{known} in {owner:?}");
        }
    }
}

#[test]
fn the_table_has_every_property_there_is_and_all_other_identifiers_are_unknown() {
    let listed: Vec<u8> = TABLE.iter().map(|&(id, ..)| id).collect();
    assert_eq!(PropertyId::ALL.iter().map(|&id| id as u8).collect::<Vec<_>>(), listed);
    for id in (0..=u8::MAX).filter(|id| !listed.contains(id)) {
        let mut raw = super::hex::length(usize::from(id));
        raw.extend([0; 8]);
        assert_eq!(PropertiesRef::from_raw(Publish, &raw), Err(Violation::PropertyUnknown), "{id:#04x}");
    }
}

#[test]
fn only_user_properties_and_the_identifiers_of_a_publish_may_repeat() {
    for &(id, value, owners) in TABLE {
        for &owner in owners {
            let twice = format!("{id:02x} {value} {}", with_company(owner, id, value));
            let may_repeat = id == 0x26 || (id == 0x0B && owner == Publish);
            let expected = if may_repeat { Ok(()) } else { Err(Violation::PropertyRepeated) };
            assert_eq!(judge(owner, &twice), expected, "{id:#04x} in {owner:?}");
        }
    }
}

#[test]
fn a_property_cut_anywhere_is_refused() {
    for &(id, value, owners) in TABLE {
        let raw = super::hex::bytes(&format!("{id:02x} {value}"));
        for length in 1..raw.len() {
            let cut = &raw[..length];
            assert_eq!(PropertiesRef::from_raw(owners[0], cut), Err(Violation::FieldPastEnd), "{cut:02x?}");
        }
    }
}

#[test]
fn flags_take_no_value_but_0_and_1() {
    for (id, owner) in [
        (0x01, Publish),
        (0x17, Connect),
        (0x19, Connect),
        (0x24, ConnAck),
        (0x25, ConnAck),
        (0x28, ConnAck),
        (0x29, ConnAck),
        (0x2A, ConnAck),
    ] {
        for value in 0..=u8::MAX {
            let expected = if value > 1 { Err(Violation::PropertyValue) } else { Ok(()) };
            assert_eq!(judge(owner, &format!("{id:02x} {value:02x}")), expected, "{id:#04x}: {value}");
        }
    }
}

#[test]
fn properties_are_found_by_name_behind_any_other() {
    // Everything CONNACK can carry, in descending order of identifiers.
    let mut raw = Vec::new();
    for &(id, value, _) in TABLE.iter().rev().filter(|(.., owners)| owners.contains(&ConnAck)) {
        raw.extend(super::hex::bytes(&format!("{id:02x} {value}")));
    }
    let found = PropertiesRef::from_raw(ConnAck, &raw).unwrap();
    assert_eq!(found.session_expiry_interval(), Some(u32::MAX));
    assert_eq!(found.assigned_client_identifier(), Some("cid"));
    assert_eq!(found.server_keep_alive(), Some(0));
    assert_eq!(found.authentication_method(), Some("SCRAM"));
    assert_eq!(found.authentication_data(), Some(&[0xFF][..]));
    assert_eq!(found.response_information(), Some("answers"));
    assert_eq!(found.server_reference(), Some("other"));
    assert_eq!(found.reason_string(), Some("why"));
    assert_eq!(found.receive_maximum().map(u16::from), Some(1));
    assert_eq!(found.topic_alias_maximum(), Some(0));
    assert_eq!(found.retain_available(), Some(false));
    assert_eq!(found.maximum_packet_size().map(u32::from), Some(1));
    assert_eq!(found.wildcard_subscription_available(), Some(false));
    assert_eq!(found.subscription_identifier_available(), Some(true));
    assert_eq!(found.shared_subscription_available(), Some(false));
    assert_eq!(found.user_properties().collect::<Vec<_>>(), [("", "")]);
    assert_eq!(found.topic_alias(), None);
    assert!(!found.contains(PropertyId::TopicAlias));
    assert_eq!(found.iter().count(), 17);
}

#[test]
fn user_properties_and_identifiers_keep_their_order() {
    let raw = super::hex::bytes("26 'b' '1' 0b 02 26 'a' '2' 0b 01 26 'b' '1'");
    let properties = PropertiesRef::from_raw(Publish, &raw).unwrap();
    assert_eq!(properties.user_properties().collect::<Vec<_>>(), [("b", "1"), ("a", "2"), ("b", "1")]);
    assert_eq!(properties.subscription_identifiers().map(u32::from).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(properties.subscription_identifier().map(u32::from), Some(2));
}

#[test]
fn properties_that_are_built_are_judged_like_those_received() {
    let build = |owner, properties: &[Property<'_>]| Properties::new(owner, properties.iter().copied());
    let violation = |violation| Err(EncodeError::Violation(violation));
    let why = Property::ReasonString("why");
    assert_eq!(
        build(PubAck, &[why]).map(|built| built.raw().to_vec()),
        Ok(vec![0x1F, 0, 3, b'w', b'h', b'y'])
    );
    assert_eq!(build(Publish, &[why]), violation(Violation::PropertyNotAllowed));
    assert_eq!(build(PubAck, &[why, why]), violation(Violation::PropertyRepeated));
    assert_eq!(build(PubAck, &[Property::ReasonString("a\0")]), violation(Violation::TextHasNul));
    assert_eq!(build(Auth, &[why]), violation(Violation::AuthenticationMethodMissing));
    assert_eq!(
        build(ConnAck, &[Property::MaximumQoS(mqtt_codec::QoS::ExactlyOnce)]),
        violation(Violation::PropertyValue)
    );
    let long = "x".repeat(65_536);
    assert_eq!(build(PubAck, &[Property::ReasonString(&long)]), Err(EncodeError::FieldTooLong));
    assert_eq!(build(PubAck, &[Property::UserProperty("n", &long)]), Err(EncodeError::FieldTooLong));
    let too_high = Property::SubscriptionIdentifier(268_435_456.try_into().unwrap());
    assert_eq!(build(Subscribe, &[too_high]), violation(Violation::PropertyValue));
}
