//! rumqttc, another client for Rust, against mqttd: the same scenarios over its API for 3.1.1 and its API for 5.0.

use dunlin_tests::{Broker, PATIENCE, at_once};
use std::collections::BTreeSet;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

/// What a peer's event loop tells.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Connected {
        session_present: bool,
    },
    Subscribed,
    /// PUBACK or PUBCOMP.
    Acknowledged,
    Message {
        topic: String,
        payload: String,
        qos: u8,
        retain: bool,
    },
}

/// How a peer connects.
#[derive(Clone, Copy, Default)]
struct Terms {
    lasting: bool,
    will_qos: Option<u8>,
}

/// Plays a scenario with brokers of one and of several workers.
fn everywhere(scenario: impl AsyncFn(&Broker) + Sync) {
    at_once(&[((), "rumqttc".to_owned())], |workers, ()| {
        let broker = Broker::with(workers, &[]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { timeout(2 * PATIENCE, scenario(&broker)).await }).expect("it ends in time");
    });
}

fn message(topic: &str, payload: &str, qos: u8, retain: bool) -> Told {
    Told::Message { topic: topic.to_owned(), payload: payload.to_owned(), qos, retain }
}

/// The scenarios over one of the two APIs, which differ in their types but hardly in their names.
macro_rules! scenarios {
    ($version:ident { $($import:item)* } topic: $topic:expr, lasting: $lasting:expr, will: $will:expr) => {
        mod $version {
            use super::*;
            $($import)*

            struct Peer {
                client: AsyncClient,
                told: mpsc::Receiver<Told>,
                events: JoinHandle<()>,
            }

            fn qos(number: u8) -> QoS {
                [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][usize::from(number)]
            }

            impl Peer {
                async fn connect(broker: &Broker, client_id: &str) -> Self {
                    let (peer, session_present) = Self::connect_with(broker, client_id, Terms::default()).await;
                    assert!(!session_present);
                    peer
                }

                async fn connect_with(broker: &Broker, client_id: &str, terms: Terms) -> (Self, bool) {
                    let mut options = MqttOptions::new(client_id, "127.0.0.1", broker.address().port());
                    $lasting(&mut options, terms.lasting);
                    if let Some(will_qos) = terms.will_qos {
                        options.set_last_will($will(format!("gone/{will_qos}"), qos(will_qos)));
                    }
                    let (client, mut event_loop) = AsyncClient::new(options, 100);
                    let (sender, told) = mpsc::channel(10_000);
                    let events = tokio::spawn(async move {
                        while let Ok(event) = event_loop.poll().await {
                            let told = match event {
                                Event::Incoming(Packet::ConnAck(connack)) => {
                                    Told::Connected { session_present: connack.session_present }
                                }
                                Event::Incoming(Packet::SubAck(_)) => Told::Subscribed,
                                Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => Told::Acknowledged,
                                Event::Incoming(Packet::Publish(publish)) => Told::Message {
                                    topic: $topic(&publish.topic),
                                    payload: String::from_utf8_lossy(&publish.payload).into_owned(),
                                    qos: publish.qos as u8,
                                    retain: publish.retain,
                                },
                                Event::Incoming(_) | Event::Outgoing(_) => continue,
                            };
                            if sender.send(told).await.is_err() {
                                return;
                            }
                        }
                    });
                    let mut peer = Self { client, told, events };
                    match peer.next().await {
                        Told::Connected { session_present } => (peer, session_present),
                        other => panic!("expected to be connected, not {other:?}"),
                    }
                }

                async fn next(&mut self) -> Told {
                    timeout(PATIENCE, self.told.recv()).await.expect("something comes in time").expect("it goes on")
                }

                async fn subscribe(&mut self, filter: &str, number: u8) {
                    self.client.subscribe(filter, qos(number)).await.expect("it goes on");
                    assert_eq!(self.next().await, Told::Subscribed);
                }

                async fn publish(&mut self, topic: &str, number: u8, retain: bool, payload: &str) {
                    let payload = payload.to_owned();
                    self.client.publish(topic, qos(number), retain, payload).await.expect("it goes on");
                    if number > 0 {
                        assert_eq!(self.next().await, Told::Acknowledged);
                    }
                }

                /// Says good-bye; the event loop ends with the connection.
                async fn leave(self) {
                    self.client.disconnect().await.expect("it goes on");
                    timeout(PATIENCE, self.events).await.expect("it ends in time").expect("it ends well");
                }

                /// Loses the connection without a good-bye.
                fn vanish(self) {
                    self.events.abort();
                }
            }

            #[test]
            fn messages_of_every_qos_are_exchanged() {
                everywhere(async |broker| {
                    let mut subscriber = Peer::connect(broker, "subscriber").await;
                    let mut publisher = Peer::connect(broker, "publisher").await;
                    for granted in 0..3 {
                        subscriber.subscribe(&format!("a/{granted}/+"), granted).await;
                        let topic = format!("a/{granted}/b");
                        for number in 0..30 {
                            publisher.publish(&topic, number % 3, false, &number.to_string()).await;
                        }
                        for number in 0..30 {
                            let expected = message(&topic, &number.to_string(), granted.min(number % 3), false);
                            assert_eq!(subscriber.next().await, expected);
                        }
                    }
                    publisher.leave().await;
                    subscriber.leave().await;
                });
            }

            #[test]
            fn retained_messages_are_kept_and_cleared() {
                everywhere(async |broker| {
                    let mut publisher = Peer::connect(broker, "publisher").await;
                    publisher.publish("kept", 1, true, "former").await;
                    publisher.publish("kept", 2, true, "latest").await;
                    let mut subscriber = Peer::connect(broker, "subscriber").await;
                    subscriber.subscribe("#", 2).await;
                    assert_eq!(subscriber.next().await, message("kept", "latest", 2, true));
                    publisher.publish("kept", 1, true, "").await;
                    assert_eq!(subscriber.next().await, message("kept", "", 1, false));
                    let mut late = Peer::connect(broker, "late").await;
                    late.subscribe("#", 1).await;
                    publisher.publish("passing", 1, false, "x").await;
                    assert_eq!(late.next().await, message("passing", "x", 1, false));
                });
            }

            #[test]
            fn wills_are_published() {
                everywhere(async |broker| {
                    let mut watcher = Peer::connect(broker, "watcher").await;
                    watcher.subscribe("gone/#", 2).await;
                    for number in 0..3 {
                        let terms = Terms { will_qos: Some(number), ..Terms::default() };
                        Peer::connect_with(broker, "mortal", terms).await.0.vanish();
                        let expected = message(&format!("gone/{number}"), "dead", number, false);
                        assert_eq!(watcher.next().await, expected);
                    }
                    let terms = Terms { will_qos: Some(1), ..Terms::default() };
                    Peer::connect_with(broker, "polite", terms).await.0.leave().await;
                    Peer::connect(broker, "publisher").await.publish("gone/end", 1, false, "").await;
                    assert_eq!(watcher.next().await, message("gone/end", "", 1, false));
                });
            }

            #[test]
            fn a_subscription_is_shared() {
                everywhere(async |broker| {
                    let mut members =
                        [Peer::connect(broker, "first").await, Peer::connect(broker, "second").await];
                    for member in &mut members {
                        member.subscribe("$share/group/a", 1).await;
                    }
                    let mut publisher = Peer::connect(broker, "publisher").await;
                    for number in 0..20 {
                        publisher.publish("a", 1, false, &number.to_string()).await;
                    }
                    let mut received = BTreeSet::new();
                    for member in &mut members {
                        for _ in 0..10 {
                            let Told::Message { payload, .. } = member.next().await else { panic!("a message") };
                            received.insert(payload);
                        }
                    }
                    assert_eq!(received.len(), 20, "{received:?}");
                });
            }

            #[test]
            fn a_session_is_continued() {
                everywhere(async |broker| {
                    let lasting = Terms { lasting: true, ..Terms::default() };
                    let (mut subscriber, session_present) = Peer::connect_with(broker, "lasting", lasting).await;
                    assert!(!session_present);
                    subscriber.subscribe("a", 2).await;
                    subscriber.leave().await;
                    let mut publisher = Peer::connect(broker, "publisher").await;
                    for number in 0..10 {
                        publisher.publish("a", 1 + number % 2, false, &number.to_string()).await;
                    }
                    let (mut subscriber, session_present) = Peer::connect_with(broker, "lasting", lasting).await;
                    assert!(session_present);
                    for number in 0..10 {
                        let expected = message("a", &number.to_string(), 1 + number % 2, false);
                        assert_eq!(subscriber.next().await, expected);
                    }
                });
            }
        }
    };
}

scenarios! {
    v4 {
        use rumqttc::{AsyncClient, Event, LastWill, MqttOptions, Packet, QoS};
    }
    topic: |topic: &String| topic.clone(),
    lasting: |options: &mut MqttOptions, lasting: bool| {
        options.set_clean_session(!lasting);
    },
    will: |topic: String, qos: QoS| LastWill::new(topic, "dead", qos, false)
}

scenarios! {
    v5 {
        use rumqttc::v5::{
            AsyncClient, Event, MqttOptions,
            mqttbytes::{QoS, v5::{LastWill, Packet}},
        };
    }
    topic: |topic: &bytes::Bytes| String::from_utf8_lossy(topic).into_owned(),
    lasting: |options: &mut MqttOptions, lasting: bool| {
        options.set_clean_start(!lasting);
        options.set_session_expiry_interval(lasting.then_some(60));
    },
    will: |topic: String, qos: QoS| LastWill::new(topic, "dead", qos, false, None)
}
