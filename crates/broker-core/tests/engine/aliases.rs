//! Owns the proof of Topic Aliases, those of clients and those of the broker.

use crate::support::*;
use broker_core::config::{Config, Limits};

fn with_limits(limits: Limits) -> impl Iterator<Item = Broker> {
    brokers_with(Config { limits, ..quiet() })
}

/// [MQTT5-3.3.2-7] [MQTT5-3.3.2-11] [MQTT5-3.3.2-12]
#[test]
fn a_clients_alias_stands_for_its_last_topic() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "#", AtMostOnce);
        broker.send(alice, publish("a", "1").with(topic_alias(1)));
        broker.send(alice, publish("", "2").with(topic_alias(1)));
        broker.send(alice, publish("b", "3").with(topic_alias(64)).qos2(1));
        broker.send(alice, publish("c", "4").with(topic_alias(1)));
        broker.send(alice, publish("", "5").with(topic_alias(1)));
        broker.send(alice, publish("", "6").with(topic_alias(64)));
        let expected = ["a '1'", "a '2'", "b '3'", "c '4'", "c '5'", "b '6'"];
        broker.expect(bob, &expected.map(|line| format!("PUBLISH {line}")).each_ref().map(String::as_str));
    }
}

/// A message that is not delivered twice still defines its alias.
#[test]
fn a_duplicate_defines_an_alias_like_any_other() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice").keeping(100));
        broker.subscribe(alice, "#", AtMostOnce);
        broker.send(alice, publish("a", "1").qos2(1));
        broker.hang_up(alice);
        let alice = broker.reconnect(v5("alice"));
        broker.send(alice, publish("a", "1").qos2(1).again().with(topic_alias(2)));
        broker.send(alice, publish("", "2").with(topic_alias(2)));
        broker.expect(alice, &["PUBREC #1", "PUBLISH a '2'"]);
    }
}

/// [MQTT5-3.3.2-9] [MQTT5-3.2.2-17] [MQTT5-3.2.2-18]
#[test]
fn an_alias_that_stands_for_nothing_or_is_too_high_ends_the_connection() {
    const INVALID: ReasonCode = ReasonCode::TopicAliasInvalid;
    for (maximum, packet, reason) in [
        (64, publish("", "x").with(topic_alias(1)), ReasonCode::ProtocolError),
        (64, publish("a", "x").with(topic_alias(65)), INVALID),
        (64, publish("", "x").with(topic_alias(65)).qos1(1), INVALID),
        (0, publish("a", "x").with(topic_alias(1)), INVALID),
    ] {
        for mut broker in with_limits(Limits { topic_alias_maximum: maximum, ..Limits::default() }) {
            let (alice, connack) = broker.greet(v5("alice"));
            assert_eq!(connack.properties.topic_alias_maximum(), (maximum > 0).then_some(maximum));
            broker.send(alice, packet.clone());
            broker.expect_end(alice, reason);
        }
    }
}

#[test]
fn an_alias_ends_with_its_connection() {
    for mut broker in brokers() {
        let hello = v5("alice").keeping(100).with(Property::TopicAliasMaximum(5));
        let alice = broker.connect(hello.clone());
        broker.subscribe(alice, "a", AtMostOnce);
        broker.send(alice, publish("a", "1").with(topic_alias(1)));
        broker.expect(alice, &["PUBLISH a '1' {TopicAlias(1)}"]);
        broker.hang_up(alice);
        let alice = broker.reconnect(hello);
        broker.send(alice, publish("a", "2"));
        broker.expect(alice, &["PUBLISH a '2' {TopicAlias(1)}"]);
        broker.send(alice, publish("", "3").with(topic_alias(1)));
        broker.expect_end(alice, ReasonCode::ProtocolError);
    }
}

/// [MQTT5-3.1.2-26] [MQTT5-3.1.2-27]
#[test]
fn the_broker_defines_aliases_from_the_first_message_on_as_far_as_it_may() {
    for (client, broker_limit) in [(2, 64), (64, 2)] {
        for mut broker in with_limits(Limits { topic_alias_outbound_max: broker_limit, ..Limits::default() })
        {
            let alice = broker.connect(v5("alice"));
            let bob = broker.connect(v5("bob").with(Property::TopicAliasMaximum(client)));
            broker.subscribe(bob, "#", AtLeastOnce);
            for topic in ["a", "b", "c", "a", "b", "c"] {
                broker.send(alice, publish(topic, "x").qos1(1));
            }
            broker.expect(
                bob,
                &[
                    "PUBLISH a 'x' qos1 #1 {TopicAlias(1)}",
                    "PUBLISH b 'x' qos1 #2 {TopicAlias(2)}",
                    "PUBLISH c 'x' qos1 #3",
                    "PUBLISH - 'x' qos1 #4 {TopicAlias(1)}",
                    "PUBLISH - 'x' qos1 #5 {TopicAlias(2)}",
                    "PUBLISH c 'x' qos1 #6",
                ],
            );
        }
    }
}

#[test]
fn a_client_that_allows_no_alias_gets_none() {
    for limit in [0, 64] {
        for mut broker in with_limits(Limits { topic_alias_outbound_max: limit, ..Limits::default() }) {
            let asked = if limit == 0 { 64 } else { 0 };
            let hellos = [v5("a").with(Property::TopicAliasMaximum(asked)), v311("b"), v31("c")];
            let clients = hellos.map(|hello| broker.connect(hello));
            for client in clients {
                broker.subscribe(client, "a", AtMostOnce);
            }
            broker.send(clients[0], publish("a", "x"));
            for client in clients {
                broker.expect(client, &["PUBLISH a 'x'"]);
            }
        }
    }
}

/// What a client's alias stood for is not what goes to others: payloads of every size.
#[test]
fn large_payloads_have_aliases_too() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob").with(Property::TopicAliasMaximum(1)));
        broker.subscribe(bob, "a", AtMostOnce);
        let payload = "x".repeat(5000);
        broker.send(alice, publish("a", &payload));
        broker.send(alice, publish("a", &payload));
        broker.expect(bob, &["PUBLISH a 5000 bytes {TopicAlias(1)}", "PUBLISH - 5000 bytes {TopicAlias(1)}"]);
    }
}
