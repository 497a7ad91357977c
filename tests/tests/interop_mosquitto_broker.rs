//! The client library and mqttctl against mosquitto, in each version.

use dunlin_client::{
    Backoff, Client, Delivery, Event, Message, Options, Properties, QoS, ReasonCode, Reconnect, Subscribe,
    TopicName, Will,
};
use dunlin_tests::{Finished, Mosquitto, PATIENCE, Program, Proxy, binary, need};
use mqtt_codec::ProtocolVersion::{self, V5, V31, V311};
use std::{collections::BTreeSet, net::SocketAddr, process::Command, time::Duration};

const ALL: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime
        .block_on(async { tokio::time::timeout(2 * PATIENCE, test).await })
        .expect("the test ends in time");
}

fn options(address: SocketAddr, version: ProtocolVersion, client_id: &str) -> Options {
    let soon = Duration::from_millis(20);
    Options::to(address.ip().to_string(), address.port())
        .version(version)
        .client_id(client_id)
        .reconnect(Reconnect::Backoff(Backoff { initial: soon, maximum: soon, attempts_max: None }))
}

async fn connect(address: SocketAddr, version: ProtocolVersion, client_id: &str) -> Client {
    Client::connect(options(address, version, client_id)).await.expect("mosquitto accepts")
}

fn message(topic: &str, payload: &str, qos: QoS) -> Message {
    Message::new(topic, payload.to_owned()).expect("a legal topic").qos(qos)
}

fn subscribe(filter: &str) -> Subscribe {
    Subscribe::new(filter).expect("a legal filter").qos(QoS::ExactlyOnce)
}

#[test]
fn the_client_exchanges_messages_of_every_qos() {
    let mosquitto = need!(Mosquitto::start(""), "mosquitto");
    for version in [V31, V311, V5] {
        run(async {
            let client = connect(mosquitto.address(), version, "both").await;
            let mut stream = client.subscribe(subscribe("a/+")).await.expect("granted");
            assert_eq!(stream.granted(), [ReasonCode::GrantedQoS2]);
            // Order holds among messages of one QoS.
            for qos in ALL {
                for number in 0..20 {
                    client.publish(message("a/b", &number.to_string(), qos)).await.expect("taken");
                }
                for number in 0..20 {
                    let delivery = stream.next().await.expect("the stream goes on");
                    assert_eq!(delivery.message.qos, qos);
                    assert_eq!(&delivery.message.payload[..], number.to_string().as_bytes());
                }
            }
            stream.unsubscribe().await.expect("it was there");
            client.disconnect().await.expect("nothing is left");
        });
    }
}

#[test]
fn the_client_retains_and_leaves_its_will() {
    let mosquitto = need!(Mosquitto::start(""), "mosquitto");
    for version in [V31, V311, V5] {
        run(async {
            let proxy = Proxy::to(mosquitto.address());
            let will = Will {
                qos: QoS::AtLeastOnce,
                retain: true,
                topic: TopicName::owned("gone").expect("legal"),
                payload: "mortal".into(),
                properties: Properties::NONE,
            };
            let watcher = connect(mosquitto.address(), version, "watcher").await;
            let mut stream = watcher.subscribe(subscribe("gone")).await.expect("granted");
            let mortal = options(proxy.address(), version, "mortal").will(will);
            let mortal = Client::connect(mortal).await.expect("accepted");
            proxy.interrupt();
            let delivery = stream.next().await.expect("the stream goes on");
            assert_eq!((&delivery.message.payload[..], delivery.message.retain), (&b"mortal"[..], false));
            drop(mortal);
            let late = connect(mosquitto.address(), version, "late").await;
            let mut stream = late.subscribe(subscribe("gone")).await.expect("granted");
            assert!(stream.next().await.expect("the stream goes on").message.retain);
            late.publish(message("gone", "", QoS::AtLeastOnce).retained()).await.expect("taken");
        });
    }
}

#[test]
fn the_client_resumes_its_session() {
    let mosquitto = need!(Mosquitto::start(""), "mosquitto");
    for version in [V31, V311, V5] {
        run(async {
            let proxy = Proxy::to(mosquitto.address());
            let client_id = format!("lasting {version:?}");
            let lasting = options(proxy.address(), version, &client_id).resume_session(60);
            let client = Client::connect(lasting).await.expect("accepted");
            let mut events = client.events();
            let mut stream = client.subscribe(subscribe("a")).await.expect("granted");
            let publisher = connect(mosquitto.address(), version, "publisher").await;
            for round in 0..5 {
                proxy.interrupt();
                while !matches!(events.next().await, Some(Event::Disconnected(_))) {}
                for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
                    publisher.publish(message("a", &format!("{round} {qos:?}"), qos)).await.expect("taken");
                }
                proxy.restore();
                let mut missing = BTreeSet::from(
                    [QoS::AtLeastOnce, QoS::ExactlyOnce].map(|qos| format!("{round} {qos:?}")),
                );
                while !missing.is_empty() {
                    let Delivery { message, dup, .. } = stream.next().await.expect("the stream goes on");
                    let payload = String::from_utf8_lossy(&message.payload).into_owned();
                    let is_new = missing.remove(&payload);
                    // What was acknowledged just before the cut may come again at QoS 1 alone.
                    assert!(is_new || dup && message.qos == QoS::AtLeastOnce, "{payload} came again");
                }
            }
        });
    }
}

#[test]
fn clients_share_a_subscription() {
    let mosquitto = need!(Mosquitto::start(""), "mosquitto");
    for version in [V311, V5] {
        run(async {
            let clients = [
                connect(mosquitto.address(), version, "first").await,
                connect(mosquitto.address(), version, "second").await,
            ];
            let share = || subscribe("$share/group/a");
            let mut one = clients[0].subscribe(share()).await.expect("granted");
            let mut two = clients[1].subscribe(share()).await.expect("granted");
            for number in 0..10 {
                let message = message("a", &number.to_string(), QoS::AtLeastOnce);
                clients[0].publish(message).await.expect("taken");
            }
            let mut received = BTreeSet::new();
            while received.len() < 10 {
                let delivery =
                    tokio::select! { delivery = one.next() => delivery, delivery = two.next() => delivery };
                assert!(received.insert(delivery.expect("the streams go on").message.payload), "twice");
            }
        });
    }
}

/// mosquitto's own limits, which it announces in 5.0.
#[test]
fn the_client_keeps_within_what_mosquitto_announces() {
    let settings = "max_inflight_messages 3\nmax_packet_size 1000\nmax_topic_alias 4\n";
    let mosquitto = need!(Mosquitto::start(settings), "mosquitto");
    run(async {
        let aliases = Options {
            outbound_topic_alias_maximum: 10,
            topic_alias_maximum: 10,
            ..options(mosquitto.address(), V5, "limited")
        };
        let client = Client::connect(aliases).await.expect("accepted");
        let mut stream = client.subscribe(subscribe("a/#")).await.expect("granted");
        let mut acknowledgements = Vec::new();
        for number in 0..200 {
            let message = message(&format!("a/{}", number % 6), &number.to_string(), ALL[1 + number % 2]);
            acknowledgements.push(client.publish_queued(message).await.expect("there is room"));
        }
        let mut received = BTreeSet::new();
        while received.len() < 200 {
            let delivery = stream.next().await.expect("the stream goes on").message;
            let text = String::from_utf8_lossy(&delivery.payload).into_owned();
            let number: usize = text.parse().expect("a number");
            assert_eq!(delivery.topic.as_str(), format!("a/{}", number % 6));
            received.insert(number);
        }
        for acknowledgement in acknowledgements {
            acknowledgement.await.expect("acknowledged");
        }
        let large = message("a/0", &"x".repeat(1000), QoS::AtLeastOnce);
        assert!(matches!(
            client.publish(large).await,
            Err(dunlin_client::PublishError::PacketTooLarge { .. })
        ));
    });
}

fn mqttctl(mosquitto: &Mosquitto, words: &str) -> Command {
    let (name, rest) = words.split_once(' ').expect("a command and its words");
    let mut command = Command::new(binary("mqttctl"));
    command.args([name, "-h", "127.0.0.1", "-p", &mosquitto.port()]).args(rest.split_whitespace());
    command
}

#[test]
fn mqttctl_exchanges_messages_of_every_qos() {
    let mosquitto = need!(Mosquitto::start(""), "mosquitto");
    for version in ["31", "311", "5"] {
        let mut command =
            mqttctl(&mosquitto, &format!("sub -d -V {version} -i sub -t a/# -q 2 -C 3 -F %t:%q:%p"));
        let subscriber = Program::start(&mut command);
        subscriber.await_error("received SUBACK");
        for qos in 0..3 {
            let words = format!("pub -V {version} -i pub -t a/b -q {qos} -m hello");
            Finished::from(&mut mqttctl(&mosquitto, &words)).success();
        }
        assert_eq!(subscriber.finish().success(), ["a/b:0:hello", "a/b:1:hello", "a/b:2:hello"], "{version}");
    }
}

#[test]
fn mqttctl_retains_clears_and_asks() {
    let mosquitto = need!(Mosquitto::start(""), "mosquitto");
    Finished::from(&mut mqttctl(&mosquitto, "pub -t kept -r -q 1 -m one")).success();
    let mut command = mqttctl(&mosquitto, "sub -t # -v -C 1 --remove-retained");
    assert_eq!(Finished::from(&mut command).success(), ["kept one"]);
    assert_eq!(Finished::from(&mut mqttctl(&mosquitto, "sub -t # -W 1")).code, Some(27));
    run(async {
        let client = connect(mosquitto.address(), V5, "responder").await;
        let mut requests = client.subscribe(subscribe("ask")).await.expect("granted");
        let asking = Program::start(&mut mqttctl(&mosquitto, "rr -t ask -e answer -m now -q 1"));
        let request = requests.next().await.expect("a request").message;
        let topic = request.properties.response_topic().expect("where to").to_owned();
        let correlation = request.properties.correlation_data().expect("which");
        let properties = [dunlin_client::Property::CorrelationData(correlation)];
        let properties = Properties::new(dunlin_client::PropertyOwner::Publish, properties).expect("legal");
        client.publish(Message::to(topic, "noon").properties(properties)).await.expect("taken");
        assert_eq!(asking.finish().success(), ["noon"]);
    });
}

#[test]
fn mqttctl_tells_what_mosquitto_refuses() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let passwords = folder.path().join("passwords");
    std::fs::write(&passwords, "").expect("a writable directory");
    let settings = format!("allow_anonymous false\npassword_file {}\n", passwords.display());
    let mosquitto = need!(Mosquitto::start_with(&settings), "mosquitto");
    for (version, code) in [("311", 5), ("5", 0x87)] {
        let finished = Finished::from(&mut mqttctl(&mosquitto, &format!("pub -V {version} -t a -m x")));
        assert_eq!(finished.code, Some(code), "{finished:?}");
    }
}
