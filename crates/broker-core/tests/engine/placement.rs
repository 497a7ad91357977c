//! Owns the proof of which shard a client belongs to: always the same, and each shard its share.

use broker_core::{Node, config::Config};

/// How client identifiers are often made, under a name.
type Scheme = (&'static str, fn(usize) -> String);

#[test]
fn client_identifiers_spread_evenly_over_the_shards() {
    const COUNT: usize = 10_000;
    let schemes: [Scheme; 8] = [
        ("counted", |number| format!("device-{number}")),
        ("counted with zeros", |number| format!("sensor/{number:08}")),
        ("bare numbers", |number| number.to_string()),
        ("MAC addresses", |number| {
            format!("24:6F:28:{:02X}:{:02X}:{:02X}", number >> 16, number >> 8 & 255, number & 255)
        }),
        ("long common prefix", |number| format!("customer-4711/site-berlin/line-3/machine-{number}")),
        ("number in front", |number| format!("{number}-device")),
        ("UUID like", |number| {
            format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(2_654_435_761))
        }),
        ("mosquitto's own", |number| {
            format!("mosq-{:016X}", (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
        }),
    ];
    for shards in 2..=8 {
        let node = Node::new(Config::default(), shards, 1);
        for (scheme, name) in schemes {
            let mut counts = vec![0_usize; shards];
            for number in 0..COUNT {
                counts[usize::from(node.shard_of(&name(number)).0)] += 1;
            }
            let fair = COUNT / shards;
            let worst = counts.iter().map(|&count| count.abs_diff(fair)).max().unwrap();
            assert!(worst * 10 <= fair, "{scheme} over {shards} shards: {counts:?}");
        }
    }
}

#[test]
fn a_client_identifier_belongs_to_one_shard_whatever_the_nodes_seed() {
    let [left, right] = [1, 2].map(|seed| Node::new(Config::default(), 4, seed));
    for number in 0..1000 {
        let name = number.to_string();
        assert_eq!(left.shard_of(&name), right.shard_of(&name));
    }
}
