//! Owns the tests that messages of one publisher to one topic arrive in their order, wherever their receiver lives.

use dunlin_tests::{Wire, everywhere, in_version};
use mqtt_codec::{
    Packet, PacketId,
    ProtocolVersion::V5,
    QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce},
    packet::Publish,
};
use std::thread;

const COUNT: usize = 400;

/// [MQTT5-4.6.0-5] [MQTT5-4.6.0-6] [MQTT311-4.6.0-5] [MQTT311-4.6.0-6]: several publishers, several receivers, all at once.
#[test]
fn each_receiver_sees_the_order_of_each_publisher() {
    everywhere(|scenario| {
        let mut subscribers: Vec<(QoS, Wire)> = [AtMostOnce, AtLeastOnce, ExactlyOnce, AtLeastOnce]
            .into_iter()
            .enumerate()
            .map(|(number, qos)| {
                let mut subscriber = scenario.connect(&format!("subscriber {number}"));
                subscriber.subscribe("ordered/+", qos);
                (qos, subscriber)
            })
            .collect();
        thread::scope(|scope| {
            for publisher in 0..3 {
                scope.spawn(move || {
                    let mut wire = scenario.connect(&format!("publisher {publisher}"));
                    for number in 0..COUNT {
                        let qos = [AtMostOnce, AtLeastOnce, ExactlyOnce][publisher];
                        wire.publish(&format!("ordered/{publisher}"), qos, number.to_string());
                    }
                });
            }
            for (qos, subscriber) in &mut subscribers {
                scope.spawn(move || {
                    let mut next = [0; 3];
                    while next != [COUNT; 3] {
                        let publish = receive_among_acknowledgements(subscriber);
                        let topic = publish.topic.as_ref().expect("no aliases").as_str();
                        let publisher: usize = topic["ordered/".len()..].parse().expect("a number");
                        let number: usize =
                            String::from_utf8_lossy(&publish.payload).parse().expect("a number");
                        assert_eq!(number, next[publisher], "of publisher {publisher} at {qos:?}");
                        next[publisher] += 1;
                    }
                });
            }
        });
    });
}

/// Acknowledges as a client does that does not wait for one handshake before the next.
fn receive_among_acknowledgements(wire: &mut Wire) -> Publish {
    loop {
        match wire.packet() {
            Packet::PubRel(ack) => wire.send(&format!("70 # {:04x}", ack.packet_id.get())),
            Packet::Publish(publish) => {
                let first = if publish.delivery.qos() == ExactlyOnce { "50" } else { "40" };
                if let Some(packet_id) = publish.delivery.packet_id().map(PacketId::get) {
                    wire.send(&format!("{first} # {packet_id:04x}"));
                }
                return publish;
            }
            packet => panic!("expected PUBLISH or PUBREL, received {packet:?}"),
        }
    }
}

/// [MQTT5-4.6.0-2] [MQTT5-4.6.0-3] [MQTT311-4.6.0-2] [MQTT311-4.6.0-3]: the acknowledgements of a publisher come in the order of its messages.
#[test]
fn acknowledgements_come_in_the_order_of_the_messages() {
    everywhere(|scenario| {
        let _subscribers: Vec<Wire> = (0..4)
            .map(|number| {
                let mut subscriber = scenario.connect(&format!("subscriber {number}"));
                subscriber.subscribe("a", AtLeastOnce);
                subscriber
            })
            .collect();
        let mut publisher = scenario.connect("publisher");
        for number in 1..=200_u16 {
            let first = if number % 3 == 0 { "34" } else { "32" };
            publisher.send(&format!("{first} # 'a' {number:04x} () <x>"));
        }
        for number in 1..=200_u16 {
            let first = if number % 3 == 0 { "50" } else { "40" };
            publisher.expect(&format!("{first} # {number:04x}"));
        }
    });
}

/// What waited for an absent client comes before what is published after its return.
#[test]
fn what_waited_comes_before_what_is_new() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.connect_lasting("returning");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.disconnect();
        let mut publisher = scenario.connect("publisher");
        for number in 0..50 {
            publisher.publish("a", AtLeastOnce, number.to_string());
        }
        let mut subscriber = scenario.open();
        subscriber.connect("10 # vv 00 0000 (11 ffffffff 21 0005) 'returning'");
        for number in 50..100 {
            publisher.publish("a", AtLeastOnce, number.to_string());
        }
        for number in 0..100 {
            subscriber.expect_message("a", &number.to_string());
        }
    });
}
