//! Owns the tests of limits, the server's and the client's own.

use crate::support::{connect, in_versions, next, options, run, to};
use dunlin_client::{
    Client, ConnectionError, Message, Options, PublishError, QoS, ReasonCode, Subscribe, SubscribeError,
};
use dunlin_tests::{Broker, Proxy};
use mqtt_codec::ProtocolVersion::{V5, V311};
use std::num::NonZeroU16;

fn message(payload: impl Into<Vec<u8>>) -> Message {
    Message::new("a", payload.into()).expect("a legal topic").qos(QoS::AtLeastOnce)
}

/// What CONNACK announced is not tried.
#[test]
fn what_the_server_does_not_offer_is_refused_before_it_is_sent() {
    let settings = [
        ("limits.packet_bytes_max", "1000"),
        ("capabilities.maximum_qos", "1"),
        ("capabilities.retain_available", "false"),
        ("capabilities.wildcard_subscription_available", "false"),
        ("capabilities.shared_subscription_available", "false"),
    ];
    in_versions(&[V5], &settings, async |scenario| {
        let client = connect(scenario, "limited").await;
        let connected = client.connected().expect("it is");
        assert_eq!((connected.maximum_packet_size, connected.maximum_qos), (1000, QoS::AtLeastOnce));
        let too_large = client.publish(message(vec![b'x'; 1000])).await;
        assert!(matches!(too_large, Err(PublishError::PacketTooLarge { maximum_packet_size: 1000, .. })));
        let qos_2 = client.publish(message("x").qos(QoS::ExactlyOnce)).await;
        assert!(matches!(qos_2, Err(PublishError::QoSNotSupported { maximum_qos: QoS::AtLeastOnce })));
        let retained = client.publish(message("x").retained()).await;
        assert!(matches!(retained, Err(PublishError::RetainNotSupported)));
        let wildcard = client.subscribe("a/+").await.map(drop);
        assert_eq!(wildcard, Err(SubscribeError::WildcardNotSupported));
        let shared = client.subscribe("$share/group/a").await.map(drop);
        assert_eq!(shared, Err(SubscribeError::SharedNotSupported));
        // The connection has not suffered.
        client.publish(message("x")).await.expect("taken");
    });
}

#[test]
fn a_refused_publication_tells_the_servers_reason() {
    in_versions(&[V5], &[("limits.topic_levels_max", "1")], async |scenario| {
        let client = connect(scenario, "deep").await;
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let deep = Message::new("a/b", "x").expect("legal").qos(qos);
            match client.publish(deep).await {
                Err(PublishError::Refused { reason, .. }) => assert_eq!(reason, ReasonCode::TopicNameInvalid),
                other => panic!("expected a refusal: {other:?}"),
            }
        }
        client.publish(message("x")).await.expect("taken");
    });
}

/// The server's Receive Maximum is never exceeded: it would end the connection.
#[test]
fn a_narrow_server_gets_no_more_than_it_takes() {
    in_versions(&[V5], &[("limits.receive_maximum", "2")], async |scenario| {
        let client = connect(scenario, "eager").await;
        let mut events = client.events();
        let mut acknowledgements = Vec::new();
        for number in 0..300_u32 {
            let qos = if number % 2 == 0 { QoS::ExactlyOnce } else { QoS::AtLeastOnce };
            let queued = client.publish_queued(message(number.to_string()).qos(qos)).await;
            acknowledgements.push(queued.expect("there is room"));
        }
        for acknowledgement in acknowledgements {
            acknowledgement.await.expect("acknowledged");
        }
        client.disconnect().await.expect("nothing is left");
        assert_eq!(events.next().await, Some(dunlin_client::Event::Closed(None)));
    });
}

/// And so is the client's own towards the server, in 3.1.1 by not reading on.
#[test]
fn a_stream_that_is_not_asked_holds_the_server_back_and_loses_nothing() {
    const COUNT: u32 = 300;
    in_versions(&[V311, V5], &[], async |scenario| {
        let narrow =
            Options { receive_maximum: NonZeroU16::new(4).expect("not zero"), ..options(scenario, "narrow") };
        let client = Client::connect(narrow).await.expect("accepted");
        let request = Subscribe::new("a").expect("legal").qos(QoS::AtLeastOnce);
        let mut stream = client.subscribe(request).await.expect("granted");
        let publisher = connect(scenario, "publisher").await;
        for number in 0..COUNT {
            publisher.publish(message(number.to_string())).await.expect("taken");
        }
        for number in 0..COUNT {
            assert_eq!(&next(&mut stream).await.message.payload[..], number.to_string().as_bytes());
        }
    });
}

#[test]
fn the_queue_of_an_offline_client_has_an_end() {
    in_versions(&[V311, V5], &[], async |scenario| {
        let proxy = Proxy::to(scenario.address());
        let options = Options { queue_messages_max: 3, ..to(proxy.address(), scenario.version, "offline") };
        let client = Client::connect(options).await.expect("accepted");
        let mut events = client.events();
        proxy.interrupt();
        events.next().await;
        let mut queued = Vec::new();
        for _ in 0..3 {
            queued.push(client.publish_queued(message("waits")).await.expect("there is room"));
        }
        assert!(matches!(client.publish_queued(message("x")).await.map(drop), Err(PublishError::QueueFull)));
        assert!(matches!(client.try_publish(message("x")).map(drop), Err(PublishError::QueueFull)));
        proxy.restore();
        for acknowledgement in queued {
            acknowledgement.await.expect("acknowledged at last");
        }
        client.publish(message("room again")).await.expect("taken");
    });
}

#[test]
fn a_refused_connection_tells_the_servers_reason() {
    in_versions(&[V311, V5], &[("limits.connections_max", "1")], async |scenario| {
        let _first = connect(scenario, "first").await;
        let expected =
            if scenario.version == V5 { ReasonCode::QuotaExceeded } else { ReasonCode::ServerUnavailable };
        match Client::connect(options(scenario, "second")).await {
            Err(ConnectionError::Refused { reason, .. }) => assert_eq!(reason, expected),
            other => panic!("expected a refusal: {other:?}"),
        }
    });
}

#[test]
fn nobody_listening_is_a_network_error() {
    run(async {
        let address = {
            let broker = Broker::start();
            broker.address()
        };
        match Client::connect(to(address, V5, "nobody")).await {
            Err(ConnectionError::Network(error)) => {
                assert_eq!(error.kind, std::io::ErrorKind::ConnectionRefused, "{}", error.text);
            }
            other => panic!("expected a network error: {other:?}"),
        }
    });
}

#[test]
fn large_payloads_arrive_whole() {
    let settings = [("limits.packet_bytes_max", "20MiB"), ("limits.outbox_bytes_max", "64MiB")];
    in_versions(&[V311, V5], &settings, async |scenario| {
        let client = connect(scenario, "large").await;
        let request = Subscribe::new("a").expect("legal").qos(QoS::ExactlyOnce);
        let mut stream = client.subscribe(request).await.expect("granted");
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let payload: Vec<u8> = (0..5 << 20).map(|at: u32| at.to_le_bytes()[1]).collect();
            client.publish(message(payload.clone()).qos(qos)).await.expect("taken");
            assert!(next(&mut stream).await.message.payload == payload, "{qos:?} changed the payload");
        }
    });
}
