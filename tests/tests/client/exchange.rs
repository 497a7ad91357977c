//! Owns the tests of messages between clients of the library: every QoS, retained, wills, properties, requests.

use crate::support::{connect, everywhere, in_versions, next, next_text, options};
use dunlin_client::{
    Client, Message, Properties, Property, PropertyOwner, QoS, ReasonCode, Subscribe, TopicName, Will,
};
use mqtt_codec::ProtocolVersion::{V5, V31};

const ALL: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

fn message(topic: &str, payload: &str) -> Message {
    Message::new(topic, payload.to_owned()).expect("a legal topic")
}

fn subscribe(filter: &str, qos: QoS) -> Subscribe {
    Subscribe::new(filter).expect("a legal filter").qos(qos)
}

#[test]
fn messages_of_every_qos_arrive_in_their_order() {
    everywhere(async |scenario| {
        let subscriber = connect(scenario, "subscriber").await;
        let publisher = connect(scenario, "publisher").await;
        let mut stream = subscriber.subscribe(subscribe("a/+", QoS::ExactlyOnce)).await.expect("granted");
        assert_eq!(stream.granted(), [ReasonCode::GrantedQoS2]);
        for number in 0..60 {
            let qos = ALL[number % 3];
            let published = publisher.publish(message("a/b", &number.to_string()).qos(qos)).await;
            let published = published.expect("the broker takes it");
            assert_eq!(published.reason, ReasonCode::Success);
            assert_eq!(published.packet_id.is_some(), qos != QoS::AtMostOnce);
        }
        for number in 0..60 {
            let delivery = next(&mut stream).await;
            assert_eq!(delivery.message.qos, ALL[number % 3]);
            assert_eq!(&delivery.message.payload[..], number.to_string().as_bytes());
        }
        publisher.disconnect().await.expect("nothing is left");
        subscriber.disconnect().await.expect("nothing is left");
    });
}

#[test]
fn the_acknowledgement_tells_that_nobody_subscribed() {
    in_versions(&[V5], &[], async |scenario| {
        let client = connect(scenario, "lonely").await;
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let published = client.publish(message("a", "x").qos(qos)).await.expect("taken");
            assert_eq!(published.reason, ReasonCode::NoMatchingSubscribers);
        }
    });
}

#[test]
fn many_publications_may_be_in_flight_at_once() {
    const COUNT: usize = 2_000;
    everywhere(async |scenario| {
        let client = connect(scenario, "both").await;
        let mut stream = client.subscribe(subscribe("a", QoS::AtLeastOnce)).await.expect("granted");
        let mut acknowledgements = Vec::new();
        for number in 0..COUNT {
            let message = message("a", &number.to_string()).qos(QoS::AtLeastOnce);
            acknowledgements.push(client.publish_queued(message).await.expect("queued"));
        }
        for number in 0..COUNT {
            assert_eq!(next_text(&mut stream).await.1, number.to_string());
        }
        for acknowledgement in acknowledgements {
            acknowledgement.await.expect("acknowledged");
        }
    });
}

#[test]
fn retained_messages_are_kept_and_cleared() {
    everywhere(async |scenario| {
        let client = connect(scenario, "retainer").await;
        let kept = message("a", "kept").qos(QoS::AtLeastOnce).retained();
        client.publish(kept).await.expect("taken");
        let mut stream = client.subscribe("a").await.expect("granted");
        let delivery = next(&mut stream).await;
        assert!(delivery.message.retain && &delivery.message.payload[..] == b"kept", "{delivery:?}");
        client.publish(message("a", "").qos(QoS::AtLeastOnce).retained()).await.expect("taken");
        assert_eq!(next_text(&mut stream).await.1, "");
        let late = connect(scenario, "late").await;
        let mut stream = late.subscribe("a").await.expect("granted");
        client.publish(message("a", "passing").qos(QoS::AtLeastOnce)).await.expect("taken");
        assert_eq!(next_text(&mut stream).await.1, "passing");
    });
}

#[test]
fn a_will_is_published_when_the_client_asks_for_it_or_vanishes() {
    everywhere(async |scenario| {
        let watcher = connect(scenario, "watcher").await;
        let mut stream = watcher.subscribe(subscribe("gone", QoS::AtLeastOnce)).await.expect("granted");
        let will = Will {
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: TopicName::owned("gone").expect("a legal topic"),
            payload: "mortal is gone".into(),
            properties: Properties::NONE,
        };
        let proxy = dunlin_tests::Proxy::to(scenario.address());
        let mortal = crate::support::to(proxy.address(), scenario.version, "mortal").will(will.clone());
        let client = Client::connect(mortal).await.expect("accepted");
        proxy.interrupt();
        assert_eq!(next_text(&mut stream).await.1, "mortal is gone");
        drop(client);
        // A good-bye keeps it to itself; the second one would come first.
        let client = Client::connect(options(scenario, "second").will(will)).await.expect("accepted");
        client.disconnect().await.expect("nothing is left");
        watcher.publish(message("gone", "no will").qos(QoS::AtLeastOnce)).await.expect("taken");
        assert_eq!(next_text(&mut stream).await.1, "no will");
    });
}

#[test]
fn properties_arrive_as_they_were_sent() {
    in_versions(&[V5], &[], async |scenario| {
        let client = connect(scenario, "both").await;
        let mut stream = client.subscribe("a").await.expect("granted");
        let properties = [
            Property::ContentType("text/plain"),
            Property::UserProperty("b", "2"),
            Property::UserProperty("a", "1"),
            Property::UserProperty("b", "1"),
            Property::CorrelationData(&[0, 255]),
        ];
        let properties = Properties::new(PropertyOwner::Publish, properties).expect("legal");
        client.publish(message("a", "x").properties(properties)).await.expect("taken");
        let received = next(&mut stream).await.message.properties;
        assert_eq!(received.content_type(), Some("text/plain"));
        assert_eq!(received.correlation_data(), Some(&[0, 255][..]));
        assert_eq!(received.user_properties().collect::<Vec<_>>(), [("b", "2"), ("a", "1"), ("b", "1")]);
    });
}

#[test]
fn a_requester_gets_its_own_responses() {
    in_versions(&[V5], &[], async |scenario| {
        let responder = connect(scenario, "responder").await;
        let mut requests = responder.subscribe("service").await.expect("granted");
        let requester = connect(scenario, "requester").await;
        let topic = TopicName::owned("answers/requester").expect("a legal topic");
        let mut exchange = requester.requester(topic).await.expect("granted");
        for question in ["first", "second"] {
            let answering = async {
                let request = next(&mut requests).await.message;
                let topic = request.properties.response_topic().expect("where to").to_owned();
                let correlation = request.properties.correlation_data().expect("which").to_vec();
                // Somebody else's answer comes first and is not taken for it.
                for (correlation, text) in [(&b"other"[..], "wrong"), (&correlation, "right")] {
                    let properties = [Property::CorrelationData(correlation)];
                    let properties = Properties::new(PropertyOwner::Publish, properties).expect("legal");
                    let answer = Message::to(topic.clone(), format!("{text} answer to {question}"));
                    responder.publish(answer.properties(properties)).await.expect("taken");
                }
            };
            let (response, ()) = tokio::join!(exchange.request(message("service", question)), answering);
            let payload = response.expect("an answer").message.payload;
            assert_eq!(&payload[..], format!("right answer to {question}").as_bytes());
        }
    });
}

#[test]
fn a_client_of_mqtt_3_1_exchanges_messages() {
    in_versions(&[V31], &[], async |scenario| {
        let client = connect(scenario, "old").await;
        let mut stream = client.subscribe(subscribe("a", QoS::ExactlyOnce)).await.expect("granted");
        for qos in ALL {
            client.publish(message("a", "x").qos(qos)).await.expect("taken");
            assert_eq!(next(&mut stream).await.message.qos, qos);
        }
        client.disconnect().await.expect("nothing is left");
    });
}
