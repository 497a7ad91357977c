//! Owns the proof that retained messages are delivered in pages between other work, whatever their
//! number, and that none is lost on the way.

use crate::support::*;
use broker_core::config::{Config, Limits};
use mqtt_codec::packet::{RetainHandling, SubscriptionOptions};
use std::collections::BTreeMap;

const COUNT: u32 = 10_000;

/// A broker that retains ten thousand messages.
fn retaining(broker: &mut Broker, qos: QoS) -> Client {
    let alice = broker.connect(v5("alice"));
    for number in 0..COUNT {
        broker.send(alice, publish(&format!("t/{number}"), &number.to_string()).retained().qos(qos, 1));
        broker.send(alice, acknowledge(Packet::PubRel, 1));
    }
    broker.read(alice);
    alice
}

/// How often each retained message arrived.
fn count(lines: &[String]) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for line in lines.iter().filter(|line| line.contains(" retain")) {
        let topic = line.split(' ').nth(1).unwrap();
        *counts.entry(topic.to_owned()).or_default() += 1;
    }
    counts
}

fn assert_each_once(lines: &[String], broker: &Broker) {
    let counts = count(lines);
    assert_eq!(counts.len(), COUNT as usize, "{broker}");
    assert!(counts.values().all(|&times| times == 1), "{broker}");
    assert_eq!(broker.totals().publishes_dropped, 0, "{broker}");
}

#[test]
fn live_messages_are_not_kept_waiting_by_ten_thousand_retained_ones() {
    for mut broker in brokers() {
        let alice = retaining(&mut broker, AtMostOnce);
        let bob = broker.connect(v5("bob"));
        let carol = broker.connect(v5("carol"));
        broker.subscribe(carol, "live", AtMostOnce);
        broker.subscribe(bob, "#", AtMostOnce);
        // The first page comes with SUBACK, the next is due at once.
        let mut lines: Vec<_> = broker.read(bob).iter().map(text::show).collect();
        assert_eq!(lines.len(), 64);
        assert!(broker.is_due());
        let mut rounds = 0;
        while broker.tick_once() {
            rounds += 1;
            broker.send(alice, publish("live", &rounds.to_string()));
            let packets = broker.read(bob);
            let retained = packets.iter().map(text::show).filter(|line| line.contains(" retain")).count();
            assert!(retained <= 64, "a page has at most 64 messages, not {retained}");
            lines.extend(packets.iter().map(text::show));
            broker.expect_now(carol, &[&format!("PUBLISH live '{rounds}'")]);
        }
        assert!(rounds >= COUNT / 64 - 1);
        assert_each_once(&lines, &broker);
        let live = lines.iter().filter(|line| line.starts_with("PUBLISH live")).count();
        assert_eq!(live, rounds as usize, "{broker}");
    }
}

#[test]
fn a_client_that_reads_slowly_gets_each_retained_message_once_at_every_qos() {
    let limits = Limits { outbox_bytes_max: 500, ..Limits::default() };
    for (published, granted) in [
        (AtMostOnce, ExactlyOnce),
        (ExactlyOnce, AtMostOnce),
        (AtLeastOnce, AtLeastOnce),
        (ExactlyOnce, ExactlyOnce),
    ] {
        for mut broker in brokers_with(Config { limits: limits.clone(), ..quiet() }) {
            retaining(&mut broker, published);
            let bob = broker.connect(v5("bob").with(receive_maximum(10)));
            broker.subscribe(bob, "#", granted);
            broker.settle();
            // One page at the most waits for a client that does not read.
            assert!(broker.unread_bytes(bob) < 500 + 64 * 30, "{broker}");
            let lines = broker.take_all(bob);
            assert_each_once(&lines, &broker);
        }
    }
}

/// Retained messages wait in the store, not in the queue: they cannot fill it.
#[test]
fn retained_messages_displace_nobody_from_a_short_queue() {
    let limits = Limits { queue_messages_max: 1, ..Limits::default() };
    for mut broker in brokers_with(Config { limits, ..quiet() }) {
        let alice = retaining(&mut broker, AtLeastOnce);
        let bob = broker.connect(v5("bob").with(receive_maximum(3)));
        broker.subscribe(bob, "#", AtLeastOnce);
        broker.settle();
        broker.send(alice, publish("live", "x").qos1(1));
        let lines = broker.take_all(bob);
        assert_each_once(&lines, &broker);
        assert_eq!(lines.iter().filter(|line| line.starts_with("PUBLISH live")).count(), 1);
    }
}

#[test]
fn a_client_that_comes_back_gets_the_rest() {
    for qos in [AtMostOnce, AtLeastOnce] {
        for mut broker in brokers() {
            retaining(&mut broker, qos);
            let hello = v5("bob").keeping(100).with(receive_maximum(100));
            let bob = broker.connect(hello.clone());
            broker.subscribe(bob, "#", qos);
            broker.tick_once();
            let mut lines: Vec<_> = broker.read(bob).iter().map(text::show).collect();
            broker.hang_up(bob);
            broker.advance_seconds(1);
            let bob = broker.reconnect(hello);
            let again = broker.take_all(bob);
            lines.extend(again.into_iter().filter(|line| !line.contains(" dup")));
            assert_each_once(&lines, &broker);
        }
    }
}

#[test]
fn a_subscription_that_ends_or_starts_over_takes_its_pages_with_it() {
    for mut broker in brokers() {
        retaining(&mut broker, AtMostOnce);
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "#", AtMostOnce);
        broker.tick_once();
        assert_eq!(broker.read(bob).len(), 128, "{broker}");
        broker.send(bob, unsubscribe(2, &["#"]));
        broker.expect(bob, &["UNSUBACK #2 [0]"]);
        broker.subscribe(bob, "#", AtMostOnce);
        broker.tick_once();
        assert_eq!(broker.read(bob).len(), 128, "{broker}");
        broker.subscribe(bob, "#", AtMostOnce);
        let lines = broker.take_all(bob);
        assert_each_once(&lines, &broker);
    }
}

/// A subscription that asks for no retained messages again changes how the rest of them is delivered, and
/// stops none of them.
#[test]
fn a_subscription_that_changes_on_the_way_gets_the_rest_as_it_is_now() {
    for mut broker in brokers() {
        retaining(&mut broker, AtLeastOnce);
        let bob = broker.connect(v5("bob"));
        broker.subscribe(bob, "#", AtMostOnce);
        let mut lines: Vec<_> = broker.read(bob).iter().map(text::show).collect();
        assert!(lines.iter().all(|line| !line.contains("qos1")), "{broker}");
        let options =
            SubscriptionOptions { retain_handling: RetainHandling::SendIfNew, ..subscription(AtLeastOnce) };
        broker.send(bob, subscribe(1, &[("#", options)]).with(identifier(7)));
        let rest = broker.take_all(bob);
        assert!(
            rest.iter().all(|line| line.contains("qos1") && line.ends_with("{SubscriptionIdentifier(7)}"))
        );
        lines.extend(rest);
        assert_each_once(&lines, &broker);
    }
}

#[test]
fn every_subscriber_has_its_turn() {
    for mut broker in brokers() {
        retaining(&mut broker, AtMostOnce);
        let subscribers: Vec<_> = (0..20).map(|number| broker.connect(v5(&format!("s{number}")))).collect();
        for &subscriber in &subscribers {
            broker.subscribe(subscriber, "#", AtMostOnce);
        }
        broker.tick_once();
        broker.tick_once();
        for &subscriber in &subscribers {
            let pages = broker.read(subscriber).len().div_ceil(64);
            assert!((2..=3).contains(&pages), "{pages} pages, {broker}");
        }
        for &subscriber in &subscribers {
            broker.hang_up(subscriber);
        }
        broker.settle();
    }
}

#[test]
fn ten_thousand_filters_with_retained_messages_are_served_all() {
    for mut broker in brokers() {
        retaining(&mut broker, AtMostOnce);
        let bob = broker.connect(v5("bob"));
        let filters: Vec<_> = (0..COUNT).map(|number| format!("t/{number}")).collect();
        let wishes: Vec<_> =
            filters.iter().map(|filter| (filter.as_str(), subscription(AtMostOnce))).collect();
        broker.send(bob, subscribe(1, &wishes));
        let lines = broker.take_all(bob);
        assert_each_once(&lines, &broker);
        // Again while the first are still on their way: each starts over, and nothing piles up.
        broker.send(bob, subscribe(2, &wishes));
        broker.tick_once();
        broker.send(bob, subscribe(3, &wishes));
        let counts = count(&broker.take_all(bob));
        assert_eq!(counts.len(), COUNT as usize);
        // What comes with a SUBACK and in a tick is bounded, and comes again.
        assert!(counts.values().sum::<u32>() < COUNT + 1_024 + 100, "{broker}");
    }
}

/// What few there are comes with SUBACK, before anything published later: nobody gets a message first
/// because it subscribed and then again because it is retained.
#[test]
fn a_message_published_behind_the_subscription_comes_once() {
    for mut broker in brokers() {
        let alice = broker.connect(v5("alice"));
        broker.send(alice, publish("t/0", "old").retained());
        let wishes = ["t/0", "t/1", "+/2"].map(|filter| (filter, subscription(AtLeastOnce)));
        broker.send(alice, subscribe(1, &wishes));
        broker.send(alice, publish("t/1", "new").retained().qos1(1));
        broker.send(alice, publish("t/2", "new").retained().qos1(2));
        broker.expect(
            alice,
            &[
                "SUBACK #1 [1 1 1]",
                "PUBLISH t/0 'old' retain",
                "PUBLISH t/1 'new' qos1 #1",
                "PUBACK #1",
                "PUBLISH t/2 'new' qos1 #2",
                "PUBACK #2",
            ],
        );
    }
}
