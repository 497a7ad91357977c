//! Owns the tests of streams: who gets what, who acknowledges, and what happens when nobody takes.

use super::{World, options, start, start_connector};
use crate::{
    driver::Start,
    handle::{Client, Connector},
    options::Options,
    request::{Acknowledging, Overflow, Subscribe},
    stream::Subscription,
    testing::{at_least_once, exactly_once, publish, publish_with, pubrel, suback, unsuback},
};
use mqtt_codec::{
    Packet, Properties, Property, PropertyOwner, ProtocolVersion, ReasonCode, TopicName, packet::Delivery,
};

/// Subscribes while the server grants everything; the server's end comes back too.
async fn subscribe(
    client: &Client,
    server: &mut super::Server,
    number: u16,
    subscribe: Subscribe,
) -> Subscription {
    let granted = async {
        assert!(server.line().await.starts_with(&format!("SUBSCRIBE #{number}")));
        server.send(suback(number, [ReasonCode::GrantedQoS2])).await;
    };
    let (stream, ()) = tokio::join!(client.subscribe(subscribe), granted);
    stream.unwrap()
}

fn payload(delivery: Option<crate::Delivery>) -> String {
    String::from_utf8_lossy(&delivery.expect("there is one").message.payload).into_owned()
}

async fn connected(options: Options) -> (Client, World, super::Server) {
    let (client, mut world) = start(options);
    let server = world.accept(false, []).await;
    (client, world, server)
}

#[tokio::test(start_paused = true)]
async fn each_stream_gets_its_own_and_acknowledges_as_it_hands_out() {
    let (client, _world, mut server) = connected(options().version(ProtocolVersion::V311)).await;
    let mut all = subscribe(&client, &mut server, 1, Subscribe::new("#").unwrap()).await;
    let mut some = subscribe(&client, &mut server, 2, Subscribe::new("a/+").unwrap()).await;
    assert_eq!(some.granted(), [ReasonCode::GrantedQoS2]);
    server.send(publish(at_least_once(1), "a/b", "x")).await;
    server.send(publish(exactly_once(2), "c", "y")).await;
    assert_eq!(payload(all.next().await), "x");
    assert_eq!(payload(all.next().await), "y");
    assert!(all.try_next().is_none());
    assert_eq!(payload(some.next().await), "x");
    server.expect(["PUBACK #1", "PUBREC #2"]).await;
    server.send(pubrel(2)).await;
    server.expect(["PUBCOMP #2"]).await;
}

#[tokio::test(start_paused = true)]
async fn manual_acknowledgements_go_out_in_order_and_carry_reasons() {
    // [MQTT5-4.6.0-2]
    let (client, _world, mut server) = connected(options()).await;
    let by_hand = Subscribe::new("a").unwrap().manual_acknowledgement();
    let mut stream = subscribe(&client, &mut server, 1, by_hand).await;
    for number in 1..=4 {
        server.send(publish(at_least_once(number), "a", "x")).await;
    }
    let first = stream.next().await.unwrap();
    let second = stream.next().await.unwrap();
    let third = stream.next().await.unwrap();
    let fourth = stream.next().await.unwrap();
    fourth.acknowledge();
    assert!(third.acknowledge_with(ReasonCode::KeepAliveTimeout).is_err());
    second.acknowledge_with(ReasonCode::QuotaExceeded).unwrap();
    first.acknowledge();
    // The third was dropped unacknowledged.
    server.expect(["PUBACK #1", "PUBACK #2 0x97 Quota exceeded", "PUBACK #4"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_acknowledges_what_it_held_and_then_matches_nothing() {
    let (client, mut world, mut server) = connected(options()).await;
    let stream = subscribe(&client, &mut server, 1, Subscribe::new("a").unwrap()).await;
    server.send(publish(at_least_once(1), "a", "x")).await;
    server.send(publish(Delivery::AtMostOnce, "b", "x")).await;
    world.events_until("unmatched: b").await;
    drop(stream);
    server.expect(["PUBACK #1"]).await;
    server.send(publish(at_least_once(2), "a", "x")).await;
    server.expect(["PUBACK #2"]).await;
    world.events_until("unmatched: a").await;
}

#[tokio::test(start_paused = true)]
async fn what_a_session_of_before_brings_has_a_stream() {
    let options = options().resume_session(60);
    let mut connector = Connector::new(options.clone());
    let mut rest = connector.unmatched(Acknowledging::Automatic, Overflow::DropNewest);
    let (_client, mut world) = start_connector(connector, options.version, Start::Background);
    let mut server = world.accept(true, []).await;
    server.send(publish(at_least_once(1), "old", "x")).await;
    assert_eq!(payload(rest.next().await), "x");
    server.expect(["PUBACK #1"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_buffer_drops_and_counts_qos_0_alone() {
    let (client, mut world, mut server) = connected(options()).await;
    let small = Subscribe { buffer_messages_max: 2, ..Subscribe::new("a").unwrap() };
    let mut stream = subscribe(&client, &mut server, 1, small).await;
    for text in ["1", "2", "3"] {
        server.send(publish(Delivery::AtMostOnce, "a", text)).await;
    }
    server.send(publish(at_least_once(1), "a", "4")).await;
    server.send(publish(Delivery::AtMostOnce, "b", "x")).await;
    world.events_until("unmatched: b").await;
    assert_eq!(stream.dropped(), 1);
    let mut texts = Vec::new();
    while let Some(delivery) = stream.try_next() {
        texts.push(payload(Some(delivery)));
    }
    assert_eq!(texts, ["1", "2", "4"]);
    server.send(publish(Delivery::AtMostOnce, "a", "5")).await;
    assert_eq!(payload(stream.next().await), "5");
}

#[tokio::test(start_paused = true)]
async fn a_full_buffer_can_pause_the_server_instead() {
    let (client, mut world, mut server) = connected(options()).await;
    let pausing = Subscribe { buffer_messages_max: 2, ..Subscribe::new("a").unwrap() };
    let mut stream = subscribe(&client, &mut server, 1, pausing.overflow(Overflow::PauseReading)).await;
    let sent: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
    let mut received = Vec::new();
    let sender = async {
        for text in &sent {
            let text: &'static str = text.clone().leak();
            server.send(publish(Delivery::AtMostOnce, "a", text)).await;
        }
        server.send(publish(Delivery::AtMostOnce, "b", "x")).await;
    };
    let receiver = async {
        while received.len() < sent.len() {
            received.push(payload(stream.next().await));
        }
    };
    tokio::join!(sender, receiver);
    assert_eq!(received, sent);
    assert_eq!(stream.dropped(), 0);
    world.events_until("unmatched: b").await;
}

#[tokio::test(start_paused = true)]
async fn in_3_1_1_unacknowledged_messages_pause_the_server() {
    let one = Options { receive_maximum: std::num::NonZeroU16::MIN, ..options() };
    let (client, mut world, mut server) = connected(one.version(ProtocolVersion::V311)).await;
    let mut stream = subscribe(&client, &mut server, 1, Subscribe::new("a").unwrap()).await;
    server.send(publish(at_least_once(1), "a", "x")).await;
    server.send(publish(at_least_once(2), "b", "y")).await;
    // The second is read once the first is taken.
    assert_eq!(payload(stream.next().await), "x");
    server.expect(["PUBACK #1", "PUBACK #2"]).await;
    world.events_until("unmatched: b").await;
}

#[tokio::test(start_paused = true)]
async fn an_unsubscribed_stream_ends_once_it_is_empty() {
    let (client, _world, mut server) = connected(options()).await;
    let mut stream = subscribe(&client, &mut server, 1, Subscribe::new("a").unwrap()).await;
    server.send(publish(Delivery::AtMostOnce, "a", "x")).await;
    let answered = async {
        server.expect(["UNSUBSCRIBE #2 a"]).await;
        server.send(unsuback(2, [ReasonCode::Success])).await;
    };
    let (outcome, ()) = tokio::join!(client.unsubscribe("a"), answered);
    assert_eq!(outcome, Ok(vec![ReasonCode::Success]));
    assert_eq!(payload(stream.next().await), "x");
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_unsubscribes_by_itself() {
    let (client, _world, mut server) = connected(options()).await;
    let mut stream = subscribe(&client, &mut server, 1, Subscribe::new("a").unwrap()).await;
    let answered = async {
        server.expect(["UNSUBSCRIBE #2 a"]).await;
        server.send(unsuback(2, [ReasonCode::Success])).await;
    };
    let (outcome, ()) = tokio::join!(stream.unsubscribe(), answered);
    assert_eq!(outcome, Ok(()));
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_request_gets_its_own_response() {
    let (client, _world, mut server) = connected(options()).await;
    let topic = TopicName::owned("answers").unwrap();
    let granted = async {
        server.expect(["SUBSCRIBE #1 identifier 1 answers QoS 1"]).await;
        server.send(suback(1, [ReasonCode::GrantedQoS1])).await;
    };
    let (requester, ()) = tokio::join!(client.requester(topic), granted);
    let mut requester = requester.unwrap();
    let own = [Property::CorrelationData(b"7")];
    let properties = Properties::new(PropertyOwner::Publish, own).unwrap();
    let question = crate::Message::new("questions", "?").unwrap().properties(properties);
    let answering = async {
        server.expect(["PUBLISH QoS 0 questions: ?"]).await;
        server.send(answer("other", [Property::CorrelationData(b"6")])).await;
        server.send(answer("right", [Property::CorrelationData(b"7")])).await;
    };
    let (response, ()) = tokio::join!(requester.request(question), answering);
    assert_eq!(payload(response.ok()), "right");
}

fn answer(text: &'static str, properties: [Property<'_>; 1]) -> Packet {
    publish_with(Delivery::AtMostOnce, "answers", text, properties)
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_is_none_is_refused_before_anything_is_sent() {
    let (client, _world) = start(options());
    let error = client.subscribe("a/#/b").await.unwrap_err();
    assert_eq!(error.to_string(), "the topic \"a/#/b\": # is not the whole last level of the Topic Filter");
    let error = client.unsubscribe("").await.unwrap_err();
    assert_eq!(error.to_string(), "the topic \"\": the topic is empty");
}
