//! Owns the tests of time that passes while no broker runs.

use super::{leave_subscribed, pass, with_workers};
use dunlin_tests::Broker;
use mqtt_codec::{ProtocolVersion::V5, QoS::AtLeastOnce};
use std::time::Duration;

/// Longer than the intervals of one second that are to pass, shorter than those that are not.
const A_WHILE: Duration = Duration::from_millis(1_700);

/// [MQTT5-3.1.2-23]
#[test]
fn a_session_expires_while_the_broker_is_away() {
    with_workers(|workers| {
        let idle = Broker::start();
        let broker = Broker::with(workers, &[]);
        for (client_id, expiry) in [("short", 1), ("long", 600)] {
            let mut wire = broker.open(V5);
            wire.connect(&format!("10 # vv 02 0000 (11 {expiry:08x}) '{client_id}'"));
            wire.disconnect();
        }
        let mut wire = broker.open(V5);
        // One that is connected when the broker goes counts from then on.
        wire.connect("10 # vv 02 0000 (11 00000001) 'connected'");
        let home = broker.kill();
        pass(&mut idle.connect(V5, "idle"), A_WHILE);
        let broker = Broker::at(home, workers, &[]);
        broker.resume(V5, "long").disconnect();
        broker.connect_lasting(V5, "short").disconnect();
        broker.connect_lasting(V5, "connected").disconnect();
    });
}

#[test]
fn the_expiry_that_disconnect_asked_for_is_kept() {
    with_workers(|workers| {
        let broker = Broker::with(workers, &[]);
        for (client_id, disconnect) in [("ended", "e0 # 00 (11 00000000)"), ("kept", "e0 # 00 (11 00000258)")]
        {
            let mut wire = broker.connect_lasting(V5, client_id);
            wire.send(disconnect);
            wire.expect_close();
        }
        let broker = Broker::at(broker.stop(), workers, &[]);
        broker.connect_lasting(V5, "ended").disconnect();
        broker.resume(V5, "kept").disconnect();
    });
}

/// [MQTT5-3.3.2-5] [MQTT5-3.3.2-6]
#[test]
fn a_message_expires_while_the_broker_is_away_and_another_grows_older() {
    with_workers(|workers| {
        let idle = Broker::start();
        let broker = Broker::with(workers, &[]);
        leave_subscribed(&broker, V5, "absent", "a", AtLeastOnce);
        let mut publisher = broker.connect(V5, "publisher");
        publisher.publish_with("a", AtLeastOnce, "02 00000001", "short");
        publisher.publish_with("a", AtLeastOnce, "02 00000258", "long");
        let home = broker.kill();
        pass(&mut idle.connect(V5, "idle"), A_WHILE);
        let broker = Broker::at(home, workers, &[]);
        let mut subscriber = broker.resume(V5, "absent");
        let publish = subscriber.receive();
        assert_eq!(&publish.payload[..], b"long");
        let left = publish.properties.message_expiry_interval().expect("it still expires");
        assert!((540..600).contains(&left), "{left} seconds are left");
        subscriber.ping();
    });
}
