//! Owns the tests that a message arrives as it was published, within a version and between versions.

use dunlin_tests::{everywhere, in_version};
use mqtt_codec::{
    ProtocolVersion::{V5, V31, V311},
    QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce},
};

const PROPERTIES: &str = "01 01 03 'text/plain' 08 'answers/to/me' 09 0004 00ff8001 \
                          26 'b' '2' 26 'a' '1' 26 'b' '1' 26 '' ''";

/// [MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-18] [MQTT5-3.3.2-20]
#[test]
fn properties_are_forwarded_unaltered_and_in_order() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", ExactlyOnce);
        let mut publisher = scenario.connect("publisher");
        for (number, (qos, first)) in
            [(AtMostOnce, "30 # 'a'"), (AtLeastOnce, "32 # 'a' 0001"), (ExactlyOnce, "34 # 'a' 0002")]
                .into_iter()
                .enumerate()
        {
            publisher.publish_with("a", qos, PROPERTIES, "x");
            subscriber.expect(&format!("{first} ({PROPERTIES}) <x>"));
            match number {
                0 => {}
                1 => subscriber.send("40 # 0001"),
                _ => {
                    subscriber.send("50 # 0002");
                    subscriber.expect("62 # 0002");
                    subscriber.send("70 # 0002");
                }
            }
        }
        subscriber.ping();
    });
}

/// A payload that is not what it is said to be is not the broker's business.
#[test]
fn the_payload_is_not_judged_by_its_format() {
    in_version(V5, |scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtMostOnce);
        scenario.connect("publisher").publish_with("a", AtMostOnce, "01 01", b"\xFF\xFE");
        subscriber.expect("30 # 'a' (01 01) fffe");
    });
}

/// [MQTT5-1.5.4-3] [MQTT311-1.5.3-3]: a byte order mark is part of the text, in topics too.
#[test]
fn topics_are_compared_byte_by_byte() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        let topics = ["Case", "case", "\u{FEFF}case", "é", "e\u{301}", "with space", "🦆/🪿"];
        for topic in topics {
            subscriber.subscribe(topic, AtMostOnce);
        }
        let mut publisher = scenario.connect("publisher");
        for topic in topics {
            publisher.publish(topic, AtMostOnce, topic);
            subscriber.expect_message(topic, topic);
        }
        subscriber.ping();
    });
}

#[test]
fn every_version_speaks_to_every_version() {
    in_version(V5, |scenario| {
        let versions = [V31, V311, V5];
        let mut subscribers = versions.map(|version| {
            let mut subscriber = scenario.broker.connect(version, &format!("subscriber {version:?}"));
            subscriber.subscribe("mixed/#", ExactlyOnce);
            subscriber
        });
        for version in versions {
            let mut publisher = scenario.broker.connect(version, &format!("publisher {version:?}"));
            for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
                let properties = if version == V5 { PROPERTIES } else { "" };
                publisher.publish_with("mixed/a", qos, properties, format!("{version:?} {qos:?}"));
                for subscriber in &mut subscribers {
                    let to = subscriber.version();
                    let publish = subscriber.receive();
                    assert_eq!(publish.delivery.qos(), qos, "{version:?} to {to:?}");
                    assert_eq!(&publish.payload[..], format!("{version:?} {qos:?}").as_bytes());
                    let has_properties = version == V5 && to == V5;
                    assert_eq!(!publish.properties.is_empty(), has_properties, "{version:?} to {to:?}");
                }
            }
        }
    });
}

/// Request and response over whatever the broker suggests and forwards.
#[test]
fn a_request_finds_its_response() {
    in_version(V5, |scenario| {
        let mut requester = scenario.open();
        let connack = requester.connect("10 # vv 02 0000 (19 01) 'requester'");
        let topic = connack.properties.response_information().expect("asked for").to_owned() + "/1";
        requester.subscribe(&topic, AtLeastOnce);
        let mut responder = scenario.connect("responder");
        responder.subscribe("service", AtLeastOnce);
        requester.publish_with(
            "service",
            QoS::AtLeastOnce,
            &format!("08 '{topic}' 09 0002 beef"),
            "question",
        );
        let request = responder.receive();
        let response_topic = request.properties.response_topic().expect("forwarded").text().to_owned();
        let correlation = request.properties.correlation_data().expect("forwarded");
        assert_eq!((&*response_topic, correlation), (&*topic, &[0xBE, 0xEF][..]));
        responder.publish_with(&response_topic, AtLeastOnce, "09 0002 beef", "answer");
        let answer = requester.receive();
        assert_eq!(&answer.payload[..], b"answer");
        assert_eq!(answer.properties.correlation_data(), Some(&[0xBE, 0xEF][..]));
    });
}
