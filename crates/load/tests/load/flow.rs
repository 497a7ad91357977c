//! Owns the tests of what a publisher does: its window at every QoS, its rate, and the handshakes.

use std::num::NonZeroU16;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use dunlin_load::{Lifetime, Loss, ProtocolVersion, Publisher, QoS, ReasonCode, Recording, Target};
use mqtt_codec::packet::{Delivery, PacketId, Publish};
use mqtt_codec::{Packet, Property};

use crate::server::{PATIENCE, Peer, Server, ack, publish, publisher, scripted, scripted_with, subscribe};

#[test]
fn at_qos_0_what_not_all_have_got_fills_the_window() {
    let script = |server: Server| {
        let mut subscriber = server.accept_subscriber();
        let mut publisher = server.accept();
        for begin in (0_u32..6).step_by(2) {
            let messages = publisher.receive_messages(2);
            for (message, sequence) in messages.iter().zip(begin..) {
                assert_eq!(message.payload[4..8], sequence.to_be_bytes());
                subscriber.deliver(message);
            }
        }
        assert!(publisher.receive().is_none(), "the load ends");
    };
    scripted(ProtocolVersion::V311, script, |mut load| {
        subscribe(&mut load, QoS::AtMostOnce);
        publish(&mut load, QoS::AtMostOnce, 2, 6);
        load.run_until(PATIENCE, "two are published", |tally| tally.published == 2).expect("messages");
        load.run_until(PATIENCE, "all are", |tally| tally.published == 6).expect("messages");
        assert!(load.drain(PATIENCE).expect("no error").is_none());
        load.cut();
    });
}

#[test]
fn at_qos_0_without_receivers_nothing_holds_a_publisher_back() {
    let script = |server: Server| {
        let mut publisher = server.accept();
        publisher.receive_messages(20_000);
        assert!(matches!(publisher.receive(), Some(Packet::Disconnect(_))));
    };
    scripted(ProtocolVersion::V311, script, |mut load| {
        let many = Publisher { payload_bytes: 100, ..publisher(QoS::AtMostOnce, 1, 20_000) };
        load.publisher("publisher", many).expect("a legal publisher");
        load.wait_ready().expect("a connection");
        load.start();
        load.run_until(PATIENCE, "all are published", |tally| tally.published == 20_000).expect("messages");
        load.disconnect().expect("a goodbye");
    });
}

#[test]
fn the_brokers_receive_maximum_limits_the_window() {
    let script = |server: Server| {
        let maximum = NonZeroU16::new(2).expect("not zero");
        let mut publisher = server.accept_with(Some(Property::ReceiveMaximum(maximum)));
        let mut in_flight = publisher.receive_messages(2);
        for _ in 2..10 {
            // Had it sent a third one, that would be the next packet, with another packet id.
            let first = in_flight.remove(0);
            publisher.acknowledge(&first, ReasonCode::Success);
            let next = publisher.receive_message();
            assert_eq!(next.delivery.packet_id(), first.delivery.packet_id());
            in_flight.push(next);
        }
        for message in in_flight {
            publisher.acknowledge(&message, ReasonCode::QuotaExceeded);
        }
        assert!(publisher.receive().is_none(), "the load ends");
    };
    scripted(ProtocolVersion::V5, script, |mut load| {
        publish(&mut load, QoS::AtLeastOnce, 100, 10);
        assert!(load.run_until(PATIENCE, "all are published", |tally| tally.published == 10).is_ok());
        assert!(load.drain(PATIENCE).expect("no error").is_none());
        assert_eq!((load.tally().acknowledged, load.tally().refused), (10, 2));
        load.cut();
    });
}

#[test]
fn at_qos_2_both_ends_shake_hands() {
    let (done, end) = mpsc::sync_channel(1);
    let script = move |server: Server| {
        let mut subscriber = server.accept_subscriber();
        let mut publisher = server.accept();
        for number in 1..=3 {
            let message = publisher.receive_message();
            let packet_id = message.delivery.packet_id().expect("a packet id");
            publisher.send(&Packet::PubRec(ack(packet_id, ReasonCode::Success)));
            assert_eq!(publisher.receive(), Some(Packet::PubRel(ack(packet_id, ReasonCode::Success))));
            publisher.send(&Packet::PubComp(ack(packet_id, ReasonCode::Success)));

            let packet_id = PacketId::new(number * 256).expect("not zero");
            let delivery = Delivery::ExactlyOnce { packet_id, dup: false };
            subscriber.send(&Packet::Publish(Publish { delivery, ..message }));
            assert_eq!(subscriber.receive(), Some(Packet::PubRec(ack(packet_id, ReasonCode::Success))));
            subscriber.send(&Packet::PubRel(ack(packet_id, ReasonCode::Success)));
            assert_eq!(subscriber.receive(), Some(Packet::PubComp(ack(packet_id, ReasonCode::Success))));
        }
        done.send(()).expect("the load waits");
        assert!(publisher.receive().is_none(), "the load ends");
    };
    scripted(ProtocolVersion::V5, script, |mut load| {
        subscribe(&mut load, QoS::ExactlyOnce);
        load.record(Recording::On);
        publish(&mut load, QoS::ExactlyOnce, 1, 3);
        // The subscriber's last PUBCOMP goes out after everything has been delivered.
        load.run_until(PATIENCE, "the script ends", |_| end.try_recv().is_ok()).expect("messages");
        assert!(load.drain(PATIENCE).expect("no error").is_none());
        assert_eq!(load.tally().acknowledgement.len(), 3);
        load.cut();
    });
}

#[test]
fn what_is_not_acknowledged_is_missing() {
    let script = |server: Server| {
        let mut publisher = server.accept();
        let messages = publisher.receive_messages(3);
        publisher.acknowledge(&messages[1], ReasonCode::Success);
        assert!(publisher.receive().is_none(), "the load ends");
    };
    scripted(ProtocolVersion::V311, script, |mut load| {
        publish(&mut load, QoS::AtLeastOnce, 3, 3);
        load.run_until(PATIENCE, "one is acknowledged", |tally| tally.acknowledged == 1).expect("messages");
        let loss = load.drain(Duration::from_millis(20)).expect("no error");
        assert_eq!(loss, Loss { unacknowledged: 2, undelivered: 0 });
        load.cut();
    });
}

#[test]
fn with_a_rate_what_is_held_back_counts_from_when_it_was_due() {
    let (go_on, held) = mpsc::sync_channel(1);
    let script = move |server: Server| {
        let mut publisher = server.accept();
        let first = publisher.receive_message();
        held.recv_timeout(PATIENCE).expect("the load has waited");
        publisher.acknowledge(&first, ReasonCode::Success);
        let second = publisher.receive_message();
        publisher.acknowledge(&second, ReasonCode::Success);
        assert!(publisher.receive().is_none(), "the load ends");
    };
    scripted(ProtocolVersion::V311, script, |mut load| {
        let paced = Publisher { rate: Some(1_000.0), ..publisher(QoS::AtLeastOnce, 1, 2) };
        load.publisher("publisher", paced).expect("a legal publisher");
        load.wait_ready().expect("a connection");
        load.record(Recording::On);
        load.start();
        load.run(Duration::from_millis(50)).expect("no error");
        assert_eq!(load.tally().published, 1);
        go_on.send(()).expect("the script waits");
        let all = |tally: &dunlin_load::Tally| tally.acknowledged == 2;
        load.run_until(PATIENCE, "both are acknowledged", all).expect("messages");
        // Due a millisecond after the first, and sent when that was acknowledged.
        let shortest = load.tally().acknowledgement.min();
        assert!(shortest >= 48_000_000, "{shortest} ns");
        load.cut();
    });
}

#[test]
fn a_publisher_with_a_rate_keeps_to_it_from_when_it_is_ready() {
    let script = |server: Server| {
        let mut publisher = server.accept();
        publisher.receive_messages(50);
        assert!(publisher.receive().is_none(), "the load ends");
    };
    scripted(ProtocolVersion::V311, script, |mut load| {
        load.start();
        load.run(Duration::from_millis(30)).expect("no error");
        let paced = Publisher { rate: Some(1_000.0), ..publisher(QoS::AtMostOnce, 1, 50) };
        load.publisher("publisher", paced).expect("a legal publisher");
        let begin = Instant::now();
        load.run_until(PATIENCE, "all are published", |tally| tally.published == 50).expect("messages");
        assert!(begin.elapsed() >= Duration::from_millis(49), "{:?}", begin.elapsed());
        load.cut();
    });
}

#[test]
fn clients_come_from_their_addresses_in_turn() {
    // Elsewhere 127.0.0.2 is no address of the machine.
    if !cfg!(target_os = "linux") {
        return;
    }
    let sources = ["127.0.0.1", "127.0.0.2"].map(|address| address.parse().expect("an address"));
    let script = move |server: Server| {
        let mut peers: Vec<_> = (0..4).map(|_| server.accept()).collect();
        let mut addresses: Vec<_> = peers.iter().map(Peer::address).collect();
        addresses.sort();
        assert_eq!(addresses, [sources[0], sources[0], sources[1], sources[1]]);
        assert!(peers.iter_mut().all(|peer| peer.receive().is_none()), "the load ends");
    };
    let target = |target: Target| Target { sources: sources.to_vec(), ..target };
    scripted_with(ProtocolVersion::V311, target, script, |mut load| {
        for number in 0..4 {
            load.idle(&format!("idle-{number}"), Lifetime::Connection).expect("a client");
        }
        load.wait_ready().expect("connections");
    });
}

#[test]
fn a_broker_that_insists_is_pinged() {
    let check = |version, keep_alive_seconds, server_keep_alive: Option<u16>| {
        let script = move |server: Server| {
            let mut publisher = server.accept_with(server_keep_alive.map(Property::ServerKeepAlive));
            assert_eq!(publisher.receive(), Some(Packet::PingReq));
            publisher.send(&Packet::PingResp);
            assert!(matches!(publisher.receive(), Some(Packet::Disconnect(_))));
        };
        let target = |target: Target| Target { keep_alive_seconds, ..target };
        scripted_with(version, target, script, |mut load| {
            load.idle("idle", Lifetime::Connection).expect("a client");
            load.wait_ready().expect("a connection");
            load.run(Duration::from_millis(900)).expect("no error");
            load.disconnect().expect("a goodbye");
        });
    };
    check(ProtocolVersion::V5, 0, Some(1));
    check(ProtocolVersion::V311, 1, None);
}
