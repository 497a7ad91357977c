//! Owns the proof that the client's view of `shard` finds what is wrong: each rule is broken once. That the
//! broker breaks none is shown elsewhere.

use super::shard::client::Client;
use broker_core::config::Limits;
use mqtt_codec::{MAXIMUM_PACKET_BYTES, Packet, PacketRef, ProtocolVersion, frame};

/// A CONNECT of 5.0: Receive Maximum 1, Maximum Packet Size 24, Topic Alias Maximum 1.
const CONNECT_V5: &[u8] = b"\x10\x19\0\x04MQTT\x05\x02\0\0\x0B\x21\0\x01\x27\0\0\0\x18\x22\0\x01\0\x01a";
const CONNECT_V311: &[u8] = b"\x10\x0D\0\x04MQTT\x04\x02\0\0\0\x01a";
const ACCEPTED_V5: &[u8] = b"\x20\x03\0\0\0";
const REFUSED_V5: &[u8] = b"\x20\x03\0\x97\0";

/// What the client heard, the last of it wrong, and how the checker says so.
struct Planted {
    heard: &'static [&'static [u8]],
    complaint: &'static str,
}

const PLANTED: [Planted; 13] = [
    Planted { heard: &[b"\xD0\0"], complaint: "before CONNACK" },
    Planted { heard: &[ACCEPTED_V5, ACCEPTED_V5], complaint: "not for a server to send now" },
    Planted { heard: &[REFUSED_V5, b"\xE0\0"], complaint: "after the last packet" },
    Planted { heard: &[ACCEPTED_V5, b"\xE0\0", b"\x30\x04\0\x01a\0"], complaint: "after the last packet" },
    Planted { heard: &[ACCEPTED_V5, b"\x30\x04\0\x01a"], complaint: "half a packet" },
    Planted { heard: &[ACCEPTED_V5, b"\x30\x04\0\x01#\0"], complaint: "no packet" },
    Planted {
        heard: &[ACCEPTED_V5, b"\x30\x18\0\x01a\0xxxxxxxxxxxxxxxxxxxx"],
        complaint: "above the Maximum Packet Size",
    },
    Planted {
        heard: &[ACCEPTED_V5, b"\x32\x06\0\x01a\0\x01\0", b"\x32\x06\0\x01a\0\x01\0"],
        complaint: "an identifier that is in flight",
    },
    Planted {
        heard: &[ACCEPTED_V5, b"\x32\x06\0\x01a\0\x01\0", b"\x34\x06\0\x01a\0\x02\0"],
        complaint: "above the Receive Maximum",
    },
    Planted {
        heard: &[ACCEPTED_V5, b"\x30\x07\0\x01a\x03\x23\0\x02"],
        complaint: "above the Topic Alias Maximum",
    },
    Planted { heard: &[ACCEPTED_V5, b"\x30\x06\0\0\x03\x23\0\x01"], complaint: "an alias without a topic" },
    Planted { heard: &[ACCEPTED_V5, b"\x40\x02\0\x07"], complaint: "answers nothing" },
    Planted {
        heard: &[ACCEPTED_V5, b"\x34\x06\0\x01a\0\x01\0", b"\x62\x02\0\x01"],
        complaint: "PUBREL without PUBREC",
    },
];

#[test]
fn whatever_a_broker_may_not_send_is_found() {
    for Planted { heard, complaint } in PLANTED {
        let (last, legal) = heard.split_last().unwrap();
        let mut client = connected_by(CONNECT_V5, ProtocolVersion::V5);
        legal.iter().for_each(|bytes| drop(client.hear(bytes)));
        check_complaint(client, last, complaint);
    }
    let mut client = connected_by(CONNECT_V311, ProtocolVersion::V311);
    client.hear(b"\x20\x02\0\0");
    check_complaint(client, b"\xE0\0", "3.x servers send no DISCONNECT");
}

#[test]
fn an_acknowledged_identifier_may_come_again() {
    let mut client = connected_by(CONNECT_V5, ProtocolVersion::V5);
    client.hear(ACCEPTED_V5);
    for _ in 0..3 {
        client.hear(b"\x32\x06\0\x01a\0\x01\0");
        say(&mut client, b"\x40\x02\0\x01");
        client.hear(b"\x34\x06\0\x01a\0\x01\0");
        say(&mut client, b"\x50\x02\0\x01");
        client.hear(b"\x62\x02\0\x01");
        say(&mut client, b"\x70\x02\0\x01");
    }
}

fn connected_by(connect: &[u8], version: ProtocolVersion) -> Client {
    let Packet::Connect(connect) = decode(connect, version) else { panic!("no CONNECT") };
    Client::new(&connect, &Limits::default())
}

fn say(client: &mut Client, bytes: &[u8]) {
    client.said(&decode(bytes, ProtocolVersion::V5));
}

fn decode(bytes: &[u8], version: ProtocolVersion) -> PacketRef<'_> {
    let frame = frame(bytes, version, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
    PacketRef::decode(frame, version).unwrap()
}

fn check_complaint(mut client: Client, bytes: &[u8], complaint: &str) {
    let heard = std::panic::catch_unwind(move || client.hear(bytes));
    let panic = heard.expect_err(complaint);
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    assert!(said.is_some_and(|said| said.contains(complaint)), "{complaint}: {said:?}");
}
