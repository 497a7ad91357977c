//! Owns what a packet looks like to a person: its bytes, the tree it is parsed to, and the bytes it is
//! encoded to where they differ. One snapshot per packet type and version.

use super::{
    examples::{EXAMPLES, Example},
    hex::dump,
};
use bytes::Bytes;
use mqtt_codec::{MAXIMUM_PACKET_BYTES, Packet};

/// Packets that have a shorter encoding than the one they came in, or bits that mean nothing.
const SHORTENED: &[&str] = &[
    "user name and password announced and left out",
    "flags that are disregarded without a Will",
    "a reserved byte that means nothing",
    "a reason and no properties",
    "DUP",
];

#[test]
fn each_packet_type_of_each_version() {
    let groups: Vec<_> =
        EXAMPLES.chunk_by(|one, other| (one.packet, one.version) == (other.packet, other.version)).collect();
    for group in &groups {
        let rendered: Vec<String> = group.iter().map(render).collect();
        let version = group[0].version.to_string().replace('.', "_");
        insta::assert_snapshot!(format!("{}_{version}", group[0].packet), rendered.join("\n\n"));
    }
    // 14 packet types in three versions, and AUTH in one.
    assert_eq!(groups.len(), 14 * 3 + 1);
}

#[test]
fn what_is_decoded_is_encoded_to_the_same_bytes() {
    for example in EXAMPLES {
        let (bytes, encoded) = (example.bytes(), encode(example, &decode(example)));
        let is_shortened = SHORTENED.contains(&example.name);
        assert_eq!(encoded != bytes, is_shortened, "MQTT {} {}", example.version, example.name);
    }
}

fn render(example: &Example) -> String {
    let packet = decode(example);
    let (bytes, encoded) = (example.bytes(), encode(example, &packet));
    let mut text = format!("# {}\nin  {}\n{}", example.name, dump(&bytes), tree(&packet));
    if encoded != bytes {
        text += &format!("\nout {}", dump(&encoded));
    }
    text
}

/// The packet's own rendering, with what holds one line only on one line.
fn tree(packet: &Packet) -> String {
    let mut lines: Vec<String> = format!("{packet:#?}").lines().map(str::to_owned).collect();
    let mut index = 0;
    while index + 2 < lines.len() {
        if lines[index].ends_with('(') && lines[index + 2].trim_start().starts_with(')') {
            let closing = lines.remove(index + 2);
            let value = lines.remove(index + 1);
            lines[index] += value.trim_start().trim_end_matches(',');
            lines[index] += closing.trim_start();
            // What this one stands in may now hold one line only.
            index = index.saturating_sub(1);
        } else {
            index += 1;
        }
    }
    lines.join("\n")
}

fn decode(example: &Example) -> Packet {
    let bytes = Bytes::from(example.bytes());
    match Packet::decode_first(&bytes, example.version, MAXIMUM_PACKET_BYTES) {
        Ok(Some((packet, length))) if length == bytes.len() => packet,
        other => panic!("MQTT {} {}: {other:?}", example.version, example.name),
    }
}

fn encode(example: &Example, packet: &Packet) -> Vec<u8> {
    let mut out = Vec::new();
    packet.encode(example.version, &mut out).unwrap();
    out
}
