//! Owns the tests of how the broker ends and what its clients see of it.

use dunlin_tests::{Broker, WORKERS};
use mqtt_codec::{
    ProtocolVersion::{V5, V31, V311},
    QoS::{AtLeastOnce, AtMostOnce},
    ReasonCode,
};
use std::{net::TcpStream, time::Duration};

#[test]
fn sigterm_and_sigint_drain_every_connection_and_end_well() {
    for workers in WORKERS {
        for signal in ["TERM", "INT"] {
            let broker = Broker::with(workers, &[]);
            let mut clients: Vec<_> = [V5, V311, V31, V5, V311, V5]
                .into_iter()
                .enumerate()
                .map(|(number, version)| broker.connect(version, &format!("client {number}")))
                .collect();
            let _stranger = broker.open(V5);
            let address = broker.address();
            broker.program().signal(signal);
            for client in &mut clients {
                client.expect_disconnect(ReasonCode::ServerShuttingDown);
            }
            let finished = broker.finish();
            assert_eq!(finished.code, Some(0), "{signal}: {finished:#?}");
            assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
        }
    }
}

/// What the broker has taken over is flushed before the good-bye.
#[test]
fn what_was_on_its_way_arrives_before_the_good_bye() {
    const COUNT: usize = 2_000;
    for workers in WORKERS {
        let broker = Broker::with(workers, &[]);
        let mut subscriber = broker.connect(V5, "subscriber");
        subscriber.subscribe("a", AtMostOnce);
        let mut publisher = broker.connect(V5, "publisher");
        for _ in 0..COUNT {
            publisher.send("30 # 'a' () <on its way>");
        }
        // Its acknowledgement says that the broker has read what was before it.
        publisher.publish("a", AtLeastOnce, "last");
        broker.program().signal("TERM");
        for _ in 0..COUNT {
            subscriber.expect_message("a", "on its way");
        }
        subscriber.expect_message("a", "last");
        subscriber.expect_disconnect(ReasonCode::ServerShuttingDown);
        assert_eq!(broker.finish().code, Some(0));
    }
}

/// A client that does not read cannot hold the broker up.
#[test]
fn a_client_that_does_not_read_does_not_hold_up_the_end() {
    let broker = Broker::with(1, &[]);
    let mut stuck = broker.connect(V5, "stuck");
    stuck.subscribe("a", AtMostOnce);
    let mut publisher = broker.connect(V5, "publisher");
    let payload = vec![b'x'; 100_000];
    for _ in 0..200 {
        publisher.publish("a", AtMostOnce, &payload);
    }
    publisher.publish("a", AtLeastOnce, &payload);
    broker.program().signal("TERM");
    assert_eq!(broker.finish().code, Some(0));
}

/// Wills stay unpublished and nobody is surprised by them: everyone leaves together.
#[test]
fn no_will_is_published_by_the_end() {
    let broker = Broker::with(4, &[]);
    let mut watchers: Vec<_> = (0..4)
        .map(|number| {
            let mut watcher = broker.connect(V5, &format!("watcher {number}"));
            watcher.subscribe("will", AtMostOnce);
            watcher
        })
        .collect();
    let _mortals: Vec<_> = (0..8)
        .map(|number| {
            let mut mortal = broker.open(V5);
            mortal.connect(&format!("10 # vv 06 0000 () 'mortal {number}' () 'will' 'gone'"));
            mortal
        })
        .collect();
    watchers[0].expect_silence(Duration::from_millis(50));
    broker.program().signal("TERM");
    for watcher in &mut watchers {
        watcher.expect_disconnect(ReasonCode::ServerShuttingDown);
    }
    assert_eq!(broker.finish().code, Some(0));
}
