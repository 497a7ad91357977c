//! Owns the tests of lost connections: resumed sessions, repeated subscriptions, queued publications, events. A proxy
//! cuts, since the broker keeps its sessions in memory.

use crate::support::{connect, everywhere, in_versions, next_text, to};
use dunlin_client::{
    Client, Connector, Event, Events, Message, Options, QoS, Reconnect, Subscribe, SubscribeError,
};
use dunlin_tests::{Proxy, Scenario};
use mqtt_codec::ProtocolVersion::V5;
use std::{collections::BTreeMap, time::Duration};

fn message(payload: &str) -> Message {
    Message::new("a", payload.to_owned()).expect("a legal topic").qos(QoS::AtLeastOnce)
}

fn subscribe(qos: QoS) -> Subscribe {
    Subscribe::new("a").expect("a legal filter").qos(qos)
}

/// A client behind a proxy.
fn through(proxy: &Proxy, scenario: &Scenario, client_id: &str) -> Options {
    to(proxy.address(), scenario.version, client_id)
}

async fn event(events: &mut Events, is_awaited: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = events.next().await.expect("the client goes on");
        if is_awaited(&event) {
            return event;
        }
    }
}

#[test]
fn a_session_is_resumed_and_what_waited_in_it_arrives() {
    everywhere(async |scenario| {
        let proxy = Proxy::to(scenario.address());
        let options = through(&proxy, scenario, "lasting").resume_session(u32::MAX);
        let client = Client::connect(options).await.expect("accepted");
        let mut events = client.events();
        let mut stream = client.subscribe(subscribe(QoS::AtLeastOnce)).await.expect("granted");
        let publisher = connect(scenario, "publisher").await;
        proxy.interrupt();
        event(&mut events, |event| matches!(event, Event::Disconnected(_))).await;
        publisher.publish(message("while away")).await.expect("taken");
        proxy.restore();
        match event(&mut events, |event| matches!(event, Event::Connected(_))).await {
            Event::Connected(connected) => assert!(connected.session_present),
            other => panic!("{other:?}"),
        }
        assert_eq!(next_text(&mut stream).await.1, "while away");
        publisher.publish(message("back")).await.expect("taken");
        assert_eq!(next_text(&mut stream).await.1, "back");
    });
}

#[test]
fn a_forgotten_session_is_subscribed_again() {
    everywhere(async |scenario| {
        let proxy = Proxy::to(scenario.address());
        let client = Client::connect(through(&proxy, scenario, "forgotten")).await.expect("accepted");
        let mut events = client.events();
        let mut stream = client.subscribe(subscribe(QoS::AtLeastOnce)).await.expect("granted");
        let publisher = connect(scenario, "publisher").await;
        for round in 0..3 {
            proxy.cut();
            let resubscribed = event(&mut events, |event| matches!(event, Event::Resubscribed(_))).await;
            let Event::Resubscribed(filters) = resubscribed else { unreachable!("just matched") };
            let filters: Vec<_> =
                filters.iter().map(|(filter, reason)| (filter.as_str(), reason.is_error())).collect();
            assert_eq!(filters, [("a", false)]);
            publisher.publish(message(&round.to_string())).await.expect("taken");
            assert_eq!(next_text(&mut stream).await.1, round.to_string());
        }
    });
}

#[test]
fn publications_wait_for_the_next_connection() {
    everywhere(async |scenario| {
        let watcher = connect(scenario, "watcher").await;
        let mut stream = watcher.subscribe(subscribe(QoS::ExactlyOnce)).await.expect("granted");
        let proxy = Proxy::to(scenario.address());
        let options = through(&proxy, scenario, "publisher").resume_session(u32::MAX);
        let client = Client::connect(options).await.expect("accepted");
        let mut events = client.events();
        proxy.interrupt();
        event(&mut events, |event| matches!(event, Event::Disconnected(_))).await;
        let mut acknowledgements = Vec::new();
        for number in 0..10 {
            let qos = if number % 2 == 0 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
            let queued = client.publish_queued(message(&number.to_string()).qos(qos)).await;
            acknowledgements.push(queued.expect("there is room"));
        }
        proxy.restore();
        for acknowledgement in acknowledgements {
            acknowledgement.await.expect("acknowledged at last");
        }
        for number in 0..10 {
            assert_eq!(next_text(&mut stream).await.1, number.to_string());
        }
    });
}

/// Cut again and again in the middle of handshakes: QoS 1 arrives at least once and QoS 2 exactly once, in order.
#[test]
fn nothing_is_lost_and_qos_2_arrives_once_over_many_cuts() {
    const COUNT: usize = 600;
    everywhere(async |scenario| {
        let (towards, back) = (Proxy::to(scenario.address()), Proxy::to(scenario.address()));
        let publisher = through(&towards, scenario, "publisher").resume_session(u32::MAX);
        let publisher = Client::connect(publisher).await.expect("accepted");
        let subscriber = through(&back, scenario, "subscriber").resume_session(u32::MAX);
        let subscriber = Client::connect(subscriber).await.expect("accepted");
        let mut stream = subscriber.subscribe(subscribe(QoS::ExactlyOnce)).await.expect("granted");
        let publishing = async {
            let mut acknowledgements = Vec::new();
            for number in 0..COUNT {
                let qos = if number % 2 == 0 { QoS::ExactlyOnce } else { QoS::AtLeastOnce };
                let message = message(&number.to_string()).qos(qos);
                acknowledgements.push(publisher.publish_queued(message).await.expect("there is room"));
                if number % 100 == 50 {
                    towards.cut();
                }
                if number % 100 == 99 {
                    // Lets the handshakes begin that the next cut interrupts.
                    acknowledgements
                        .drain(..50)
                        .next()
                        .expect("a hundred are there")
                        .await
                        .expect("acknowledged");
                }
            }
            for acknowledgement in acknowledgements {
                acknowledgement.await.expect("acknowledged");
            }
        };
        let receiving = async {
            let mut received: BTreeMap<usize, usize> = BTreeMap::new();
            let mut latest = None;
            while received.len() < COUNT {
                let number = next_text(&mut stream).await.1.parse().expect("a number");
                let times = received.entry(number).or_default();
                *times += 1;
                if *times == 1 {
                    assert!(latest < Some(number), "{number} after {latest:?}");
                    latest = Some(number);
                    if number % 150 == 75 {
                        back.cut();
                    }
                }
            }
            let repeated: Vec<_> =
                received.iter().filter(|&(number, &times)| number % 2 == 0 && times > 1).collect();
            assert!(repeated.is_empty(), "arrived more than once at QoS 2: {repeated:?}");
        };
        tokio::join!(publishing, receiving);
    });
}

#[test]
fn events_tell_the_story_of_a_connection() {
    everywhere(async |scenario| {
        let proxy = Proxy::to(scenario.address());
        let connector = Connector::new(through(&proxy, scenario, "eventful"));
        let mut events = connector.events();
        let client = connector.connect().await.expect("accepted");
        let Some(Event::Connected(connected)) = events.next().await else { panic!("it begins connected") };
        assert_eq!(connected.client_id, "eventful");
        proxy.cut();
        assert!(matches!(events.next().await, Some(Event::Disconnected(_))));
        assert!(matches!(events.next().await, Some(Event::Reconnecting { attempt: 1, .. })));
        assert!(matches!(events.next().await, Some(Event::Connected(_))));
        client.disconnect().await.expect("nothing is left");
        assert_eq!(events.next().await, Some(Event::Closed(None)));
        assert_eq!(events.next().await, None);
    });
}

#[test]
fn a_client_that_is_not_to_reconnect_ends_with_its_connection() {
    everywhere(async |scenario| {
        let proxy = Proxy::to(scenario.address());
        let options = through(&proxy, scenario, "once").reconnect(Reconnect::Never);
        let client = Client::connect(options).await.expect("accepted");
        let mut stream = client.subscribe("a").await.expect("granted");
        proxy.cut();
        assert!(stream.next().await.is_none());
        assert!(matches!(client.subscribe("b").await, Err(SubscribeError::Closed)));
    });
}

/// Keep Alive finds out what the network does not tell.
#[test]
fn a_takeover_is_not_fought() {
    in_versions(&[V5], &[], async |scenario| {
        let first = connect(scenario, "same").await;
        let mut events = first.events();
        let second = connect(scenario, "same").await;
        let closed = event(&mut events, |event| matches!(event, Event::Closed(_))).await;
        let reason = match closed {
            Event::Closed(Some(dunlin_client::ConnectionError::DisconnectedByServer { reason, .. })) => {
                reason
            }
            other => panic!("expected the server's reason: {other:?}"),
        };
        assert_eq!(reason, dunlin_client::ReasonCode::SessionTakenOver);
        second.publish(message("still there")).await.expect("taken");
    });
}

/// An idle client is kept alive by its own pings.
#[test]
fn an_idle_client_stays_connected() {
    everywhere(async |scenario| {
        let options = crate::support::options(scenario, "idle").keep_alive_seconds(1);
        let client = Client::connect(options).await.expect("accepted");
        let mut events = client.events();
        let ended = tokio::time::timeout(Duration::from_millis(3_200), events.next()).await;
        assert!(ended.is_err(), "{ended:?}");
        client.publish(message("alive")).await.expect("taken");
    });
}
