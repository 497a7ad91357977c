//! Owns the proof of what the broker may be told not to offer: clients read it in CONNACK, and those that
//! do not are refused.

use crate::support::*;
use broker_core::config::{Capabilities, Config};

fn offering(capabilities: Capabilities) -> impl Iterator<Item = Broker> {
    brokers_with(Config { capabilities, ..quiet() })
}

#[test]
fn a_broker_that_offers_everything_says_nothing_of_it() {
    for mut broker in offering(Capabilities::default()) {
        let alice = broker.dial(v5("alice"));
        broker.expect(
            alice,
            &["CONNACK 0x00 Success {ReceiveMaximum(1024) MaximumPacketSize(1048576) TopicAliasMaximum(64)}"],
        );
    }
}

/// [MQTT5-3.2.2-9] [MQTT5-3.2.2-10] [MQTT5-3.2.2-11] [MQTT5-3.2.2-12]
#[test]
fn a_lower_maximum_qos_holds_for_publications_wills_and_grants() {
    for maximum_qos in [AtMostOnce, AtLeastOnce] {
        for mut broker in offering(Capabilities { maximum_qos, ..Capabilities::default() }) {
            let (alice, connack) = broker.greet(v5("alice"));
            assert_eq!(connack.properties.maximum_qos(), Some(maximum_qos));
            let wishes = [("a", subscription(ExactlyOnce)), ("b", subscription(AtMostOnce))];
            broker.send(alice, subscribe(1, &wishes));
            broker.expect(alice, &[&format!("SUBACK #1 [{} 0]", maximum_qos.bits())]);
            broker.send(alice, publish("a", "x").qos(maximum_qos, 1));
            assert!(broker.received(alice)[0].starts_with("PUBLISH a 'x'"));
            let above = if maximum_qos == AtMostOnce { AtLeastOnce } else { ExactlyOnce };
            broker.send(alice, publish("a", "x").qos(above, 2));
            broker.expect_end(alice, ReasonCode::QoSNotSupported);
            let refused = broker.dial(v5("will").will(will("a", "x", above, &[])));
            broker.expect(refused, &["CONNACK 0x9B QoS not supported", "closed"]);
            let old = broker.connect(v311("old"));
            broker.send(old, publish("a", "x").qos(above, 2));
            broker.expect(old, &["closed"]);
        }
    }
}

/// [MQTT5-3.2.2-13] [MQTT5-3.2.2-14]
#[test]
fn a_broker_without_retained_messages_refuses_them() {
    for mut broker in offering(Capabilities { retain_available: false, ..Capabilities::default() }) {
        let (alice, connack) = broker.greet(v5("alice"));
        assert_eq!(connack.properties.retain_available(), Some(false));
        broker.send(alice, publish("a", "x").retained());
        broker.expect_end(alice, ReasonCode::RetainNotSupported);
        let mut last_words = will("a", "x", AtMostOnce, &[]);
        last_words.retain = true;
        let refused = broker.dial(v5("will").will(last_words));
        broker.expect(refused, &["CONNACK 0x9A Retain not supported", "closed"]);
    }
}

/// [MQTT311-3.8.3-2]
#[test]
fn what_is_not_offered_is_refused_filter_by_filter() {
    let filters = ["a", "a/+", "$share/g/a", "$share/g/#"];
    let none = Capabilities::default;
    for (capabilities, codes, old_codes) in [
        (Capabilities { wildcard_subscription_available: false, ..none() }, "[1 A2 1 A2]", "[1 80 1 80]"),
        (Capabilities { shared_subscription_available: false, ..none() }, "[1 1 9E 9E]", "[1 1 80 80]"),
        (Capabilities { subscription_identifier_available: false, ..none() }, "[A1 A1 A1 A1]", "[1 1 1 1]"),
    ] {
        for mut broker in offering(capabilities.clone()) {
            let (alice, connack) = broker.greet(v5("alice"));
            let told = &connack.properties;
            assert_eq!(
                (
                    told.wildcard_subscription_available().unwrap_or(true),
                    told.shared_subscription_available().unwrap_or(true),
                    told.subscription_identifier_available().unwrap_or(true)
                ),
                (
                    capabilities.wildcard_subscription_available,
                    capabilities.shared_subscription_available,
                    capabilities.subscription_identifier_available
                )
            );
            let wishes = filters.map(|filter| (filter, subscription(AtLeastOnce)));
            broker.send(alice, subscribe(1, &wishes).with(identifier(1)));
            broker.expect(alice, &[&format!("SUBACK #1 {codes}")]);
            let old = broker.connect(v311("old"));
            broker.send(old, subscribe(1, &wishes));
            broker.expect(old, &[&format!("SUBACK #1 {old_codes}")]);
        }
    }
}

/// [MQTT5-3.1.2-28]
#[test]
fn response_information_is_told_to_whoever_asks() {
    for (prefix, asked, told) in [
        ("response/", Some(true), Some("response/alice")),
        ("response/", Some(false), None),
        ("response/", None, None),
        ("", Some(true), None),
    ] {
        let response_information_prefix = prefix.to_owned();
        for mut broker in offering(Capabilities { response_information_prefix, ..Capabilities::default() }) {
            let hello = v5("alice");
            let hello =
                asked.map_or(hello.clone(), |asked| hello.with(Property::RequestResponseInformation(asked)));
            let (_, connack) = broker.greet(hello);
            assert_eq!(connack.properties.response_information(), told);
        }
        // A client identifier that no topic can hold has none; all else is told all the same.
        for mut broker in brokers() {
            for client_id in ["a#b".to_owned(), "+".to_owned(), "x".repeat(65_535)] {
                let hello = v5(&client_id).with(Property::RequestResponseInformation(true));
                let (_, connack) = broker.greet(hello);
                assert_eq!(connack.properties.response_information(), None);
                assert!(connack.properties.receive_maximum().is_some());
            }
        }
    }
}
