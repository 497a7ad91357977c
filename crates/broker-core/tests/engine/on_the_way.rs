//! Owns the proof that what one shard has recorded for another's sessions is not lost with the process while it is
//! on its way, whatever becomes of the sessions. What a restart makes of all else is told in `restart`.

use crate::support::*;

/// What may happen between the crash and the client's return.
const AFTERWARDS: [fn(&mut Broker, usize); 4] = [
    |_, _| {},
    |broker, shards| broker.crash(shards, 1),
    |broker, shards| {
        broker.checkpoint();
        broker.crash(shards, 1);
    },
    |broker, shards| {
        broker.crash(shards, 1);
        broker.relocate();
        broker.crash(shards, 1);
    },
];

/// How many shards there are before and after the crash, the QoS, and what happens then.
fn every_way(test: impl Fn(Broker, QoS, &dyn Fn(&mut Broker))) {
    for (before, after) in [(2, 1), (2, 2), (4, 3)] {
        for qos in [AtLeastOnce, ExactlyOnce] {
            for afterwards in AFTERWARDS {
                let crash = |broker: &mut Broker| {
                    broker.crash(after, 1);
                    afterwards(broker, before);
                };
                test(Broker::durable(quiet(), before), qos, &crash);
            }
        }
    }
}

/// A member of the group whose session is kept.
fn join(broker: &mut Broker, client_id: &str, number: u32) -> Client {
    let client = broker.connect(v5(client_id).keeping(100));
    let member = subscribe(1, &[("$share/g/a", subscription(ExactlyOnce))]);
    broker.send(client, member.with(identifier(number)));
    broker.expect_now(client, &["SUBACK #1 [2]"]);
    client
}

/// The client begins a session that is not kept: the one before ends.
fn end(broker: &mut Broker, client_id: &str) {
    broker.connect(v5(client_id));
}

fn expect_once(broker: &mut Broker, client_id: &str, qos: QoS, number: u32) {
    let client = broker.reconnect(v5(client_id).keeping(100));
    let expected = format!("PUBLISH a '1' qos{} #1 {{SubscriptionIdentifier({number})}}", qos as u8);
    assert_eq!(broker.take_all(client), [expected], "{broker}");
    assert_eq!(broker.journal.as_ref().unwrap().referred(), 0, "{broker}");
}

/// [MQTT5-4.8.2-4]
#[test]
fn what_is_on_its_way_to_a_member_that_ends_goes_to_another_though_the_process_dies() {
    for arrives in [false, true] {
        every_way(|mut broker, qos, crash| {
            let alice = broker.connect(v5("alice"));
            let first = broker.elsewhere("alice");
            join(&mut broker, &first, 7);
            broker.holds_mail = true;
            broker.send(alice, publish("a", "1").qos(qos, 1));
            let bob = join(&mut broker, "bob", 8);
            broker.hang_up(bob);
            end(&mut broker, &first);
            while arrives && broker.arrive() {}
            crash(&mut broker);
            expect_once(&mut broker, "bob", qos, 8);
        });
    }
}

/// [MQTT5-4.8.2-4]
#[test]
fn what_a_member_left_to_another_that_ends_meanwhile_goes_to_a_third_though_the_process_dies() {
    for arrives in [false, true] {
        every_way(|mut broker, qos, crash| {
            let alice = broker.connect(v5("alice"));
            let first = join(&mut broker, "alice's", 7);
            broker.hang_up(first);
            broker.send(alice, publish("a", "1").qos(qos, 1));
            let second = broker.elsewhere("alice's");
            join(&mut broker, &second, 8);
            broker.holds_mail = true;
            end(&mut broker, "alice's");
            let bob = join(&mut broker, "bob", 9);
            broker.hang_up(bob);
            end(&mut broker, &second);
            while arrives && broker.arrive() {}
            crash(&mut broker);
            expect_once(&mut broker, "bob", qos, 9);
        });
    }
}

/// [MQTT5-4.8.2-4]
#[test]
fn what_an_ended_member_was_sent_or_gave_up_goes_to_nobody_else_after_a_crash() {
    for checkpoint in [false, true] {
        every_way(|mut broker, _, crash| {
            let alice = broker.connect(v5("alice"));
            let first = broker.elsewhere("alice");
            let one = join(&mut broker, &first, 7);
            if checkpoint {
                broker.begin_checkpoint();
            }
            broker.send(alice, publish("a", "acknowledged").qos1(1));
            broker.send(alice, publish("a", "seen").qos2(2));
            broker.expect_now(
                one,
                &[
                    "PUBLISH a 'acknowledged' qos1 #1 {SubscriptionIdentifier(7)}",
                    "PUBLISH a 'seen' qos2 #2 {SubscriptionIdentifier(7)}",
                ],
            );
            broker.send(one, acknowledge(Packet::PubAck, 1));
            broker.hang_up(one);
            broker.send(alice, publish("a", "nobody is left").qos1(3));
            end(&mut broker, &first);
            if checkpoint {
                broker.end_checkpoint();
            }
            join(&mut broker, "bob", 8);
            crash(&mut broker);
            let bob = broker.reconnect(v5("bob").keeping(100));
            broker.expect(bob, &[]);
            assert_eq!(broker.journal.as_ref().unwrap().referred(), 0, "{broker}");
        });
    }
}

/// A session that gets one message by its own subscription and by two groups' gets it thrice or never: all of that is
/// one record, and what a checkpoint says the shard knew is all of it or nothing.
#[test]
fn a_checkpoint_between_the_parts_of_a_message_loses_none() {
    for arrived in 0..3 {
        every_way(|mut broker, qos, crash| {
            let alice = broker.connect(v5("alice"));
            let elsewhere = broker.elsewhere("alice");
            let bob = broker.connect(v5(&elsewhere).keeping(100));
            for filter in ["a", "$share/g/a", "$share/h/a"] {
                broker.subscribe(bob, filter, ExactlyOnce);
            }
            broker.hang_up(bob);
            broker.begin_checkpoint();
            broker.holds_mail = true;
            broker.send(alice, publish("a", "1").qos(qos, 1));
            for _ in 0..arrived {
                broker.arrive();
            }
            broker.end_checkpoint();
            crash(&mut broker);
            let bob = broker.reconnect(v5(&elsewhere).keeping(100));
            assert_eq!(broker.take_all(bob).len(), 3, "{broker}");
            assert_eq!(broker.journal.as_ref().unwrap().referred(), 0, "{broker}");
        });
    }
}

/// The same for what an ended member leaves to several of another shard.
#[test]
fn a_checkpoint_between_the_parts_of_what_a_member_leaves_loses_none() {
    for arrived in 0..3 {
        every_way(|mut broker, qos, crash| {
            let alice = broker.connect(v5("alice"));
            let first = join(&mut broker, "alice's", 7);
            broker.hang_up(first);
            for id in 1..=3 {
                broker.send(alice, publish("a", &id.to_string()).qos(qos, id));
            }
            let elsewhere = broker.elsewhere("alice's");
            let bob = join(&mut broker, &elsewhere, 8);
            broker.hang_up(bob);
            broker.begin_checkpoint();
            broker.holds_mail = true;
            end(&mut broker, "alice's");
            for _ in 0..arrived {
                broker.arrive();
            }
            broker.end_checkpoint();
            crash(&mut broker);
            let bob = broker.reconnect(v5(&elsewhere).keeping(100));
            assert_eq!(broker.take_all(bob).len(), 3, "{broker}");
            assert_eq!(broker.journal.as_ref().unwrap().referred(), 0, "{broker}");
        });
    }
}
