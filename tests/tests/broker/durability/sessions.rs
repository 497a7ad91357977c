//! Owns the tests of sessions and their queues that outlive the process. What was in flight is in `in_flight`.

use super::{everywhere, leave_subscribed, with_workers};
use dunlin_tests::Broker;
use mqtt_codec::{
    Packet,
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};

/// [MQTT5-3.1.2-5] [MQTT5-4.1.0-1] [MQTT311-3.1.2-4] [MQTT311-4.1.0-1]
#[test]
fn a_subscription_that_was_acknowledged_is_there_after_a_kill() {
    everywhere(|workers, version| {
        let broker = Broker::with(workers, &[]);
        let mut subscriber = broker.connect_lasting(version, "lasting");
        subscriber.subscribe("a/+", AtMostOnce);
        subscriber.subscribe("b", AtLeastOnce);
        subscriber.subscribe("c/#", AtLeastOnce);
        subscriber.unsubscribe("b");
        let broker = Broker::at(broker.kill(), workers, &[]);
        let mut subscriber = broker.resume(version, "lasting");
        let mut publisher = broker.connect(version, "publisher");
        publisher.publish("b", AtLeastOnce, "unsubscribed");
        publisher.publish("a/b", AtMostOnce, "one");
        subscriber.expect_message("a/b", "one");
        publisher.publish("c", AtLeastOnce, "two");
        subscriber.expect_message("c", "two");
        subscriber.ping();
    });
}

#[test]
fn a_subscription_comes_back_with_its_options_and_its_identifier() {
    with_workers(|workers| {
        let broker = Broker::with(workers, &[]);
        let mut subscriber = broker.connect_lasting(V5, "optional");
        // No Local, Retain As Published.
        subscriber.subscribe_with("a", "0b 07", 0x0D);
        subscriber.subscribe_with("$share/group/s", "0b 8001", 0x01);
        let broker = Broker::at(broker.kill(), workers, &[]);
        let mut subscriber = broker.resume(V5, "optional");
        subscriber.publish("a", AtLeastOnce, "its own, which it does not want");
        let mut publisher = broker.connect(V5, "publisher");
        publisher.publish_retained("a", AtLeastOnce, "as it was published");
        subscriber.expect("33 # 'a' 0001 (0b 07) <as it was published>");
        publisher.publish("s", AtLeastOnce, "shared");
        subscriber.expect("32 # 's' 0002 (0b 8001) <shared>");
    });
}

/// [MQTT5-4.5.0-1] [MQTT311-4.5.0-1]: nothing that was acknowledged is lost, and the order stays, whoever recovers it.
#[test]
fn what_was_acknowledged_waits_in_its_order_whatever_the_number_of_workers() {
    const COUNT: usize = 200;
    for (before, after) in [(1, 1), (1, 4), (4, 1), (4, 3)] {
        let broker = Broker::with(before, &[]);
        for number in 0..8 {
            leave_subscribed(&broker, V5, &format!("absent {number}"), "a/#", ExactlyOnce);
        }
        let mut publisher = broker.connect(V5, "publisher");
        for number in 0..COUNT {
            let qos = [AtLeastOnce, ExactlyOnce][number % 2];
            publisher.publish("a/b", qos, number.to_string());
        }
        let mut broker = Broker::at(broker.kill(), after, &[]);
        let line = broker.line();
        assert!(line.contains("(8 sessions, 1,600 queued messages, 0 retained messages recovered"), "{line}");
        for number in 0..8 {
            let mut subscriber = broker.resume(V5, &format!("absent {number}"));
            for number in 0..COUNT {
                subscriber.expect_message("a/b", &number.to_string());
            }
            subscriber.ping();
        }
    }
}

/// What a client has acknowledged does not come again once the broker has said anything to it that came behind.
#[test]
fn what_was_received_before_the_kill_does_not_come_again() {
    everywhere(|workers, version| {
        let broker = Broker::with(workers, &[]);
        let mut subscriber = broker.connect_lasting(version, "subscriber");
        subscriber.subscribe("a", ExactlyOnce);
        let mut publisher = broker.connect(version, "publisher");
        for (qos, payload) in [(AtLeastOnce, "one"), (ExactlyOnce, "two")] {
            publisher.publish("a", qos, payload);
            subscriber.expect_message("a", payload);
        }
        subscriber.subscribe("b", AtLeastOnce);
        publisher.publish("a", AtLeastOnce, "three");
        let broker = Broker::at(broker.kill(), workers, &[]);
        let mut subscriber = broker.resume(version, "subscriber");
        subscriber.expect_message("a", "three");
        subscriber.ping();
    });
}

/// [MQTT5-3.1.2-4] [MQTT311-3.1.2-6]
#[test]
fn a_session_that_was_ended_does_not_come_back() {
    everywhere(|workers, version| {
        let broker = Broker::with(workers, &[]);
        let mut subscriber = broker.connect_lasting(version, "clean");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.disconnect();
        broker.connect(version, "publisher").publish("a", AtLeastOnce, "for the old session");
        let mut wire = broker.open(version);
        assert!(!wire.connect("10 # vv 02 0000 () 'clean'").session_present);
        let broker = Broker::at(broker.kill(), workers, &[]);
        let mut subscriber = broker.connect_lasting(version, "clean");
        broker.connect(version, "publisher").publish("a", AtLeastOnce, "nobody subscribed");
        subscriber.ping();
    });
}

#[test]
fn an_end_in_good_order_keeps_sessions_as_a_kill_does() {
    everywhere(|workers, version| {
        let broker = Broker::with(workers, &[]);
        let mut subscriber = broker.connect_lasting(version, "lasting");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.disconnect();
        let mut publisher = broker.connect(version, "publisher");
        for number in 0..100 {
            publisher.publish("a", AtLeastOnce, number.to_string());
        }
        drop(publisher);
        let broker = Broker::at(broker.stop(), workers, &[]);
        let mut subscriber = broker.resume(version, "lasting");
        for number in 0..100 {
            subscriber.expect_message("a", &number.to_string());
        }
        subscriber.ping();
    });
}

/// A publisher that is told to go has heard what became of what it sent: it need not send it again. What crosses
/// between workers may be stored without a word; to send it again is then what QoS 1 is for.
#[test]
fn what_was_received_before_the_end_is_acknowledged_before_the_good_bye() {
    let broker = Broker::start();
    leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
    let mut publisher = broker.connect(V5, "publisher");
    for number in 1..=200 {
        publisher.send(&format!("32 # 'a' {number:04x} () <{number}>"));
    }
    publisher.expect("40 # 0001");
    broker.program().signal("TERM");
    let mut acknowledged = 1;
    while let Some(Packet::PubAck(ack)) = publisher.packet_or_close() {
        acknowledged += 1;
        assert_eq!(ack.packet_id.get(), acknowledged);
    }
    let broker = Broker::at(broker.stopped(), 1, &[]);
    let mut subscriber = broker.resume(V5, "absent");
    for number in 1..=acknowledged {
        subscriber.expect_message("a", &number.to_string());
    }
    subscriber.ping();
}

#[test]
fn a_second_kill_loses_nothing_that_the_first_one_left() {
    with_workers(|workers| {
        let broker = Broker::with(workers, &[]);
        leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
        let mut home = broker.kill();
        for number in 0..5 {
            let broker = Broker::at(home, workers, &[]);
            broker.connect(V5, "publisher").publish("a", AtLeastOnce, number.to_string());
            home = broker.kill();
        }
        let broker = Broker::at(home, workers, &[]);
        let mut subscriber = broker.resume(V5, "absent");
        for number in 0..5 {
            subscriber.expect_message("a", &number.to_string());
        }
        subscriber.ping();
    });
}
