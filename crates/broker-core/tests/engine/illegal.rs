//! Owns the proof of packets that no client may send to a broker it is connected to.

use crate::support::*;

/// What is not a client's to send, or not now, as each version writes it.
fn illegal(version: ProtocolVersion) -> Vec<Vec<u8>> {
    let properties: &[u8] = if version == ProtocolVersion::V5 { &[0] } else { &[] };
    let with = |head: &[u8], tail: &[u8]| {
        let mut bytes = [head, properties, tail].concat();
        bytes[1] = u8::try_from(bytes.len() - 2).unwrap();
        bytes
    };
    let mut packets = vec![with(&[0x20, 0, 0, 0], &[]), with(&[0x90, 0, 0, 1], &[0]), vec![0xD0, 0]];
    packets.push(if version == ProtocolVersion::V5 {
        with(&[0xB0, 0, 0, 1], &[0])
    } else {
        vec![0xB0, 2, 0, 1]
    });
    packets
}

/// [MQTT5-3.1.0-2] [MQTT5-4.13.1-1] [MQTT311-3.1.0-2] [MQTT311-4.8.0-1]
#[test]
fn a_second_connect_or_a_servers_packet_ends_the_connection() {
    for hello in versions() {
        let mut packets = illegal(hello("").version());
        packets.extend(versions().map(|other| other("alice").encode()));
        for bytes in packets {
            for mut broker in brokers() {
                let alice = broker.connect(hello("alice"));
                broker.send_bytes(alice, &bytes);
                broker.expect_end(alice, ReasonCode::ProtocolError);
                assert_eq!((broker.connections(), broker.totals().sessions), (0, 0));
            }
        }
    }
}

/// A CONNECT that names no version there is: its reason is not one that DISCONNECT may carry.
#[test]
fn a_second_connect_of_an_unknown_version_ends_the_connection() {
    for hello in versions() {
        for mut broker in brokers() {
            for body in [&b"\0\x04MQTT\x09\x02\0\0\0\0"[..], b"\0\x04HTTP\x04\x02\0\0\0\0"] {
                let alice = broker.connect(hello("alice"));
                let mut bytes = vec![0x10, u8::try_from(body.len()).unwrap()];
                bytes.extend_from_slice(body);
                broker.send_bytes(alice, &bytes);
                broker.expect_end(alice, ReasonCode::ProtocolError);
            }
        }
    }
}

/// [MQTT5-4.12.0-6] [MQTT5-4.12.0-7] [MQTT5-4.12.1-2]
#[test]
fn auth_without_a_method_agreed_on_ends_the_connection() {
    for bytes in [&[0xF0, 0][..], b"\xF0\x06\x19\x04\x15\0\x01x"] {
        for mut broker in brokers() {
            let alice = broker.connect(v5("alice"));
            broker.send_bytes(alice, bytes);
            broker.expect_end(alice, ReasonCode::ProtocolError);
        }
    }
}

/// [MQTT5-4.13.1-1] [MQTT5-4.13.2-1] [MQTT5-3.14.1-1] [MQTT311-4.8.0-1] [MQTT311-3.14.1-1]
#[test]
fn what_is_malformed_ends_the_connection_with_its_reason() {
    for (bytes, reason) in [
        (&[0xE1, 0][..], ReasonCode::MalformedPacket),
        (&[0x00, 0], ReasonCode::MalformedPacket),
        (&[0x36, 3, 0, 1, b'a'], ReasonCode::MalformedPacket),
        (&[0x82, 2, 0, 1], ReasonCode::ProtocolError),
        (&[0x30, 0xFF, 0xFF, 0xFF, 0x7F], ReasonCode::PacketTooLarge),
    ] {
        for hello in versions() {
            for mut broker in brokers() {
                let alice = broker.connect(hello("alice"));
                broker.send_bytes(alice, bytes);
                let received = broker.received(alice);
                assert_eq!(received.last().unwrap(), "closed");
                if hello("").version() == ProtocolVersion::V5 && bytes != [0x82, 2, 0, 1] {
                    assert_eq!(received[0], format!("DISCONNECT {reason}"));
                }
                assert_eq!(broker.connections(), 0);
            }
        }
    }
}

/// [MQTT5-3.14.4-1] [MQTT5-3.14.4-2]
#[test]
fn what_comes_behind_the_end_is_not_heard() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "a", AtMostOnce);
        broker.leave(alice);
        // The daemon may have read it already.
        broker.send_in_spite_of_close(alice, publish("a", "x"));
        broker.expect(bob, &[]);
    }
}

/// [MQTT5-3.1.4-6] [MQTT311-3.1.4-5]
#[test]
fn what_comes_behind_a_refused_connect_is_not_heard() {
    for (hello, answer) in [
        (v5("alice").with(Property::AuthenticationMethod("x")), "CONNACK 0x8C Bad authentication method"),
        (v311("").resuming(), "CONNACK 0x85 Client Identifier not valid"),
    ] {
        for mut broker in brokers() {
            let bob = broker.connect(v5("bob"));
            broker.subscribe(bob, "a", AtMostOnce);
            let alice = broker.dial(hello.clone());
            broker.expect(alice, &[answer, "closed"]);
            // The daemon may have read it already.
            broker.send_in_spite_of_close(alice, publish("a", "x").qos1(1));
            broker.expect(alice, &["closed"]);
            broker.expect(bob, &[]);
        }
    }
}
