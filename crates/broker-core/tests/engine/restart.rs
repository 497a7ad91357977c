//! Owns the proof that everything of a session that outlives its connection outlives the process: killed at any
//! moment, begun again with another number of shards, from the whole journal or from a checkpoint.

use crate::support::*;

/// A broker of so many shards before and after the crash, from the whole journal, from a checkpoint, or with
/// all that is needed in copies.
fn every_way(test: impl Fn(Broker, &dyn Fn(&mut Broker, u64))) {
    for (before, after) in [(1, 1), (1, 4), (4, 1), (4, 3)] {
        let preparations: [fn(&mut Broker); 5] = [
            |_| {},
            Broker::checkpoint,
            |broker| (0..2).for_each(|_| broker.checkpoint()),
            Broker::relocate,
            |broker| (0..2).for_each(|_| broker.relocate()),
        ];
        for prepare in preparations {
            let restart = move |broker: &mut Broker, seconds: u64| {
                prepare(broker);
                broker.crash(after, seconds);
            };
            test(Broker::durable(quiet(), before), &restart);
        }
    }
}

#[test]
fn a_session_is_there_with_its_subscriptions_and_what_was_queued_in_its_order() {
    every_way(|mut broker, restart| {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob").keeping(100));
        broker.send(bob, subscribe(1, &[("a", subscription(ExactlyOnce))]).with(identifier(7)));
        broker.expect(bob, &["SUBACK #1 [2]"]);
        broker.subscribe(bob, "gone", AtLeastOnce);
        broker.send(bob, unsubscribe(2, &["gone"]));
        broker.expect(bob, &["UNSUBACK #2 [0]"]);
        broker.hang_up(bob);
        for (id, qos) in [(1, AtLeastOnce), (2, ExactlyOnce), (3, AtLeastOnce)] {
            broker.send(alice, publish("a", &id.to_string()).qos(qos, id));
        }
        broker.send(alice, publish("gone", "4").qos1(4));
        restart(&mut broker, 50);
        assert_eq!(broker.totals().queued_messages, 3, "{broker}");
        let bob = broker.reconnect(v5("bob").keeping(100));
        let queued = [
            "PUBLISH a '1' qos1 #1 {SubscriptionIdentifier(7)}",
            "PUBLISH a '2' qos2 #2 {SubscriptionIdentifier(7)}",
            "PUBLISH a '3' qos1 #3 {SubscriptionIdentifier(7)}",
        ];
        assert_eq!(broker.take_all(bob), queued, "{broker}");
        let alice = broker.connect(v5("alice"));
        broker.send(alice, publish("a", "5").qos1(5));
        broker.expect(bob, &["PUBLISH a '5' qos1 #4 {SubscriptionIdentifier(7)}"]);
    });
}

#[test]
fn what_was_in_flight_comes_again_under_its_identifier_with_dup_in_its_state() {
    every_way(|mut broker, restart| {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob").keeping(100));
        broker.subscribe(bob, "a", ExactlyOnce);
        for id in 1..=2 {
            broker.send(alice, publish("a", &id.to_string()).qos1(id));
        }
        for id in 3..=5 {
            broker.send(alice, publish("a", &id.to_string()).qos2(id));
        }
        assert_eq!(broker.received(bob).len(), 5);
        broker.send(bob, acknowledge(Packet::PubAck, 1));
        broker.send(bob, acknowledge(Packet::PubRec, 3));
        broker.send(bob, acknowledge(Packet::PubRec, 5));
        broker.send(bob, acknowledge(Packet::PubComp, 5));
        broker.expect(bob, &["PUBREL #3", "PUBREL #5"]);
        restart(&mut broker, 5);
        let bob = broker.reconnect(v5("bob").keeping(100));
        broker.expect(bob, &["PUBREL #3", "PUBLISH a '2' qos1 #2 dup", "PUBLISH a '4' qos2 #4 dup"]);
        broker.send(bob, acknowledge(Packet::PubComp, 3));
        broker.send(bob, acknowledge(Packet::PubAck, 2));
        broker.send(bob, acknowledge(Packet::PubRec, 4));
        broker.send(bob, acknowledge(Packet::PubComp, 4));
        broker.expect(bob, &["PUBREL #4"]);
        assert_eq!(broker.journal.as_ref().unwrap().referred(), 0, "{broker}");
        assert_eq!(broker.totals().queued_messages, 0, "{broker}");
    });
}

#[test]
fn a_qos_2_message_that_was_received_is_not_received_again() {
    every_way(|mut broker, restart| {
        let alice = broker.connect(v5("alice").keeping(100));
        let bob = broker.connect(v5("bob").keeping(100));
        broker.subscribe(bob, "a", ExactlyOnce);
        broker.hang_up(bob);
        for (id, topic) in [(1, "a"), (2, "a"), (3, "nobody"), (4, "a")] {
            broker.send(alice, publish(topic, &id.to_string()).qos2(id));
        }
        broker.send(alice, acknowledge(Packet::PubRel, 4));
        restart(&mut broker, 5);
        let alice = broker.reconnect(v5("alice").keeping(100));
        for (id, topic) in [(1, "a"), (2, "a"), (3, "nobody")] {
            broker.send(alice, publish(topic, &id.to_string()).qos2(id).again());
        }
        broker.expect(alice, &["PUBREC #1", "PUBREC #2", "PUBREC #3"]);
        for id in 1..=3 {
            broker.send(alice, acknowledge(Packet::PubRel, id));
        }
        broker.expect(alice, &["PUBCOMP #1", "PUBCOMP #2", "PUBCOMP #3"]);
        // The identifier was released: this is another message.
        broker.send(alice, publish("a", "5").qos2(4));
        let bob = broker.reconnect(v5("bob").keeping(100));
        let all = [
            "PUBLISH a '1' qos2 #1",
            "PUBLISH a '2' qos2 #2",
            "PUBLISH a '4' qos2 #3",
            "PUBLISH a '5' qos2 #4",
        ];
        assert_eq!(broker.take_all(bob), all, "{broker}");
    });
}

#[test]
fn what_was_appended_and_not_on_disk_never_was() {
    for mut broker in durable_brokers() {
        let alice = broker.connect(v5("alice").keeping(100));
        let bob = broker.connect(v5("bob").keeping(100));
        broker.subscribe(bob, "a", ExactlyOnce);
        broker.hang_up(bob);
        broker.disk = Disk::Held;
        broker.send(alice, publish("a", "1").qos2(1));
        broker.expect(alice, &[]);
        broker.crash(2, 5);
        broker.disk = Disk::Immediate;
        let alice = broker.reconnect(v5("alice").keeping(100));
        broker.send(alice, publish("a", "1").qos2(1).again());
        broker.expect(alice, &["PUBREC #1"]);
        let bob = broker.reconnect(v5("bob").keeping(100));
        assert_eq!(broker.take_all(bob), ["PUBLISH a '1' qos2 #1"], "{broker}");
    }
}

#[test]
fn a_session_lives_as_long_as_it_may_whether_the_broker_does_or_not() {
    every_way(|mut broker, restart| {
        for client in ["away", "there"] {
            let client = broker.connect(v5(client).keeping(100));
            broker.subscribe(client, "a", AtLeastOnce);
        }
        let away = broker.dial(v5("away").keeping(100).resuming());
        broker.hang_up(away);
        broker.advance_seconds(60);
        restart(&mut broker, 30);
        assert_eq!(broker.totals().sessions, 2, "{broker}");
        // One was left 90 seconds ago, the other when the broker was killed.
        broker.advance_seconds(11);
        assert_eq!(broker.totals().sessions, 1, "{broker}");
        restart(&mut broker, 58);
        assert_eq!(broker.totals().sessions, 1, "{broker}");
        restart(&mut broker, 2);
        assert_eq!(broker.totals().sessions, 0, "{broker}");
    });
}

#[test]
fn a_session_that_ended_or_was_begun_anew_does_not_come_back() {
    every_way(|mut broker, restart| {
        let bob = broker.connect(v5("bob").keeping(100));
        broker.subscribe(bob, "a", AtLeastOnce);
        let alice = broker.connect(v5("alice"));
        broker.hang_up(bob);
        broker.send(alice, publish("a", "1").qos1(1));
        broker.connect(v5("bob").keeping(100));
        let carol = broker.connect(v5("carol").keeping(100));
        broker.send(carol, disconnect(ReasonCode::Success).with(Property::SessionExpiryInterval(0)));
        restart(&mut broker, 5);
        assert_eq!(broker.totals().sessions, 1, "{broker}");
        let bob = broker.reconnect(v5("bob").keeping(100));
        broker.expect(bob, &[]);
        assert_eq!(broker.journal.as_ref().unwrap().referred(), 0, "{broker}");
    });
}

#[test]
fn a_will_is_published_when_it_is_due_after_the_connection_was_lost_with_the_process() {
    every_way(|mut broker, restart| {
        let watcher = broker.connect(v5("watcher").keeping(1_000));
        broker.subscribe(watcher, "wills", AtLeastOnce);
        let delayed = [Property::WillDelayInterval(20)];
        broker.connect(v5("at once").keeping(100).will(will("wills", "at once", AtLeastOnce, &[])));
        broker.connect(v5("late").keeping(100).will(will("wills", "late", AtLeastOnce, &delayed)));
        broker.connect(v5("back").keeping(100).will(will("wills", "back", AtLeastOnce, &delayed)));
        let discarded = broker.connect(v5("left").keeping(100).will(will("wills", "left", AtLeastOnce, &[])));
        broker.send(discarded, disconnect(ReasonCode::Success));
        restart(&mut broker, 5);
        let watcher = broker.reconnect(v5("watcher").keeping(1_000));
        assert_eq!(broker.take_all(watcher), ["PUBLISH wills 'at once' qos1 #1"], "{broker}");
        broker.reconnect(v5("back").keeping(100));
        broker.advance_seconds(16);
        assert_eq!(broker.take_all(watcher), ["PUBLISH wills 'late' qos1 #2"], "{broker}");
        restart(&mut broker, 200);
        let watcher = broker.reconnect(v5("watcher").keeping(1_000));
        assert_eq!(broker.take_all(watcher), [""; 0], "what was published or discarded is gone, {broker}");
    });
}

#[test]
fn what_is_retained_is_the_last_that_was_and_what_was_cleared_is_gone() {
    every_way(|mut broker, restart| {
        let alice = broker.connect(v5("alice"));
        for (topic, payload) in [("a", "1"), ("b", "1"), ("c", "1"), ("a", "2"), ("b", "")] {
            broker.send(alice, publish(topic, payload).qos1(1).retained());
        }
        broker.send(alice, publish("d", "at QoS 0").retained());
        broker.send(alice, publish("e", "short").qos1(1).retained().with(Property::MessageExpiryInterval(3)));
        broker.advance_seconds(1);
        restart(&mut broker, 3);
        let expected = ["PUBLISH a '2' retain", "PUBLISH c '1' retain", "PUBLISH d 'at QoS 0' retain"];
        let bob = broker.connect(v5("bob"));
        broker.send(bob, subscribe(1, &[("#", subscription(AtMostOnce))]));
        let mut received = broker.take_all(bob);
        received.sort();
        assert_eq!(received, expected, "{broker}");
    });
}

#[test]
fn a_message_expires_while_the_broker_is_away() {
    every_way(|mut broker, restart| {
        let alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob").keeping(100));
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.hang_up(bob);
        for (payload, seconds) in [("short", 10), ("long", 60)] {
            let expiring = publish("a", payload).qos1(1).with(Property::MessageExpiryInterval(seconds));
            broker.send(alice, expiring);
        }
        restart(&mut broker, 20);
        let bob = broker.reconnect(v5("bob").keeping(100));
        assert_eq!(
            broker.take_all(bob),
            ["PUBLISH a 'long' qos1 #1 {MessageExpiryInterval(40)}"],
            "{broker}"
        );
    });
}

#[test]
fn a_group_goes_on_with_its_members_and_their_messages() {
    every_way(|mut broker, restart| {
        let alice = broker.connect(v5("alice"));
        for name in ["bob", "carol"] {
            let member = broker.connect(v5(name).keeping(100));
            broker.subscribe(member, "$share/g/a", AtLeastOnce);
            broker.hang_up(member);
        }
        for id in 1..=4 {
            broker.send(alice, publish("a", &id.to_string()).qos1(id));
        }
        restart(&mut broker, 5);
        assert_eq!(broker.totals().queued_messages, 4, "{broker}");
        let bob = broker.reconnect(v5("bob").keeping(100));
        let mut received = broker.take_all(bob);
        assert_eq!(received.len(), 2, "{broker}");
        // The other one ends: its messages are bob's now, and are so after another crash.
        broker.connect(v5("carol"));
        restart(&mut broker, 5);
        let bob = broker.reconnect(v5("bob").keeping(100));
        received.extend(broker.take_all(bob));
        let payloads: std::collections::BTreeSet<_> =
            received.iter().map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect();
        assert_eq!(payloads.len(), 4, "{received:?}, {broker}");
        assert_eq!(broker.journal.as_ref().unwrap().referred(), 0, "{broker}");
    });
}

/// A message stays its group's although its member has left that by now: whoever else is a member gets it, also one
/// whose session is recovered later, on whichever shard. `[MQTT5-4.8.2-4]`
#[test]
fn what_a_former_member_of_a_group_still_has_goes_to_another_member_when_its_session_ends() {
    for (former, other) in [("anna", "zoe"), ("zoe", "anna")] {
        every_way(|mut broker, restart| {
            let alice = broker.connect(v5("alice"));
            let leaving = broker.connect(v5(former).keeping(100).with(receive_maximum(1)));
            broker.subscribe(leaving, "$share/g/a", AtLeastOnce);
            for id in 1..=3 {
                broker.send(alice, publish("a", &id.to_string()).qos1(id));
            }
            let staying = broker.connect(v5(other).keeping(100));
            broker.subscribe(staying, "$share/g/a", AtLeastOnce);
            broker.hang_up(staying);
            broker.send(leaving, unsubscribe(1, &["$share/g/a"]));
            broker.hang_up(leaving);
            restart(&mut broker, 5);
            broker.connect(v5(former));
            let staying = broker.reconnect(v5(other).keeping(100));
            let expected = ["PUBLISH a '1' qos1 #1", "PUBLISH a '2' qos1 #2", "PUBLISH a '3' qos1 #3"];
            assert_eq!(broker.take_all(staying), expected, "{broker}");
            assert_eq!(broker.journal.as_ref().unwrap().referred(), 0, "{broker}");
        });
    }
}

#[test]
fn a_long_queue_of_a_client_that_is_away_takes_no_memory_for_its_messages_and_drains_in_order() {
    for mut broker in durable_brokers() {
        let mut alice = broker.connect(v5("alice"));
        let bob = broker.connect(v5("bob").keeping(100).with(receive_maximum(50)));
        broker.subscribe(bob, "a", AtLeastOnce);
        broker.hang_up(bob);
        let filling = "x".repeat(2_000);
        for number in 0..3_000 {
            broker.send(alice, publish("a", &format!("{number} {filling}")).qos1(1));
            if number == 1_000 {
                broker.crash(3, 1);
                alice = broker.connect(v5("alice"));
            }
            if number == 2_000 {
                broker.checkpoint();
            }
        }
        assert_eq!(broker.totals().queued_messages, 3_000, "{broker}");
        assert_eq!(broker.journal.as_ref().unwrap().referred(), 3_000, "{broker}");
        let bob = broker.reconnect(v5("bob").keeping(100).with(receive_maximum(50)));
        let mut next = 0;
        while next < 3_000 {
            let packets = broker.read(bob);
            assert!(!packets.is_empty(), "stuck at {next}, {broker}");
            for packet in packets {
                let Packet::Publish(publish) = packet else { panic!("{packet:?}") };
                let payload = String::from_utf8(publish.payload.to_vec()).unwrap();
                assert_eq!(payload.split(' ').next(), Some(next.to_string().as_str()), "{broker}");
                next += 1;
                let packet_id = publish.delivery.packet_id().unwrap().get();
                broker.send(bob, acknowledge(Packet::PubAck, packet_id));
            }
        }
        assert_eq!(broker.journal.as_ref().unwrap().referred(), 0, "{broker}");
    }
}
