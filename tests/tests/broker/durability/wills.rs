//! Owns the tests of Wills whose broker was killed: the network connection has ended, and the Will is due when its
//! delay has passed or the session ends.

use super::{leave_subscribed, pass, with_workers};
use dunlin_tests::{Broker, Home, Wire};
use mqtt_codec::{ProtocolVersion::V5, QoS::AtLeastOnce};
use std::time::Duration;

/// A broker that was killed while `mortal` was connected, with these properties of its own and of its Will, and `watcher`
/// subscribed to the Will's topic.
fn killed(workers: usize, properties: &str, will_properties: &str) -> Home {
    let broker = Broker::with(workers, &[]);
    leave_subscribed(&broker, V5, "watcher", "will", AtLeastOnce);
    let mut mortal = broker.open(V5);
    let connect = format!("10 # vv 2e 0000 ({properties}) 'mortal' ({will_properties}) 'will' 'gone'");
    assert!(!mortal.connect(&connect).reason.is_error());
    broker.kill()
}

fn watcher(broker: &Broker) -> Wire {
    broker.resume(V5, "watcher")
}

/// [MQTT5-3.1.2-8]
#[test]
fn a_will_without_a_delay_is_published_at_the_start() {
    with_workers(|workers| {
        let broker = Broker::at(killed(workers, "11 00000258", ""), workers, &[]);
        let mut watching = watcher(&broker);
        watching.expect_message("will", "gone");
        // Once: when this is answered, what was received is on disk.
        watching.subscribe("other", AtLeastOnce);
        let broker = Broker::at(broker.kill(), workers, &[]);
        watcher(&broker).ping();
    });
}

/// [MQTT5-3.1.3-9]
#[test]
fn a_delayed_will_is_not_published_if_the_client_is_back_in_time() {
    with_workers(|workers| {
        let broker = Broker::at(killed(workers, "11 00000258", "18 00000002"), workers, &[]);
        let mut mortal = broker.open(V5);
        assert!(mortal.connect("10 # vv 00 0000 (11 00000258) 'mortal'").session_present);
        let mut watcher = watcher(&broker);
        pass(&mut watcher, Duration::from_millis(2_500));
    });
}

#[test]
fn a_delayed_will_is_published_when_its_delay_has_passed() {
    with_workers(|workers| {
        let broker = Broker::at(killed(workers, "11 00000258", "18 00000001"), workers, &[]);
        watcher(&broker).expect_message("will", "gone");
    });
}

/// The session ends before the delay has passed.
#[test]
fn a_delayed_will_is_published_when_the_session_expires() {
    with_workers(|workers| {
        let broker = Broker::at(killed(workers, "11 00000001", "18 00000258"), workers, &[]);
        watcher(&broker).expect_message("will", "gone");
    });
}

/// [MQTT5-3.1.2-10]
#[test]
fn the_will_of_a_client_that_said_good_bye_is_forgotten() {
    with_workers(|workers| {
        let broker = Broker::with(workers, &[]);
        leave_subscribed(&broker, V5, "watcher", "will", AtLeastOnce);
        let mut mortal = broker.open(V5);
        mortal.connect("10 # vv 2e 0000 (11 00000258) 'mortal' () 'will' 'gone'");
        mortal.disconnect();
        let broker = Broker::at(broker.stop(), workers, &[]);
        broker.resume(V5, "mortal").disconnect();
        let mut watcher = watcher(&broker);
        pass(&mut watcher, Duration::from_millis(300));
    });
}
