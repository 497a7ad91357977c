//! Owns what the client's tests share: a runtime per scenario and options for its broker.

use dunlin_client::{Backoff, Client, Delivery, Options, Reconnect, Subscription};
use dunlin_tests::{PATIENCE, Scenario, Settings, in_worlds};
use mqtt_codec::ProtocolVersion::{self, V5, V311};
use std::{net::SocketAddr, time::Duration};

/// Runs an async test with 1 and 4 workers, in 3.1.1 and 5.0.
pub(crate) fn everywhere(test: impl AsyncFn(&Scenario) + Sync) {
    in_versions(&[V311, V5], &[], test);
}

/// As [`everywhere`] in these versions, with settings of the broker.
pub(crate) fn in_versions(
    versions: &[ProtocolVersion],
    settings: Settings<'_>,
    test: impl AsyncFn(&Scenario) + Sync,
) {
    in_worlds(versions, settings, |scenario| run(test(scenario)));
}

/// Runs a test to its end, which must come in time.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime
        .block_on(async { tokio::time::timeout(2 * PATIENCE, test).await })
        .expect("the test ends in time");
}

/// Options for the broker of a scenario.
pub(crate) fn options(scenario: &Scenario, client_id: &str) -> Options {
    to(scenario.address(), scenario.version, client_id)
}

/// Options that reconnect without delay, since no test wants to wait.
pub(crate) fn to(address: SocketAddr, version: ProtocolVersion, client_id: &str) -> Options {
    let soon = Duration::from_millis(20);
    Options::to(address.ip().to_string(), address.port())
        .version(version)
        .client_id(client_id)
        .reconnect(Reconnect::Backoff(Backoff { initial: soon, maximum: soon, attempts_max: None }))
}

/// A connected client.
pub(crate) async fn connect(scenario: &Scenario, client_id: &str) -> Client {
    Client::connect(options(scenario, client_id)).await.expect("the broker accepts")
}

/// The next message of a stream.
pub(crate) async fn next(stream: &mut Subscription) -> Delivery {
    stream.next().await.expect("the stream goes on")
}

/// Topic and payload of the next message, as text.
pub(crate) async fn next_text(stream: &mut Subscription) -> (String, String) {
    let message = next(stream).await.message;
    (message.topic.as_str().to_owned(), String::from_utf8_lossy(&message.payload).into_owned())
}
