//! Owns the proof that what the engine remembers of a publisher's last topic is never out of date.

use crate::support::*;
use mqtt_codec::packet::SubscriptionOptions;

#[test]
fn every_change_of_subscriptions_shows_at_the_next_message_to_the_same_topic() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let [bob, carol] = ["bob", "carol"].map(|name| broker.connect(v5(name)));
        let expect = |broker: &mut Broker, lines: [&[&str]; 2]| {
            broker.send(alice, publish("a/b", "x").qos1(1));
            broker.received(alice);
            broker.expect(bob, lines[0]);
            broker.expect(carol, lines[1]);
        };
        const QOS_0: &[&str] = &["PUBLISH a/b 'x'"];
        expect(&mut broker, [&[], &[]]);
        broker.subscribe(bob, "a/b", AtMostOnce);
        expect(&mut broker, [QOS_0, &[]]);
        broker.subscribe(carol, "a/+", AtMostOnce);
        expect(&mut broker, [QOS_0, QOS_0]);
        broker.subscribe(bob, "a/b", AtLeastOnce);
        expect(&mut broker, [&["PUBLISH a/b 'x' qos1 #1"], QOS_0]);
        broker.send(bob, unsubscribe(1, &["a/b"]));
        expect(&mut broker, [&["UNSUBACK #1 [0]"], QOS_0]);
        broker.subscribe(bob, "$share/g/#", AtMostOnce);
        expect(&mut broker, [QOS_0, QOS_0]);
        // A session that ends takes its subscriptions with it, and its name may come back with none.
        broker.connect(v5("carol"));
        broker.expect(carol, &["DISCONNECT 0x8E Session taken over", "closed"]);
        expect(&mut broker, [QOS_0, &["closed"]]);
    }
}

#[test]
fn each_publisher_is_left_out_where_it_asked_to_be() {
    for mut broker in brokers() {
        let names: Vec<_> = (0..100).map(|number| format!("p{number}")).collect();
        let publishers: Vec<_> = names.iter().map(|name| broker.connect(v5(name))).collect();
        let no_local = SubscriptionOptions { no_local: true, ..subscription(AtMostOnce) };
        for &publisher in &publishers {
            broker.subscribe(publisher, "a", no_local);
        }
        // More receivers than are remembered with each publisher, then few.
        for count in [100, 2] {
            for &publisher in &publishers[count..] {
                broker.hang_up(publisher);
            }
            for &publisher in publishers[..count].iter().chain(&publishers[..1]) {
                broker.send(publisher, publish("a", "x"));
            }
            for (index, &publisher) in publishers[..count].iter().enumerate() {
                let own = if index == 0 { 2 } else { 1 };
                assert_eq!(broker.received(publisher).len(), count + 1 - own, "{broker}");
            }
        }
    }
}

#[test]
fn a_publisher_of_many_topics_reaches_the_right_ones() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        let subscribers: Vec<_> = (0..10)
            .map(|number| {
                let subscriber = broker.connect(v5(&format!("s{number}")));
                broker.subscribe(subscriber, &format!("t/{number}"), AtMostOnce);
                subscriber
            })
            .collect();
        for round in 0..3 {
            for number in [0, 0, 1, 2, 1, 9, 9, 10] {
                broker.send(alice, publish(&format!("t/{number}"), &round.to_string()));
            }
        }
        let counts: Vec<_> =
            subscribers.iter().map(|&subscriber| broker.received(subscriber).len()).collect();
        assert_eq!(counts, [6, 6, 3, 0, 0, 0, 0, 0, 0, 6], "{broker}");
    }
}
