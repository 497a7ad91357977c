//! Owns the proof of the three handshakes, in both directions. What a lost connection does to them is
//! `redelivery`'s business.

use crate::support::*;

/// [MQTT5-3.8.4-8] [MQTT5-4.3.2-4] [MQTT5-4.3.3-8] [MQTT311-3.8.4-6] [MQTT311-4.3.2-2] [MQTT311-4.3.3-2]
/// [MQTT311-2.3.1-6] [MQTT311-3.3.4-1] [MQTT311-4.3.1-1]
#[test]
fn a_message_arrives_with_the_lower_qos_of_publication_and_subscription_whatever_the_versions() {
    for (publisher, subscriber) in
        versions().into_iter().flat_map(|left| versions().map(|right| (left, right)))
    {
        for (published, granted) in ALL_QOS.into_iter().flat_map(|left| ALL_QOS.map(|right| (left, right))) {
            for mut broker in brokers() {
                let alice = broker.connect(publisher("alice"));
                let bob = broker.connect(subscriber("bob"));
                broker.subscribe(bob, "a/b", granted);
                broker.send(alice, publish("a/b", "x").qos(published, 7));
                broker.expect(
                    bob,
                    &[["PUBLISH a/b 'x'", "PUBLISH a/b 'x' qos1 #1", "PUBLISH a/b 'x' qos2 #1"]
                        [usize::from(published.min(granted).bits())]],
                );
                let acknowledged: [&[&str]; 3] = [&[], &["PUBACK #7"], &["PUBREC #7"]];
                broker.expect(alice, acknowledged[usize::from(published.bits())]);
            }
        }
    }
}

const ALL_QOS: [QoS; 3] = [AtMostOnce, AtLeastOnce, ExactlyOnce];

/// [MQTT5-4.3.3-10] [MQTT5-4.3.3-11] [MQTT5-4.3.3-12] [MQTT5-4.3.3-4] [MQTT311-4.3.3-2]
#[test]
fn a_qos_2_message_is_delivered_once_however_often_it_is_sent() {
    for version in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(version("alice"));
            let bob = broker.connect(version("bob"));
            broker.subscribe(bob, "a", AtMostOnce);
            broker.send(alice, publish("a", "one").qos2(7));
            broker.send(alice, publish("a", "one").qos2(7).again());
            broker.send(alice, publish("a", "other words").qos2(7));
            broker.expect(alice, &["PUBREC #7", "PUBREC #7", "PUBREC #7"]);
            broker.send(alice, acknowledge(Packet::PubRel, 7));
            broker.expect(alice, &["PUBCOMP #7"]);
            broker.send(alice, publish("a", "two").qos2(7));
            broker.expect(alice, &["PUBREC #7"]);
            broker.expect(bob, &["PUBLISH a 'one'", "PUBLISH a 'two'"]);
        }
    }
}

/// [MQTT5-4.3.3-11]
#[test]
fn a_pubrel_of_nothing_is_answered_all_the_same() {
    for mut broker in brokers() {
        let (old, new) = (broker.connect(v311("old")), broker.connect(v5("new")));
        broker.send(old, acknowledge(Packet::PubRel, 9));
        broker.send(new, acknowledge(Packet::PubRel, 9));
        broker.expect(old, &["PUBCOMP #9"]);
        broker.expect(new, &["PUBCOMP #9 0x92 Packet Identifier not found"]);
    }
}

/// [MQTT5-4.3.2-5] [MQTT5-3.3.1-3] [MQTT311-3.3.1-3]
#[test]
fn a_qos_1_message_that_is_sent_again_is_a_new_one_and_its_dup_flag_stays_behind() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.send(alice, publish("a", "x").qos1(7));
        broker.send(alice, publish("a", "x").qos1(7).again());
        broker.expect(alice, &["PUBACK #7", "PUBACK #7"]);
        broker.expect(bob, &["PUBLISH a 'x' qos1 #1", "PUBLISH a 'x' qos1 #2"]);
    }
}

/// [MQTT5-4.3.3-2] [MQTT5-4.3.3-4] [MQTT5-4.3.3-6] [MQTT311-4.3.3-1] [MQTT311-2.3.1-6]
#[test]
fn a_qos_2_delivery_takes_four_steps_and_each_may_be_repeated() {
    for version in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(version("alice"));
            broker.subscribe(alice, "a", ExactlyOnce);
            broker.send(alice, publish("a", "x").qos2(7));
            broker.expect(alice, &["PUBLISH a 'x' qos2 #1", "PUBREC #7"]);
            for _ in 0..2 {
                broker.send(alice, acknowledge(Packet::PubRec, 1));
                broker.expect(alice, &["PUBREL #1"]);
            }
            for _ in 0..2 {
                broker.send(alice, acknowledge(Packet::PubComp, 1));
                broker.expect(alice, &[]);
            }
            assert_eq!(broker.totals().queued_messages, 0);
        }
    }
}

#[test]
fn a_pubrec_of_nothing_has_the_client_forget_it() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, acknowledge(Packet::PubRec, 3));
        broker.expect(alice, &["PUBREL #3 0x92 Packet Identifier not found"]);
        broker.send(alice, refuse(Packet::PubRec, 3));
        broker.expect(alice, &[]);
    }
}

/// [MQTT5-4.3.2-1] [MQTT5-4.3.3-1] [MQTT5-2.2.1-3] [MQTT311-2.3.1-2] [MQTT311-2.3.1-4]
#[test]
fn packet_identifiers_start_at_1_count_up_and_pass_over_those_in_use() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.subscribe(alice, "a", AtLeastOnce);
        for round in 1..=65_535_u32 {
            broker.send(alice, publish("a", "x"));
            broker.send(alice, publish("a", "x").qos1(1));
            let packets = broker.read(alice);
            assert_eq!(text::show(&packets[1]), format!("PUBLISH a 'x' qos1 #{round}"));
            // The first one stays unacknowledged.
            if round > 1 {
                broker.send(alice, acknowledge(Packet::PubAck, u16::try_from(round).unwrap()));
            }
        }
        broker.send(alice, publish("a", "x").qos1(1));
        broker.expect(alice, &["PUBLISH a 'x' qos1 #2", "PUBACK #1"]);
    }
}

/// A client that resumes a session may acknowledge a message of the connection before, and then the same
/// message again because it was sent again: both are its right.
#[test]
fn an_acknowledgement_of_nothing_in_flight_is_passed_over() {
    for version in versions() {
        for mut broker in brokers() {
            let alice = broker.connect(version("alice"));
            broker.send(alice, acknowledge(Packet::PubAck, 1));
            broker.send(alice, acknowledge(Packet::PubComp, 1));
            broker.send(alice, Packet::PingReq);
            broker.expect(alice, &["PINGRESP"]);
        }
    }
}

/// [MQTT5-4.13.1-1] [MQTT311-4.8.0-1]
#[test]
fn an_acknowledgement_of_the_other_handshake_ends_the_connection() {
    for (qos, kind) in [
        (AtLeastOnce, Packet::PubRec as fn(_) -> _),
        (AtLeastOnce, Packet::PubComp),
        (ExactlyOnce, Packet::PubAck),
        // Of the right one, and too early.
        (ExactlyOnce, Packet::PubComp),
    ] {
        for version in versions() {
            for mut broker in brokers() {
                let alice = broker.connect(version("alice"));
                let bob = broker.connect(version("bob"));
                broker.subscribe(alice, "a", qos);
                broker.send(bob, publish("a", "x").qos(qos, 1));
                broker.received(alice);
                broker.send(alice, acknowledge(kind, 1));
                broker.expect_end(alice, ReasonCode::ProtocolError);
            }
        }
    }
}

/// [MQTT5-4.6.0-5] [MQTT5-4.6.0-6] [MQTT311-4.6.0-6]
#[test]
fn messages_of_one_publisher_arrive_in_their_order() {
    for qos in ALL_QOS {
        for mut broker in brokers() {
            let alice = broker.connect(v5("alice"));
            let bob = broker.connect(v5("bob").with(receive_maximum(3)));
            broker.subscribe(bob, "#", qos);
            for number in 1..=20_u16 {
                broker.send(alice, publish("a", &number.to_string()).qos(qos, number));
                broker.send(alice, acknowledge(Packet::PubRel, number));
            }
            let payloads: Vec<_> = broker
                .take_all(bob)
                .iter()
                .map(|line| line.split('\'').nth(1).unwrap().parse::<u16>().unwrap())
                .collect();
            assert_eq!(payloads, (1..=20).collect::<Vec<_>>(), "{broker}");
        }
    }
}
