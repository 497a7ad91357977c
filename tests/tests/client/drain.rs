//! Owns the tests of how a client leaves: what it has promised to publish is published first.

use crate::support::{connect, everywhere, in_versions, next_text, options};
use dunlin_client::{Client, Disconnect, DisconnectError, Message, PublishError, QoS, ReasonCode, Subscribe};
use dunlin_tests::{Broker, Proxy};
use mqtt_codec::ProtocolVersion::V5;
use std::time::Duration;

const COUNT: usize = 500;

fn message(number: usize) -> Message {
    Message::new("a", number.to_string()).expect("a legal topic").qos(QoS::ExactlyOnce)
}

#[test]
fn disconnecting_delivers_what_is_queued() {
    everywhere(async |scenario| {
        let watcher = connect(scenario, "watcher").await;
        let request = Subscribe::new("a").expect("legal").qos(QoS::ExactlyOnce);
        let mut stream = watcher.subscribe(request).await.expect("granted");
        let client = connect(scenario, "leaver").await;
        let mut acknowledgements = Vec::new();
        for number in 0..COUNT {
            acknowledgements.push(client.try_publish(message(number)).expect("there is room"));
        }
        client.disconnect().await.expect("everything is delivered");
        for acknowledgement in acknowledgements {
            acknowledgement.await.expect("acknowledged before the end");
        }
        for number in 0..COUNT {
            assert_eq!(next_text(&mut stream).await.1, number.to_string());
        }
        assert!(matches!(client.publish(message(0)).await, Err(PublishError::Closed)));
        assert!(matches!(client.disconnect().await, Err(DisconnectError::Closed)));
    });
}

#[test]
fn dropping_the_last_handle_delivers_what_is_queued() {
    everywhere(async |scenario| {
        let watcher = connect(scenario, "watcher").await;
        let request = Subscribe::new("a").expect("legal").qos(QoS::ExactlyOnce);
        let mut stream = watcher.subscribe(request).await.expect("granted");
        let client = connect(scenario, "leaver").await;
        for number in 0..COUNT {
            drop(client.try_publish(message(number)).expect("there is room"));
        }
        drop(client);
        for number in 0..COUNT {
            assert_eq!(next_text(&mut stream).await.1, number.to_string());
        }
    });
}

#[test]
fn a_deadline_ends_the_wait_and_tells_what_was_not_delivered() {
    everywhere(async |scenario| {
        let proxy = Proxy::to(scenario.address());
        let options = crate::support::to(proxy.address(), scenario.version, "stuck");
        let client = Client::connect(options).await.expect("accepted");
        let mut events = client.events();
        proxy.interrupt();
        events.next().await;
        let acknowledgement = client.try_publish(message(0)).expect("there is room");
        let leave = Disconnect { drain_timeout: Some(Duration::from_millis(100)), ..Disconnect::default() };
        let left = client.disconnect_with(leave).await;
        assert_eq!(left, Err(DisconnectError::Undelivered { publications: 1 }));
        assert!(acknowledgement.await.is_err());
    });
}

#[test]
fn a_client_may_leave_with_its_will() {
    in_versions(&[V5], &[], async |scenario| {
        let watcher = connect(scenario, "watcher").await;
        let mut stream = watcher.subscribe("gone").await.expect("granted");
        let will = dunlin_client::Will {
            qos: QoS::AtMostOnce,
            retain: false,
            topic: dunlin_client::TopicName::owned("gone").expect("legal"),
            payload: "as I said".into(),
            properties: dunlin_client::Properties::NONE,
        };
        let client = Client::connect(options(scenario, "leaver").will(will)).await.expect("accepted");
        let leave = Disconnect { reason: ReasonCode::DisconnectWithWill, ..Disconnect::default() };
        client.disconnect_with(leave).await.expect("nothing is left");
        assert_eq!(next_text(&mut stream).await.1, "as I said");
    });
}

/// The client is told that the broker goes down, and comes back when there is one again.
#[test]
fn a_broker_that_goes_down_is_an_event() {
    crate::support::run(async {
        let broker = Broker::with(4, &[]);
        let client =
            Client::connect(crate::support::to(broker.address(), V5, "told")).await.expect("accepted");
        let mut events = client.events();
        broker.program().signal("TERM");
        match events.next().await {
            Some(dunlin_client::Event::Disconnected(error)) => {
                let dunlin_client::ConnectionError::DisconnectedByServer { reason, .. } = error else {
                    panic!("expected the server's reason: {error}");
                };
                assert_eq!(reason, ReasonCode::ServerShuttingDown);
            }
            other => panic!("expected to be disconnected: {other:?}"),
        }
        assert_eq!(broker.finish().code, Some(0));
    });
}
