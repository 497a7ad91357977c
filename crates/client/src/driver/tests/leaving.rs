//! Owns the tests of clients that leave.

use super::{connect, options, start};
use crate::{
    error::{ConnectionError, DisconnectError, PublishError},
    message::Message,
    options::Options,
    request::{Disconnect, Subscribe},
    testing::{puback, suback},
};
use mqtt_codec::{QoS, ReasonCode};
use std::time::Duration;
use tokio::time::Instant;

fn message() -> Message {
    Message::new("a", "x").unwrap().qos(QoS::AtLeastOnce)
}

#[tokio::test(start_paused = true)]
async fn disconnect_drains_what_is_in_flight() {
    let (client, mut world) = start(options());
    let mut server = world.accept(false, []).await;
    let publication = client.publish_queued(message()).await.unwrap();
    server.expect(["PUBLISH QoS 1 #1 a: x"]).await;
    let served = async {
        // It takes no more.
        assert_eq!(client.publish(message()).await, Err(PublishError::Closed));
        server.send(puback(1)).await;
        publication.await.unwrap();
        server.expect(["DISCONNECT 0x00 Success", "end"]).await;
        drop(server);
    };
    let (outcome, ()) = tokio::join!(client.disconnect(), served);
    assert_eq!(outcome, Ok(()));
    assert_eq!(world.events_until("closed").await.last().unwrap(), "closed");
}

#[tokio::test(start_paused = true)]
async fn disconnect_gives_up_at_its_deadline() {
    let (client, mut world) = start(options());
    let mut server = world.accept(false, []).await;
    let publication = client.publish_queued(message()).await.unwrap();
    server.expect(["PUBLISH QoS 1 #1 a: x"]).await;
    let begun = Instant::now();
    let disconnect = Disconnect { drain_timeout: Some(Duration::from_secs(3)), ..Disconnect::default() };
    let served = async {
        server.expect(["DISCONNECT 0x00 Success", "end"]).await;
        drop(server);
    };
    let (outcome, ()) = tokio::join!(client.disconnect_with(disconnect), served);
    assert_eq!(outcome, Err(DisconnectError::Undelivered { publications: 1 }));
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert_eq!(publication.await, Err(PublishError::Closed));
}

#[tokio::test(start_paused = true)]
async fn an_illegal_disconnect_leaves_the_client_as_it_was() {
    let (client, mut world) = start(options());
    let mut server = world.accept(false, []).await;
    let illegal = Disconnect { reason: ReasonCode::ServerBusy, ..Disconnect::default() };
    assert!(matches!(client.disconnect_with(illegal).await, Err(DisconnectError::Encode(_))));
    let publication = client.publish_queued(message()).await.unwrap();
    server.expect(["PUBLISH QoS 1 #1 a: x"]).await;
    server.send(puback(1)).await;
    publication.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn dropping_every_handle_delivers_and_disconnects() {
    let (client, mut world) = start(options());
    let mut server = world.accept(false, []).await;
    let granted = async {
        server.line().await;
        server.send(suback(1, [ReasonCode::Success])).await;
    };
    let (stream, ()) = tokio::join!(client.subscribe(Subscribe::new("b").unwrap()), granted);
    let publication = client.publish_queued(message()).await.unwrap();
    drop(client);
    server.expect(["PUBLISH QoS 1 #2 a: x"]).await;
    server.send(puback(2)).await;
    publication.await.unwrap();
    // The stream still needs the connection.
    drop(stream);
    server.expect(["DISCONNECT 0x00 Success", "end"]).await;
    drop(server);
    world.driver.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn offline_a_disconnect_awaits_a_connection_for_the_queue() {
    let (client, mut world) = start(options());
    let publication = client.publish_queued(message()).await.unwrap();
    let leaving = tokio::spawn(async move { client.disconnect().await });
    let mut server = world.accept(false, []).await;
    server.expect(["PUBLISH QoS 1 #1 a: x"]).await;
    server.send(puback(1)).await;
    publication.await.unwrap();
    server.expect(["DISCONNECT 0x00 Success", "end"]).await;
    drop(server);
    assert_eq!(leaving.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn between_connections_an_idle_client_leaves_at_once() {
    let (client, mut world) = start(Options { connect_timeout: Duration::from_secs(1), ..options() });
    world.servers.close();
    world.events_until("reconnecting: 2").await;
    assert_eq!(client.disconnect().await, Ok(()));
    world.driver.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_a_timeout() {
    let (_client, mut world, first) = connect(options());
    let server = world.connection().await;
    assert_eq!(first.await.unwrap(), Err(ConnectionError::ConnectTimeout));
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn abandoning_the_first_attempt_ends_the_client() {
    let (client, mut world, first) = connect(options());
    let mut server = world.connection().await;
    server.line().await;
    drop((client, first));
    server.expect(["DISCONNECT 0x00 Success", "end"]).await;
    drop(server);
    world.driver.await.unwrap();
}
