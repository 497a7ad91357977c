//! Owns the tests of what a subscriber notices: order, loss, duplicates, and packets that come in pieces.

use std::time::Duration;

use dunlin_load::{Lifetime, Loss, ProtocolVersion, QoS, Recording, Subscriber, Tally};
use mqtt_codec::{Packet, packet::Publish};

use crate::server::{PATIENCE, Server, publish, publisher, scripted, subscribe};

/// Four messages are published and delivered in this order; tells what was counted and what is missing.
fn check(order: &'static [usize], judge: fn(&Tally), undelivered: u64) {
    let script = move |server: Server| {
        let mut subscriber = server.accept_subscriber();
        let mut publisher = server.accept();
        let messages = publisher.receive_messages(4);
        for &index in order {
            subscriber.deliver(&messages[index]);
        }
        assert!(matches!(subscriber.receive(), Some(Packet::Disconnect(_))));
        assert!(matches!(publisher.receive(), Some(Packet::Disconnect(_))));
    };
    scripted(ProtocolVersion::V311, script, |mut load| {
        subscribe(&mut load, QoS::AtMostOnce);
        publish(&mut load, QoS::AtMostOnce, 4, 4);
        let all = order.len() as u64;
        let came = |tally: &Tally| tally.delivered + tally.duplicated == all;
        load.run_until(PATIENCE, "all came", came).expect("deliveries");
        judge(load.tally());
        let loss = load.drain(Duration::ZERO).expect("no error");
        assert_eq!(loss, Loss { unacknowledged: 0, undelivered }, "{order:?}");
        load.disconnect().expect("a goodbye");
    });
}

#[test]
fn order_loss_and_duplicates_are_told_apart() {
    check(&[0, 1, 2, 3], |tally| assert_eq!((tally.reordered, tally.duplicated), (0, 0)), 0);
    check(&[0, 1, 3], |tally| assert_eq!((tally.reordered, tally.duplicated), (0, 0)), 1);
    check(&[0, 2, 1, 3], |tally| assert_eq!((tally.reordered, tally.duplicated), (1, 0)), 0);
    check(&[0, 1, 1, 2, 0], |tally| assert_eq!((tally.reordered, tally.duplicated), (0, 2)), 1);
    check(&[3, 3], |tally| assert_eq!((tally.reordered, tally.duplicated), (0, 1)), 3);
}

#[test]
fn packets_may_come_in_pieces() {
    let script = |server: Server| {
        let mut subscriber = server.accept_subscriber();
        let mut publisher = server.accept();
        let mut bytes = Vec::new();
        for message in publisher.receive_messages(3) {
            Packet::Publish(message).encode(ProtocolVersion::V5, &mut bytes).expect("a legal packet");
        }
        for piece in bytes.chunks(7) {
            subscriber.send_bytes(piece);
        }
        assert!(subscriber.receive().is_none(), "the load ends");
    };
    scripted(ProtocolVersion::V5, script, |mut load| {
        subscribe(&mut load, QoS::AtMostOnce);
        load.record(Recording::On);
        publish(&mut load, QoS::AtMostOnce, 3, 3);
        assert!(load.drain(PATIENCE).expect("no error").is_none());
        assert_eq!(load.tally().delivery.len(), 3);
        assert!(load.is_finished());
        load.cut();
    });
}

#[test]
fn members_of_a_shared_subscription_get_each_message_once() {
    let script = |server: Server| {
        let mut members = [server.accept_subscriber(), server.accept_subscriber()];
        let mut publisher = server.accept();
        let messages = publisher.receive_messages(4);
        for (member, index) in [(0, 1), (1, 0), (1, 3), (0, 3), (0, 2)] {
            members[member].deliver(&messages[index]);
        }
        assert!(publisher.receive().is_none(), "the load ends");
    };
    scripted(ProtocolVersion::V5, script, |mut load| {
        for member in ["a", "b"] {
            let subscriber = Subscriber { filters: vec!["$share/g/t".to_owned()], qos: QoS::AtMostOnce };
            load.subscriber(Lifetime::Connection, member, subscriber).expect("a legal subscriber");
        }
        load.wait_ready().expect("subscriptions");
        publish(&mut load, QoS::AtMostOnce, 4, 4);
        let came = |tally: &Tally| tally.delivered == 4 && tally.duplicated == 1;
        load.run_until(PATIENCE, "all came", came).expect("deliveries");
        assert_eq!((load.tally().expected, load.tally().reordered), (4, 0));
        load.cut();
    });
}

#[test]
fn what_others_publish_is_foreign_and_what_a_collector_gets_is_not_expected() {
    let script = |server: Server| {
        let mut subscriber = server.accept_subscriber();
        let mut collector = server.accept();
        let mut publisher = server.accept();
        let [first, second] = publisher.receive_messages(2).try_into().expect("two");
        subscriber.deliver(&first);
        // Too short for a mark; retained; of a topic that the load does not have.
        subscriber.deliver(&Publish { payload: vec![0; 15].into(), ..first.clone() });
        subscriber.deliver(&Publish { retain: true, ..second.clone() });
        subscriber.deliver(&Publish { payload: vec![9; 16].into(), ..first.clone() });
        collector.deliver(&Publish { retain: true, ..second });
        collector.deliver(&Publish { payload: vec![9; 16].into(), ..first });
        assert!(publisher.receive().is_none(), "the load ends");
    };
    scripted(ProtocolVersion::V5, script, |mut load| {
        subscribe(&mut load, QoS::AtMostOnce);
        // Without filters: its session has them.
        let session = Subscriber { filters: Vec::new(), qos: QoS::AtMostOnce };
        load.collector(Lifetime::Persistent, "collector", session).expect("a client");
        load.wait_ready().expect("a connection");
        load.publisher("publisher", publisher(QoS::AtMostOnce, 2, 2)).expect("a legal publisher");
        load.wait_ready().expect("a connection");
        load.start();
        let came = |tally: &Tally| tally.foreign == 3 && tally.collected == 2 && tally.delivered == 3;
        load.run_until(PATIENCE, "all came", came).expect("deliveries");
        let loss = load.drain(Duration::ZERO).expect("no error");
        assert_eq!(loss, Loss { unacknowledged: 0, undelivered: 1 });
        load.cut();
    });
}
