//! Owns what the tests of storage share: brokers of one directory, one after the other, the first of which is killed at a
//! moment of the test's choice. What is there afterwards is for each file to say.

mod damage;
mod full_disk;
mod in_flight;
mod inspection;
mod levels;
mod retained;
mod sessions;
mod space;
mod start_up;
mod time;
mod wills;

use dunlin_tests::{Broker, Wire, at_once};
use mqtt_codec::{
    ProtocolVersion::{self, V5, V311},
    QoS,
};
use std::time::Duration;

/// Runs a test with 1 and 4 workers, in 3.1.1 and 5.0.
fn everywhere(test: impl Fn(usize, ProtocolVersion) + Sync) {
    let cases = [V311, V5].map(|version| (version, format!("{version:?}")));
    at_once(&cases, |workers, &version| test(workers, version));
}

/// Runs a test with 1 and 4 workers.
fn with_workers(test: impl Fn(usize) + Sync) {
    at_once(&[((), "killed".to_owned())], |workers, ()| test(workers));
}

/// Makes a session that lasts, subscribes it to one filter and leaves it alone.
fn leave_subscribed(broker: &Broker, version: ProtocolVersion, client_id: &str, filter: &str, qos: QoS) {
    let mut subscriber = broker.connect_lasting(version, client_id);
    subscriber.subscribe(filter, qos);
    subscriber.disconnect();
}

/// Clocks must have gone on; a client that hears nothing is how we see it pass.
fn pass(idle: &mut Wire, duration: Duration) {
    idle.expect_silence(duration);
}
