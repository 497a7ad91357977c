//! Owns the proof that what a client is told is on disk when it is told: nothing leaves before, everything
//! after, in its order. What a restart makes of the disk is told in `restart`.

use crate::support::*;
use broker_core::config::{Config, Durability, DurabilityRule};
use mqtt_codec::TopicFilter;

const NEW: &str =
    "CONNACK 0x00 Success {ReceiveMaximum(1024) MaximumPacketSize(1048576) TopicAliasMaximum(64)}";
const PRESENT: &str =
    "CONNACK 0x00 Success present {ReceiveMaximum(1024) MaximumPacketSize(1048576) TopicAliasMaximum(64)}";

/// A subscriber whose session is kept and a publisher, and from here on a disk that the test holds.
fn held(broker: &mut Broker, qos: QoS) -> (Client, Client) {
    let bob = broker.connect(v5("bob").keeping(100));
    let alice = broker.connect(v5("alice").keeping(100));
    broker.subscribe(bob, "a", qos);
    broker.disk = Disk::Held;
    (alice, bob)
}

#[test]
fn an_acknowledgement_waits_for_the_disk_where_a_recorded_session_receives() {
    for mut broker in durable_brokers() {
        let (alice, bob) = held(&mut broker, ExactlyOnce);
        broker.send(alice, publish("a", "1").qos1(1));
        broker.send(alice, publish("a", "2").qos2(2));
        broker.expect(alice, &[]);
        // At QoS 1 it may come twice: it need not wait.
        broker.expect(bob, &["PUBLISH a '1' qos1 #1"]);
        broker.sync();
        broker.expect(alice, &["PUBACK #1", "PUBREC #2"]);
        broker.expect(bob, &["PUBLISH a '2' qos2 #2"]);
    }
}

#[test]
fn acknowledgements_that_need_no_disk_wait_behind_those_that_do() {
    for mut broker in durable_brokers() {
        let (alice, _) = held(&mut broker, AtLeastOnce);
        broker.send(alice, publish("a", "1").qos1(1));
        broker.send(alice, publish("nobody", "2").qos1(2));
        broker.expect(alice, &[]);
        broker.sync();
        broker.expect(alice, &["PUBACK #1", "PUBACK #2 0x10 No matching subscribers"]);
        broker.send(alice, publish("nobody", "3").qos1(3));
        broker.expect(alice, &["PUBACK #3 0x10 No matching subscribers"]);
    }
}

#[test]
fn nothing_waits_where_nobody_who_is_recorded_receives() {
    for mut broker in durable_brokers() {
        let bob = broker.connect(v5("bob"));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "a", ExactlyOnce);
        broker.disk = Disk::Held;
        broker.send(alice, publish("a", "1").qos1(1));
        broker.send(alice, publish("a", "2").qos2(2));
        broker.expect(alice, &["PUBACK #1", "PUBREC #2"]);
        broker.expect(bob, &["PUBLISH a '1' qos1 #1", "PUBLISH a '2' qos2 #2"]);
    }
}

#[test]
fn a_retained_message_is_acknowledged_when_it_is_on_disk() {
    for mut broker in durable_brokers() {
        let alice = broker.connect(v5("alice"));
        broker.disk = Disk::Held;
        broker.send(alice, publish("a", "1").qos1(1).retained());
        broker.send(alice, publish("a", "").qos1(2).retained());
        broker.expect(alice, &[]);
        broker.sync();
        broker.expect(
            alice,
            &["PUBACK #1 0x10 No matching subscribers", "PUBACK #2 0x10 No matching subscribers"],
        );
    }
}

#[test]
fn every_step_of_qos_2_waits_for_the_disk() {
    for mut broker in durable_brokers() {
        let (alice, bob) = held(&mut broker, ExactlyOnce);
        broker.send(alice, publish("a", "1").qos2(1));
        broker.expect(bob, &[]);
        broker.sync();
        broker.expect(alice, &["PUBREC #1"]);
        broker.expect(bob, &["PUBLISH a '1' qos2 #1"]);
        broker.send(alice, acknowledge(Packet::PubRel, 1));
        broker.send(bob, acknowledge(Packet::PubRec, 1));
        broker.expect(alice, &[]);
        broker.expect(bob, &[]);
        broker.sync();
        broker.expect(alice, &["PUBCOMP #1"]);
        broker.expect(bob, &["PUBREL #1"]);
    }
}

#[test]
fn a_message_that_was_received_before_is_acknowledged_again_when_that_is_on_disk() {
    for mut broker in durable_brokers() {
        let (alice, _) = held(&mut broker, ExactlyOnce);
        broker.send(alice, publish("a", "1").qos2(1));
        let alice = broker.dial(v5("alice").keeping(100).resuming());
        broker.send(alice, publish("a", "1").qos2(1).again());
        broker.expect(alice, &[PRESENT]);
        broker.sync();
        broker.expect(alice, &["PUBREC #1"]);
    }
}

#[test]
fn what_follows_a_message_that_waits_for_the_disk_does_not_overtake_it() {
    for mut broker in durable_brokers() {
        let (alice, bob) = held(&mut broker, ExactlyOnce);
        broker.send(alice, publish("a", "1").qos2(1));
        broker.send(alice, publish("a", "2").qos1(2));
        broker.expect(bob, &[]);
        broker.sync();
        broker.expect(bob, &["PUBLISH a '1' qos2 #1", "PUBLISH a '2' qos1 #2"]);
    }
}

#[test]
fn subscriptions_and_their_ends_are_acknowledged_when_they_are_on_disk() {
    for mut broker in durable_brokers() {
        let (_, bob) = held(&mut broker, AtLeastOnce);
        broker.send(bob, subscribe(7, &[("b", subscription(AtLeastOnce))]));
        broker.send(bob, unsubscribe(8, &["a"]));
        broker.expect(bob, &[]);
        broker.sync();
        broker.expect(bob, &["SUBACK #7 [1]", "UNSUBACK #8 [0]"]);
    }
}

#[test]
fn a_session_that_begins_or_lasts_longer_is_acknowledged_when_that_is_on_disk() {
    for mut broker in durable_brokers() {
        broker.disk = Disk::Held;
        let bob = broker.dial(v5("bob").keeping(100));
        broker.send(bob, Packet::PingReq);
        broker.expect(bob, &[]);
        broker.sync();
        // Whatever was answered meanwhile comes behind it.
        broker.expect(bob, &[NEW, "PINGRESP"]);
        let bob = broker.dial(v5("bob").keeping(100).resuming());
        broker.expect(bob, &[PRESENT]);
        let bob = broker.dial(v5("bob").keeping(200).resuming());
        broker.expect(bob, &[]);
        broker.sync();
        broker.expect(bob, &[PRESENT]);
        let bob = broker.dial(v5("bob"));
        broker.expect(bob, &[]);
        broker.sync();
        broker.expect(bob, &[NEW]);
    }
}

fn with_rules(rules: &[(&str, Durability)]) -> impl Iterator<Item = Broker> + use<> {
    let rule = |&(filter, durability): &(&str, Durability)| DurabilityRule {
        filter: TopicFilter::owned(filter).unwrap(),
        durability,
    };
    durable_brokers_with(Config { durability: rules.iter().map(rule).collect(), ..quiet() })
}

const ASKED: Property<'static> = Property::UserProperty("dunlin-durability", "?");

#[test]
fn the_first_rule_that_matches_says_what_is_promised_and_who_asks_is_told() {
    for mut broker in with_rules(&[("a/m", Durability::Memory), ("a/n/#", Durability::None)]) {
        let bob = broker.connect(v5("bob").keeping(100));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "a/#", AtLeastOnce);
        for (id, topic) in [(1, "a/d"), (2, "a/m"), (3, "a/n"), (4, "elsewhere")] {
            broker.send(alice, publish(topic, "1").qos1(id).with(ASKED));
        }
        broker.expect(
            alice,
            &[
                "PUBACK #1 {dunlin-durability=disk}",
                "PUBACK #2 {dunlin-durability=memory}",
                "PUBACK #3 {dunlin-durability=none}",
                "PUBACK #4 0x10 No matching subscribers {dunlin-durability=none}",
            ],
        );
        broker.send(alice, publish("a/d", "1").qos2(5).with(ASKED));
        broker.expect(alice, &["PUBREC #5 {dunlin-durability=disk}"]);
        // That nothing is retained any more is on disk as well.
        broker.send(alice, publish("elsewhere", "").qos1(6).retained().with(ASKED));
        broker.expect(alice, &["PUBACK #6 0x10 No matching subscribers {dunlin-durability=disk}"]);
    }
}

#[test]
fn what_is_promised_nothing_is_not_kept_for_who_is_away() {
    for mut broker in with_rules(&[("n", Durability::None), ("m", Durability::Memory)]) {
        let bob = broker.connect(v5("bob").keeping(100));
        let alice = broker.connect(v5("alice"));
        broker.subscribe(bob, "#", AtLeastOnce);
        broker.send(alice, publish("n", "1").qos1(1));
        broker.expect(bob, &["PUBLISH n '1' qos1 #1"]);
        broker.send(bob, acknowledge(Packet::PubAck, 1));
        broker.hang_up(bob);
        for topic in ["n", "m", "d"] {
            broker.send(alice, publish(topic, "2").qos1(2));
        }
        broker.crash(2, 1);
        let bob = broker.reconnect(v5("bob").keeping(100));
        broker.expect(bob, &["PUBLISH d '2' qos1 #1"]);
    }
}

#[test]
fn while_the_disk_fails_what_would_need_it_is_refused_and_the_rest_goes_on() {
    for mut broker in durable_brokers() {
        let bob = broker.connect(v5("bob").keeping(100));
        let carol = broker.connect(v5("carol"));
        let alice = broker.connect(v5("alice"));
        let old = broker.connect(v311("old"));
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.subscribe(carol, "#", AtLeastOnce);
        broker.journal.as_ref().unwrap().fail(true);
        broker.send(alice, publish("a", "1").qos1(1));
        broker.send(alice, publish("a", "1").qos2(2));
        broker.send(alice, publish("b", "1").qos1(3).retained());
        broker.send(alice, publish("a", "0"));
        broker.send(alice, publish("b", "2").qos1(4));
        broker.expect(
            alice,
            &[
                "PUBACK #1 0x97 Quota exceeded",
                "PUBREC #2 0x97 Quota exceeded",
                "PUBACK #3 0x97 Quota exceeded",
                "PUBACK #4",
            ],
        );
        broker.expect(bob, &["PUBLISH a '0'"]);
        broker.expect(carol, &["PUBLISH a '0'", "PUBLISH b '2' qos1 #1"]);
        broker.send(bob, subscribe(9, &[("b", subscription(AtLeastOnce))]));
        broker.expect(bob, &["SUBACK #9 [97]"]);
        broker.send(old, publish("a", "1").qos1(1));
        broker.expect(old, &["closed"]);
        let (_, refused) = broker.greet(v5("new").keeping(100));
        assert_eq!(refused.reason, ReasonCode::QuotaExceeded, "{broker}");
        // Its session is as it was: it may come back.
        broker.hang_up(bob);
        broker.reconnect(v5("bob").keeping(100));
        broker.journal.as_ref().unwrap().fail(false);
        broker.send(alice, publish("a", "2").qos1(5));
        broker.expect(alice, &["PUBACK #5"]);
    }
}

#[test]
fn pubcomp_and_pubrel_that_are_asked_for_again_wait_for_the_first_to_be_on_disk() {
    for mut broker in durable_brokers() {
        let (alice, bob) = held(&mut broker, ExactlyOnce);
        broker.send(alice, publish("a", "1").qos2(1));
        broker.sync();
        broker.expect(alice, &["PUBREC #1"]);
        broker.expect(bob, &["PUBLISH a '1' qos2 #1"]);
        broker.send(alice, acknowledge(Packet::PubRel, 1));
        broker.send(bob, acknowledge(Packet::PubRec, 1));
        let alice = broker.dial(v5("alice").keeping(100).resuming());
        let bob = broker.dial(v5("bob").keeping(100).resuming());
        broker.send(alice, acknowledge(Packet::PubRel, 1));
        broker.expect(alice, &[PRESENT]);
        broker.expect(bob, &[PRESENT]);
        broker.sync();
        broker.expect(alice, &["PUBCOMP #1 0x92 Packet Identifier not found"]);
        broker.expect(bob, &["PUBREL #1"]);
    }
}

#[test]
fn a_message_that_expires_while_it_waits_for_the_disk_is_not_sent_and_blocks_nothing() {
    for mut broker in durable_brokers() {
        let bob = broker.connect(v5("bob").keeping(100).with(receive_maximum(1)));
        let alice = broker.connect(v5("alice").keeping(100));
        broker.subscribe(bob, "a", ExactlyOnce);
        broker.disk = Disk::Held;
        broker.send(alice, publish("a", "1").qos2(1).with(Property::MessageExpiryInterval(5)));
        broker.send(alice, publish("a", "2").qos2(2));
        broker.advance_seconds(6);
        broker.sync();
        broker.sync();
        broker.expect(bob, &["PUBLISH a '2' qos2 #2"]);
    }
}

#[test]
fn a_message_of_a_group_that_was_never_sent_goes_to_another_member_even_at_qos_2() {
    for mut broker in durable_brokers() {
        let bob = broker.connect(v5("bob").keeping(100));
        let alice = broker.connect(v5("alice").keeping(100));
        let carol = broker.connect(v5("carol").keeping(100));
        broker.subscribe(bob, "$share/g/a", ExactlyOnce);
        broker.disk = Disk::Held;
        broker.send(alice, publish("a", "1").qos2(1));
        broker.send(carol, subscribe(1, &[("$share/g/a", subscription(ExactlyOnce))]).with(identifier(3)));
        broker.send(bob, disconnect(ReasonCode::Success).with(Property::SessionExpiryInterval(0)));
        broker.sync();
        broker.sync();
        broker.expect(bob, &["closed"]);
        broker.expect(carol, &["SUBACK #1 [2]", "PUBLISH a '1' qos2 #1 {SubscriptionIdentifier(3)}"]);
    }
}

#[test]
fn what_a_killed_process_had_not_synced_is_nothing_to_rely_on_until_it_is() {
    for mut broker in durable_brokers() {
        let alice = broker.connect(v5("alice").keeping(100));
        let bob = broker.connect(v5("bob").keeping(100));
        let carol = broker.connect(v5("carol").keeping(100));
        broker.subscribe(bob, "a", ExactlyOnce);
        broker.send(alice, publish("a", "1").qos2(1));
        broker.send(alice, publish("a", "2").qos1(2));
        broker.send(alice, publish("a", "3").qos2(3));
        broker.send(alice, publish("a", "4").qos1(4));
        broker.disk = Disk::Held;
        broker.send(bob, acknowledge(Packet::PubRec, 1));
        broker.send(carol, disconnect(ReasonCode::Success).with(Property::SessionExpiryInterval(0)));
        broker.kill(2);
        // A disk that fails from the beginning keeps nobody from connecting.
        broker.journal.as_ref().unwrap().fail(true);
        // Told PUBREL, the client would forget the first message; without the record of its identifier, the third
        // would come again under another. At QoS 1 that may be, and the order stays.
        let bob = broker.dial(v5("bob").keeping(100).resuming());
        broker.expect(bob, &[PRESENT, "PUBLISH a '2' qos1 #2 dup"]);
        broker.journal.as_ref().unwrap().fail(false);
        // Told that there is no session, the client would forget what it has received; it might come back.
        let carol = broker.dial(v5("carol"));
        let alice = broker.dial(v5("alice").keeping(100).resuming());
        broker.expect(carol, &[]);
        broker.expect(alice, &[]);
        broker.sync();
        broker.expect(alice, &[PRESENT]);
        broker.expect(bob, &["PUBREL #1", "PUBLISH a '3' qos2 #3 dup", "PUBLISH a '4' qos1 #4 dup"]);
        broker.expect(carol, &[NEW]);
    }
}

#[test]
fn a_session_that_goes_on_is_acknowledged_when_its_beginning_is_on_disk() {
    for mut broker in durable_brokers() {
        let bob = broker.connect(v5("bob").keeping(100));
        broker.disk = Disk::Held;
        // What was before it must not come back behind what the client is told of the new one.
        let lost = broker.dial(v5("bob").keeping(100));
        broker.expect_end(bob, ReasonCode::SessionTakenOver);
        broker.hang_up(lost);
        let bob = broker.dial(v5("bob").keeping(100).resuming());
        broker.expect(bob, &[]);
        broker.sync();
        broker.expect(bob, &[PRESENT]);
    }
}

#[test]
fn what_a_client_sends_behind_a_connect_that_waits_for_the_disk_is_answered_when_it_is_there() {
    for mut broker in durable_brokers() {
        broker.connect(v5("somebody").keeping(100));
        broker.kill(2);
        // A clean session: only what a restart found, and is not synced, keeps its CONNACK back.
        let alice = broker.dial(v311("alice"));
        broker.send(alice, subscribe(1, &[("a", subscription(AtLeastOnce))]));
        broker.send(alice, publish("a", "1").qos1(2));
        // QoS 0 goes now or never: to nobody who has not been told that it is connected.
        broker.send(alice, publish("a", "2"));
        broker.send(alice, Packet::PingReq);
        broker.expect(alice, &[]);
        broker.sync();
        let expected =
            ["CONNACK 0x00 Success", "SUBACK #1 [1]", "PUBACK #2", "PINGRESP", "PUBLISH a '1' qos1 #1"];
        broker.expect(alice, &expected);
    }
}
