//! Owns the tests of a client that does not read what it asked for: it loses QoS 0, keeps the rest, and holds up nobody
//! else.

use dunlin_tests::everywhere_with;
use mqtt_codec::{
    Packet,
    QoS::{AtLeastOnce, AtMostOnce},
};

const SETTINGS: &[(&str, &str)] = &[("limits.outbox_bytes_max", "200KiB"), ("limits.inflight_max", "10")];

/// Far more than the outbox and what the system buffers.
const COUNT: usize = 3_000;
const PAYLOAD_BYTES: usize = 10_000;

#[test]
fn qos_0_is_dropped_beyond_the_outbox_and_others_go_on() {
    everywhere_with(SETTINGS, |scenario| {
        let mut slow = scenario.connect("slow");
        slow.subscribe("flood", AtMostOnce);
        let mut brisk = scenario.connect("brisk");
        brisk.subscribe("brisk", AtMostOnce);
        let mut publisher = scenario.connect("publisher");
        let payload = vec![b'x'; PAYLOAD_BYTES];
        let before = scenario.broker.program().peak_memory_bytes();
        for number in 0..COUNT {
            publisher.publish("flood", AtMostOnce, &payload);
            if number % 500 == 0 {
                publisher.publish("brisk", AtLeastOnce, "still here");
                brisk.expect_message("brisk", "still here");
            }
        }
        publisher.ping();
        let grown = scenario.broker.program().peak_memory_bytes() - before;
        assert!(grown < 20 << 20, "the broker grew by {grown} bytes");
        // What was not dropped is whole, and the connection goes on.
        slow.send("c0 #");
        let mut received = 0;
        loop {
            match slow.packet() {
                Packet::Publish(publish) => {
                    assert_eq!(publish.payload.len(), PAYLOAD_BYTES);
                    received += 1;
                }
                Packet::PingResp => break,
                packet => panic!("expected PUBLISH, received {packet:?}"),
            }
        }
        assert!((1..COUNT).contains(&received), "received {received} of {COUNT}");
    });
}

#[test]
fn qos_1_waits_and_arrives_complete() {
    const MESSAGES: usize = 400;
    everywhere_with(SETTINGS, |scenario| {
        let mut slow = scenario.connect("slow");
        slow.subscribe("flood", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        let filler = "x".repeat(PAYLOAD_BYTES);
        for number in 0..MESSAGES {
            publisher.publish("flood", AtLeastOnce, format!("{number:06}{filler}"));
        }
        for number in 0..MESSAGES {
            let payload = slow.receive().payload;
            assert_eq!(&payload[..6], format!("{number:06}").as_bytes());
        }
        slow.ping();
    });
}
