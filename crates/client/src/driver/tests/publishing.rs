//! Owns the tests of publications through the handle: outcomes, queue and limits.

use super::{options, start};
use crate::{
    error::PublishError,
    message::Message,
    options::Options,
    testing::{ack, puback, pubcomp, pubrec},
};
use mqtt_codec::{Packet, Property, QoS, ReasonCode};
use std::num::NonZeroU16;

fn message(qos: QoS, payload: &'static str) -> Message {
    Message::new("a", payload).unwrap().qos(qos)
}

#[tokio::test(start_paused = true)]
async fn each_qos_resolves_when_it_is_complete() {
    let (client, mut world) = start(options());
    let mut server = world.accept(false, []).await;
    let published = client.publish(message(QoS::AtMostOnce, "x")).await.unwrap();
    assert_eq!(published.packet_id, None);
    server.expect(["PUBLISH QoS 0 a: x"]).await;

    let once = client.publish_queued(message(QoS::AtLeastOnce, "y")).await.unwrap();
    let twice = client.publish_queued(message(QoS::ExactlyOnce, "z")).await.unwrap();
    server.expect(["PUBLISH QoS 1 #1 a: y", "PUBLISH QoS 2 #2 a: z"]).await;
    server.send(Packet::PubAck(ack(1, ReasonCode::NoMatchingSubscribers))).await;
    assert_eq!(once.await.unwrap().reason, ReasonCode::NoMatchingSubscribers);
    server.send(pubrec(2)).await;
    server.expect(["PUBREL #2"]).await;
    server.send(pubcomp(2)).await;
    assert_eq!(twice.await.unwrap().packet_id, Some(crate::testing::id(2)));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_error() {
    let (client, mut world) = start(options());
    let mut server = world.accept(false, [Property::RetainAvailable(false)]).await;
    let publication = client.publish_queued(message(QoS::AtLeastOnce, "x")).await.unwrap();
    server.line().await;
    server.send(Packet::PubAck(ack(1, ReasonCode::NotAuthorized))).await;
    let refused = publication.await;
    assert!(
        matches!(refused, Err(PublishError::Refused { reason: ReasonCode::NotAuthorized, .. })),
        "{refused:?}"
    );
    let retained = message(QoS::AtLeastOnce, "x").retained();
    assert_eq!(client.publish(retained).await, Err(PublishError::RetainNotSupported));
}

#[tokio::test(start_paused = true)]
async fn the_servers_receive_maximum_holds_publications_back() {
    // [MQTT5-3.3.4-7]
    let (client, mut world) = start(options());
    let mut server = world.accept(false, [Property::ReceiveMaximum(NonZeroU16::MIN)]).await;
    let first = client.publish_queued(message(QoS::AtLeastOnce, "x")).await.unwrap();
    let second = client.publish_queued(message(QoS::AtLeastOnce, "y")).await.unwrap();
    server.expect(["PUBLISH QoS 1 #1 a: x"]).await;
    server.send(puback(1)).await;
    first.await.unwrap();
    server.expect(["PUBLISH QoS 1 #2 a: y"]).await;
    server.send(puback(2)).await;
    second.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn topics_go_out_as_aliases() {
    let (client, mut world) = start(Options { outbound_topic_alias_maximum: 5, ..options() });
    let mut server = world.accept(false, [Property::TopicAliasMaximum(5)]).await;
    client.publish(message(QoS::AtMostOnce, "x")).await.unwrap();
    client.publish(message(QoS::AtMostOnce, "y")).await.unwrap();
    server.expect(["PUBLISH QoS 0 alias 1 a: x", "PUBLISH QoS 0 alias 1 : y"]).await;
}

#[tokio::test(start_paused = true)]
async fn offline_the_queue_fills_up_to_its_limit_and_is_sent_later() {
    let (client, mut world) = start(Options { queue_messages_max: 2, ..options() });
    let first = client.publish_queued(message(QoS::AtMostOnce, "x")).await.unwrap();
    let second = client.publish_queued(message(QoS::AtLeastOnce, "y")).await.unwrap();
    assert_eq!(client.publish(message(QoS::AtMostOnce, "z")).await, Err(PublishError::QueueFull));
    assert_eq!(client.try_publish(message(QoS::AtMostOnce, "z")).unwrap_err(), PublishError::QueueFull);
    let mut server = world.accept(false, []).await;
    server.expect(["PUBLISH QoS 0 a: x", "PUBLISH QoS 1 #1 a: y"]).await;
    first.await.unwrap();
    server.send(puback(1)).await;
    second.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn online_a_publisher_waits_for_room() {
    let (client, mut world) = start(Options { queue_messages_max: 1, ..options() });
    let mut server = world.accept(false, []).await;
    world.events_until("connected").await;
    let first = client.publish_queued(message(QoS::AtLeastOnce, "x")).await.unwrap();
    assert_eq!(client.try_publish(message(QoS::AtLeastOnce, "y")).unwrap_err(), PublishError::QueueFull);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.publish(message(QoS::AtLeastOnce, "y")).await }
    });
    server.expect(["PUBLISH QoS 1 #1 a: x"]).await;
    server.send(puback(1)).await;
    first.await.unwrap();
    server.expect(["PUBLISH QoS 1 #2 a: y"]).await;
    // Whoever waits learns that the connection is lost, rather than waiting for the next.
    let third = tokio::spawn(async move { client.publish(message(QoS::AtLeastOnce, "z")).await });
    tokio::task::yield_now().await;
    drop(server);
    assert_eq!(third.await.unwrap(), Err(PublishError::QueueFull));
    let mut server = world.accept(true, []).await;
    server.expect(["PUBLISH QoS 1 #2 DUP a: y"]).await;
    server.send(puback(2)).await;
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn qos_0_that_was_not_written_is_lost_with_its_connection() {
    let (client, mut world) = start(options());
    let mut server = world.accept(false, []).await;
    // More than the pipe holds, to a server that does not read.
    let large = Message::new("a", vec![b'x'; 8 << 10]).unwrap();
    let publication = client.publish_queued(large).await.unwrap();
    let first_byte = tokio::io::AsyncReadExt::read_u8(&mut server.stream).await.unwrap();
    assert_eq!(first_byte, 0x30);
    drop(server);
    assert_eq!(publication.await, Err(PublishError::ConnectionLost));
}

#[tokio::test(start_paused = true)]
async fn two_full_pipes_do_not_wait_for_each_other() {
    let (client, mut world) = start(options());
    let mut server = world.accept(false, []).await;
    let large = Message::new("a", vec![b'x'; 32 << 10]).unwrap();
    let publication = client.publish_queued(large).await.unwrap();
    // The server writes as much before it reads.
    for _ in 0..32 {
        server.send(crate::testing::publish(mqtt_codec::packet::Delivery::AtMostOnce, "b", KILOBYTE)).await;
    }
    assert!(server.line().await.starts_with("PUBLISH QoS 0 a: xxx"));
    publication.await.unwrap();
}

const KILOBYTE: &str = match std::str::from_utf8(&[b'y'; 1024]) {
    Ok(text) => text,
    Err(_) => "",
};
