//! Owns the proof of Reason Strings: people are told what went wrong, where they may be.

use crate::support::*;
use broker_core::config::{Config, Limits};
use mqtt_codec::packet::PacketId;

/// The Reason Strings of the packets a client received.
fn reason_strings(broker: &mut Broker, client: Client) -> Vec<Option<String>> {
    broker.settle();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    broker
        .read(client)
        .iter()
        .map(|packet| match packet {
            Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
                owned(ack.properties.reason_string())
            }
            Packet::SubAck(suback) => owned(suback.properties.reason_string()),
            Packet::Disconnect(disconnect) => owned(disconnect.properties.reason_string()),
            Packet::ConnAck(connack) => owned(connack.properties.reason_string()),
            other => panic!("{other:?} has no Reason String"),
        })
        .collect()
}

/// Everything that is refused without ending the connection, then something that ends it.
fn provoke(broker: &mut Broker, hello: Hello) -> Client {
    let alice = broker.connect(hello);
    broker.send(alice, publish("a/b/c/d", "x").qos1(1));
    broker.send(alice, publish("$SYS/x", "x").qos2(2));
    broker.send(alice, publish("a", "x").qos1(3).retained());
    let wishes = ["a", "a/b/c/d", "#"].map(|filter| (filter, subscription(AtMostOnce)));
    broker.send(alice, subscribe(4, &wishes));
    broker.send(alice, publish("a", "x").with(identifier(1)));
    alice
}

fn limited() -> impl Iterator<Item = Broker> {
    let limits = Limits { topic_levels_max: 3, retained_messages_max: 0, ..Limits::default() };
    brokers_with(Config { limits, ..quiet() })
}

/// [MQTT5-3.4.2-2] [MQTT5-3.9.2-1]
#[test]
fn a_refusal_says_why() {
    for mut broker in limited() {
        let alice = provoke(&mut broker, v5("alice"));
        let strings: Vec<_> = reason_strings(&mut broker, alice).into_iter().map(Option::unwrap).collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(strings.join("\n"), @r"
            the topic has more bytes or levels than the broker allows
            topics below $SYS are the broker's own
            the broker retains as many messages as it may
            filter 2: the Topic Filter has more bytes or levels than the broker allows
            only the broker says which Subscription Identifiers matched
            ");
        }
    }
}

/// [MQTT5-3.1.2-29]
#[test]
fn a_client_that_wants_no_problem_information_gets_it_only_where_the_connection_ends() {
    for mut broker in limited() {
        let alice = provoke(&mut broker, v5("alice").with(Property::RequestProblemInformation(false)));
        let strings = reason_strings(&mut broker, alice);
        assert_eq!(
            strings.iter().map(Option::is_some).collect::<Vec<_>>(),
            [false, false, false, false, true]
        );
        let wanted = provoke(&mut broker, v5("bob").with(Property::RequestProblemInformation(true)));
        assert!(reason_strings(&mut broker, wanted).iter().all(Option::is_some));
    }
}

#[test]
fn what_succeeds_needs_no_words() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, publish("a", "x").qos1(1));
        broker.send(alice, publish("a", "x").qos2(2));
        broker.send(alice, acknowledge(Packet::PubRel, 2));
        broker.send(alice, subscribe(3, &[("a", subscription(AtMostOnce))]));
        assert_eq!(reason_strings(&mut broker, alice), [None, None, None, None]);
    }
}

/// Every end that the broker brings about says why.
#[test]
fn every_disconnect_says_why() {
    for mut broker in brokers() {
        let taken_over = broker.connect(v5("taken over"));
        broker.connect(v5("taken over"));
        let silent = broker.connect(v5("silent").keep_alive(1));
        let second_connect = broker.connect(v5("second connect"));
        broker.send_bytes(second_connect, &v5("x").encode());
        let malformed = broker.connect(v5("malformed"));
        broker.send_bytes(malformed, &[0x30, 2, 0, 9]);
        broker.advance_seconds(2);
        let last = broker.connect(v5("last"));
        broker.shut_down();
        let strings: Vec<_> = [taken_over, silent, second_connect, malformed, last]
            .into_iter()
            .flat_map(|client| reason_strings(&mut broker, client))
            .map(Option::unwrap)
            .collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(strings.join("\n"), @r"
            another connection uses this client identifier
            nothing was received for one and a half times the Keep Alive
            this packet is not for a connected client to send
            a field reaches past the end of the packet
            the broker is shutting down
            ");
        }
    }
}

/// [MQTT5-2.2.1-5]
#[test]
fn an_acknowledgement_keeps_its_identifier() {
    for mut broker in limited() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, publish("$SYS", "x").qos1(0x1234));
        let [Packet::PubAck(ack)] = &broker.read(alice)[..] else { panic!("one PUBACK") };
        assert_eq!(ack.packet_id, PacketId::new(0x1234).unwrap());
    }
}
