//! Owns the tests of connections made, refused, lost and made again.

use super::{connect, options, start};
use crate::{
    error::{ConnectionError, PublishError},
    message::Message,
    options::{Backoff, Options, Reconnect},
    request::Subscribe,
    testing::{at_least_once, connack, disconnect, puback, publish, refusal, suback},
};
use mqtt_codec::{Packet, Property, QoS, ReasonCode};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_first_connection_is_told_and_known() {
    let (client, mut world, first) = connect(options());
    assert!(client.connected().is_none());
    let mut server = world.connection().await;
    server.expect(["CONNECT 5.0 clean \"c\" keep alive 0"]).await;
    server.send(connack(false, [Property::MaximumQoS(QoS::AtLeastOnce)])).await;
    assert_eq!(first.await.unwrap(), Ok(()));
    assert_eq!(client.connected().unwrap().maximum_qos, QoS::AtLeastOnce);
    assert_eq!(world.events_until("connected").await, ["connected, session present: false"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_first_connection_is_not_repeated() {
    let (client, mut world, first) = connect(options());
    let mut server = world.connection().await;
    server.line().await;
    server.send(refusal(ReasonCode::ServerBusy)).await;
    assert!(matches!(
        first.await.unwrap(),
        Err(ConnectionError::Refused { reason: ReasonCode::ServerBusy, .. })
    ));
    server.expect(["end"]).await;
    let message = Message::new("a", "x").unwrap();
    assert_eq!(client.publish(message).await, Err(PublishError::Closed));
    assert_eq!(world.events_until("closed").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_background_client_tries_until_it_is_accepted() {
    let (client, mut world) = start(options());
    let begun = Instant::now();
    for _ in 0..3 {
        world.connection().await;
    }
    let waited = begun.elapsed();
    assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&waited), "{waited:?}");
    world.accept(false, []).await;
    let events = world.events_until("connected").await;
    assert_eq!(
        events[4..],
        [
            "disconnected: the server closed the connection",
            "reconnecting: 3",
            "connected, session present: false"
        ]
    );
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_never_is_not_asked_again() {
    let (client, mut world) = start(options());
    let mut server = world.accept(false, []).await;
    server.send(disconnect(ReasonCode::SessionTakenOver)).await;
    let events = world.events_until("closed").await;
    assert_eq!(events.last().unwrap(), "closed: the server disconnected: 0x8E Session taken over");
    assert_eq!(client.disconnect().await, Err(crate::DisconnectError::Closed));
}

#[tokio::test(start_paused = true)]
async fn attempts_end_at_their_limit() {
    let backoff = Backoff { attempts_max: Some(2), ..Backoff::default() };
    let (_client, mut world) = start(options().reconnect(Reconnect::Backoff(backoff)));
    world.servers.close();
    let events = world.events_until("closed").await;
    let disconnected = "disconnected: memory: connection refused";
    let closed = "closed: memory: connection refused";
    assert_eq!(
        events,
        [disconnected, "reconnecting: 1", disconnected, "reconnecting: 2", disconnected, closed]
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_resumed_with_what_was_in_flight() {
    // [MQTT5-4.4.0-1]
    let (client, mut world) = start(Options { session_expiry_interval: 60, ..options() });
    let mut server = world.accept(false, []).await;
    let message = Message::new("a", "x").unwrap().qos(QoS::AtLeastOnce);
    let publication = client.publish_queued(message).await.unwrap();
    server.expect(["PUBLISH QoS 1 #1 a: x"]).await;
    drop(server);
    let mut server = world.accept(true, []).await;
    server.expect(["PUBLISH QoS 1 #1 DUP a: x"]).await;
    server.send(puback(1)).await;
    assert_eq!(publication.await.unwrap().reason, ReasonCode::Success);
    let events = world.events_until("connected, session present: true").await;
    assert_eq!(
        events[1..],
        [
            "disconnected: the server closed the connection",
            "reconnecting: 1",
            "connected, session present: true",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn streams_survive_a_server_that_forgets() {
    let (client, mut world) = start(options());
    let server = async {
        let mut server = world.accept(false, []).await;
        server.expect(["SUBSCRIBE #1 identifier 1 a QoS 1"]).await;
        server.send(suback(1, [ReasonCode::GrantedQoS1])).await;
        drop(server);
        let mut server = world.accept(false, []).await;
        server.expect(["SUBSCRIBE #2 identifier 1 a QoS 1"]).await;
        server.send(suback(2, [ReasonCode::GrantedQoS1])).await;
        server.send(publish(at_least_once(1), "a", "x")).await;
        server.expect(["PUBACK #1"]).await;
        server
    };
    let receiver = async {
        let subscribe = Subscribe::new("a").unwrap().qos(QoS::AtLeastOnce);
        let mut stream = client.subscribe(subscribe).await.unwrap();
        assert_eq!(&stream.next().await.unwrap().message.payload[..], b"x");
        stream
    };
    let (_server, _stream) = tokio::join!(server, receiver);
    let events = world.events_until("resubscribed").await;
    assert!(events.last().unwrap().contains("GrantedQoS1"), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_client_pings() {
    // [MQTT5-3.1.2-20]
    let (_client, mut world) = start(options().keep_alive_seconds(10));
    let mut server = world.accept(false, []).await;
    let begun = Instant::now();
    for number in 1..=3 {
        server.expect(["PINGREQ"]).await;
        server.send(Packet::PingResp).await;
        assert_eq!(begun.elapsed().as_secs(), 9 * number);
    }
    server.expect(["PINGREQ", "end"]).await;
    let events = world.events_until("disconnected").await;
    assert_eq!(events.last().unwrap(), "disconnected: the server did not answer PINGREQ in time");
}

#[tokio::test(start_paused = true)]
async fn an_illegal_packet_is_answered_and_the_connection_made_again() {
    // [MQTT5-4.13.2-1]
    let (_client, mut world) = start(options());
    let mut server = world.accept(false, []).await;
    server.send(connack(false, [])).await;
    server.expect(["DISCONNECT 0x82 Protocol Error", "end"]).await;
    let mut server = world.accept(false, []).await;
    let malformed = [0x36, 0x00];
    tokio::io::AsyncWriteExt::write_all(&mut server.stream, &malformed).await.unwrap();
    server.expect(["DISCONNECT 0x81 Malformed Packet", "end"]).await;
    world.accept(false, []).await;
}
