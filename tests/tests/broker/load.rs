//! Owns the tests with much of something: large payloads, many clients, many subscriptions. Speed is the benches'
//! business.

use dunlin_tests::{Wire, everywhere, everywhere_with};
use mqtt_codec::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

/// Over TCP, with each byte in its place in both directions [MQTT5-4.2-1].
#[test]
fn large_payloads_arrive_whole_at_every_qos() {
    everywhere_with(
        &[("limits.packet_bytes_max", "20MiB"), ("limits.outbox_bytes_max", "64MiB")],
        |scenario| {
            let mut subscriber = scenario.connect("subscriber");
            subscriber.subscribe("a", ExactlyOnce);
            let mut publisher = scenario.connect("publisher");
            for (qos, bytes) in [
                (AtMostOnce, 127),
                (AtLeastOnce, 800),
                (AtLeastOnce, 16_384),
                (AtMostOnce, 70_000),
                (ExactlyOnce, 1 << 20),
                (AtLeastOnce, 8 << 20),
            ] {
                let payload: Vec<u8> =
                    (0..bytes).map(|at: usize| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
                publisher.publish("a", qos, &payload);
                let received = subscriber.receive();
                assert_eq!(received.delivery.qos(), qos);
                assert!(received.payload == payload, "{bytes} bytes did not arrive as they were sent");
            }
        },
    );
}

#[test]
fn hundreds_of_clients_receive_the_same_message() {
    const CLIENTS: usize = 300;
    everywhere(|scenario| {
        let mut subscribers: Vec<Wire> = (0..CLIENTS)
            .map(|number| {
                let mut subscriber = scenario.connect(&format!("client {number}"));
                subscriber.subscribe("all", AtLeastOnce);
                subscriber.subscribe(&format!("only/{number}"), AtMostOnce);
                subscriber
            })
            .collect();
        let mut publisher = scenario.connect("publisher");
        publisher.publish("all", AtLeastOnce, "to all");
        for number in (0..CLIENTS).step_by(7) {
            publisher.publish(&format!("only/{number}"), AtLeastOnce, "to one");
        }
        for (number, subscriber) in subscribers.iter_mut().enumerate() {
            subscriber.expect_message("all", "to all");
            if number % 7 == 0 {
                subscriber.expect_message(&format!("only/{number}"), "to one");
            }
            subscriber.ping();
        }
    });
}

#[test]
fn a_client_may_have_thousands_of_subscriptions_in_one_packet() {
    const FILTERS: usize = 5_000;
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        let filters: String = (0..FILTERS).map(|number| format!("'many/{number}/+' 01 ")).collect();
        subscriber.send(&format!("82 # 0001 () {filters}"));
        subscriber.expect(&format!("90 # 0001 () {}", "01 ".repeat(FILTERS)));
        let mut publisher = scenario.connect("publisher");
        for number in (0..FILTERS).step_by(500) {
            let topic = format!("many/{number}/x");
            publisher.publish(&topic, AtLeastOnce, "x");
            subscriber.expect_message(&topic, "x");
        }
        let filters: String = (0..FILTERS).map(|number| format!("'many/{number}/+' ")).collect();
        subscriber.send(&format!("a2 # 0002 () {filters}"));
        subscriber.expect(&format!("b0 # 0002 () [{}]", "00 ".repeat(FILTERS)));
        publisher.publish("many/0/x", AtLeastOnce, "x");
        subscriber.ping();
    });
}
