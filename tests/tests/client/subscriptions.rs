//! Owns the tests of streams: each subscription has its own, with what its filters ask for and nothing else.

use crate::support::{connect, everywhere, in_versions, next, next_text, options};
use dunlin_client::{
    Client, Message, QoS, ReasonCode, RetainHandling, Subscribe, SubscribeError, TopicFilter, Unsubscribe,
};
use mqtt_codec::ProtocolVersion::V5;
use std::collections::BTreeSet;

fn message(topic: &str, payload: &str) -> Message {
    Message::new(topic, payload.to_owned()).expect("a legal topic").qos(QoS::AtLeastOnce)
}

#[test]
fn each_subscription_has_a_stream_of_its_own() {
    everywhere(async |scenario| {
        let client = connect(scenario, "streams").await;
        let mut lamps = client.subscribe("lamp/+").await.expect("granted");
        let mut doors = client.subscribe("door/#").await.expect("granted");
        for topic in ["lamp/1", "door/a/b", "lamp/2", "window/1", "door"] {
            client.publish(message(topic, topic)).await.expect("taken");
        }
        for topic in ["lamp/1", "lamp/2"] {
            assert_eq!(next_text(&mut lamps).await.0, topic);
        }
        for topic in ["door/a/b", "door"] {
            assert_eq!(next_text(&mut doors).await.0, topic);
        }
        assert!(lamps.try_next().is_none() && doors.try_next().is_none());
    });
}

#[test]
fn overlapping_subscriptions_each_get_the_message() {
    everywhere(async |scenario| {
        let client = connect(scenario, "overlap").await;
        let mut wide = client.subscribe("a/#").await.expect("granted");
        let mut narrow = client.subscribe("a/b").await.expect("granted");
        let publisher = connect(scenario, "publisher").await;
        publisher.publish(message("a/b", "both")).await.expect("taken");
        publisher.publish(message("a/c", "wide")).await.expect("taken");
        assert_eq!(next_text(&mut wide).await.1, "both");
        assert_eq!(next_text(&mut wide).await.1, "wide");
        assert_eq!(next_text(&mut narrow).await.1, "both");
        assert!(narrow.try_next().is_none());
    });
}

#[test]
fn a_stream_ends_when_it_is_unsubscribed() {
    everywhere(async |scenario| {
        let client = connect(scenario, "leaver").await;
        let mut stream = client.subscribe("a").await.expect("granted");
        client.publish(message("a", "before")).await.expect("taken");
        assert_eq!(next_text(&mut stream).await.1, "before");
        stream.unsubscribe().await.expect("it was there");
        client.publish(message("a", "after")).await.expect("taken");
        assert!(stream.next().await.is_none());
        // The server is asked again, and knows of none.
        let reasons = client.unsubscribe("a").await.expect("answered");
        let expected =
            if scenario.version == V5 { ReasonCode::NoSubscriptionExisted } else { ReasonCode::Success };
        assert_eq!(reasons, [expected]);
    });
}

#[test]
fn several_filters_share_one_stream() {
    everywhere(async |scenario| {
        let client = connect(scenario, "several").await;
        let request = Subscribe::new("a").and_then(|it| it.and("b")).expect("legal filters");
        let mut stream = client.subscribe(request.qos(QoS::AtLeastOnce)).await.expect("granted");
        assert_eq!(stream.granted(), [ReasonCode::GrantedQoS1; 2]);
        for topic in ["a", "b"] {
            client.publish(message(topic, topic)).await.expect("taken");
            assert_eq!(next_text(&mut stream).await.0, topic);
        }
        let filters = ["a", "b"].map(|filter| TopicFilter::owned(filter).expect("legal"));
        client.unsubscribe(Unsubscribe::filters(filters)).await.expect("answered");
        assert!(stream.next().await.is_none());
    });
}

#[test]
fn shared_subscriptions_spread_messages_over_clients() {
    everywhere(async |scenario| {
        let (first, second) = (connect(scenario, "first").await, connect(scenario, "second").await);
        let share = || Subscribe::new("$share/group/a").expect("legal").qos(QoS::AtLeastOnce);
        let mut one = first.subscribe(share()).await.expect("granted");
        let mut two = second.subscribe(share()).await.expect("granted");
        let publisher = connect(scenario, "publisher").await;
        for number in 0..20 {
            publisher.publish(message("a", &number.to_string())).await.expect("taken");
        }
        let mut received = BTreeSet::new();
        for _ in 0..10 {
            received.insert(next_text(&mut one).await.1);
            received.insert(next_text(&mut two).await.1);
        }
        assert_eq!(received.len(), 20, "{received:?}");
    });
}

#[test]
fn subscription_options_of_5_0_hold() {
    in_versions(&[V5], &[], async |scenario| {
        let client = connect(scenario, "options").await;
        client.publish(message("a", "kept").retained()).await.expect("taken");
        let quiet = Subscribe::new("a").expect("legal").retain_handling(RetainHandling::DoNotSend);
        let mut quiet = client.subscribe(quiet.retain_as_published()).await.expect("granted");
        client.publish(message("a", "own").retained()).await.expect("taken");
        let delivery = next(&mut quiet).await;
        assert!(delivery.message.retain && &delivery.message.payload[..] == b"own", "{delivery:?}");
        quiet.unsubscribe().await.expect("it was there");
        let others = Subscribe::new("a").expect("legal").no_local();
        let others = others.retain_handling(RetainHandling::DoNotSend);
        let mut others = client.subscribe(others).await.expect("granted");
        client.publish(message("a", "own again")).await.expect("taken");
        connect(scenario, "other").await.publish(message("a", "other's")).await.expect("taken");
        assert_eq!(next_text(&mut others).await.1, "other's");
    });
}

#[test]
fn a_refused_subscription_is_an_error_and_a_partly_refused_one_is_not() {
    let settings = [("limits.topic_levels_max", "2")];
    in_versions(&[mqtt_codec::ProtocolVersion::V311, V5], &settings, async |scenario| {
        let client = connect(scenario, "deep").await;
        let expected = if scenario.version == V5 {
            ReasonCode::TopicFilterInvalid
        } else {
            ReasonCode::UnspecifiedError
        };
        match client.subscribe("a/b/c").await {
            Err(SubscribeError::Refused { reasons, .. }) => assert_eq!(reasons, [expected]),
            other => panic!("expected a refusal: {other:?}"),
        }
        let both = Subscribe::new("a/b/c").and_then(|it| it.and("a/b")).expect("legal");
        let mut stream = client.subscribe(both).await.expect("one is granted");
        assert_eq!(stream.granted(), [expected, ReasonCode::Success]);
        client.publish(message("a/b", "x")).await.expect("taken");
        assert_eq!(next_text(&mut stream).await.1, "x");
    });
}

#[test]
fn manual_acknowledgement_decides_what_comes_again() {
    everywhere(async |scenario| {
        let lasting = || options(scenario, "manual").resume_session(u32::MAX);
        let client = Client::connect(lasting()).await.expect("accepted");
        let manual = || Subscribe::new("a").expect("legal").qos(QoS::AtLeastOnce).manual_acknowledgement();
        let mut stream = client.subscribe(manual()).await.expect("granted");
        let publisher = connect(scenario, "publisher").await;
        for payload in ["taken", "left"] {
            publisher.publish(message("a", payload)).await.expect("taken");
        }
        next(&mut stream).await.acknowledge();
        let left = next(&mut stream).await;
        client.disconnect().await.expect("nothing is left to publish");
        drop(left);
        let mut connector = dunlin_client::Connector::new(lasting());
        let mut earlier =
            connector.unmatched(dunlin_client::Acknowledging::Automatic, dunlin_client::Overflow::DropNewest);
        let client = connector.connect().await.expect("accepted");
        let again = earlier.next().await.expect("the session kept it");
        assert!(again.dup && &again.message.payload[..] == b"left", "{again:?}");
        client.disconnect().await.expect("nothing is left");
    });
}
