//! Owns the tests of `mqttctl pub`: where payloads come from and how they are published. Line mode is in `lines`.

use crate::support::{VERSIONS, mqttctl, run, subscriber, to};
use dunlin_tests::{Broker, Finished, Program};
use mqtt_codec::{ProtocolVersion::V5, QoS};

#[test]
fn each_version_publishes_at_each_qos() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("a/b", QoS::ExactlyOnce);
    for version in VERSIONS {
        for qos in 0..3 {
            run(&broker, "pub", &format!("-i ctl -V {version} -t a/b -q {qos} -m {version}.{qos}")).success();
            let publish = wire.receive();
            assert_eq!(publish.delivery.qos().bits(), qos);
            assert_eq!(&publish.payload[..], format!("{version}.{qos}").as_bytes());
        }
    }
}

#[test]
fn a_payload_comes_from_an_argument_a_file_standard_input_or_nowhere() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("a", QoS::AtLeastOnce);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("payload");
    std::fs::write(&file, b"from\0a\nfile\n").expect("a writable directory");
    let mut command = to(&broker, "pub", "-t a -q 1 -m");
    Finished::from(command.arg("two words")).success();
    let mut command = to(&broker, "pub", "-t a -q 1 -f");
    Finished::from(command.arg(&file)).success();
    run(&broker, "pub", "-t a -q 1 -n").success();
    let mut standard_input = Program::start(&mut to(&broker, "pub", "-t a -q 1 -s"));
    standard_input.write(b"all\nof\nit\n");
    standard_input.finish().success();
    for expected in [&b"two words"[..], b"from\0a\nfile\n", b"", b"all\nof\nit\n"] {
        assert_eq!(&wire.receive().payload[..], expected);
    }
}

#[test]
fn a_retained_message_is_retained() {
    let broker = Broker::start();
    run(&broker, "pub", "-t a -r -m kept").success();
    let mut wire = broker.connect(V5, "late");
    wire.subscribe("a", QoS::AtMostOnce);
    assert!(wire.receive().retain);
    run(&broker, "pub", "-t a -r -n").success();
    let mut wire = broker.connect(V5, "later");
    wire.subscribe("a", QoS::AtMostOnce);
    wire.ping();
}

#[test]
fn properties_are_sent() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("a", QoS::AtMostOnce);
    let words = "-t a -m x -D publish user-property name value -D publish content-type text/plain \
                 -D publish response-topic answers -D publish correlation-data id \
                 -D publish message-expiry-interval 100 -D publish payload-format-indicator 1 \
                 -D publish user-property name again";
    run(&broker, "pub", words).success();
    wire.expect(
        "30 # 'a' (26 'name' 'value' 03 'text/plain' 08 'answers' 09 0002 <id> 02 00000064 01 01 26 'name' 'again') <x>",
    );
}

#[test]
fn a_message_may_be_repeated() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("a", QoS::AtLeastOnce);
    run(&broker, "pub", "-t a -q 1 -m again --repeat 3 --repeat-delay 0.05").success();
    for _ in 0..3 {
        wire.expect_message("a", "again");
    }
    wire.ping();
}

#[test]
fn a_will_is_sent_and_kept_back_by_a_good_end() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("#", QoS::AtLeastOnce);
    let will = "--will-topic gone --will-payload dead --will-qos 1 --will-retain";
    run(&broker, "pub", &format!("-t a -m good {will}")).success();
    wire.expect_message("a", "good");
    let doomed = subscriber(&broker, &format!("-t nothing {will}"));
    doomed.signal("KILL");
    let publish = wire.receive();
    assert_eq!((publish.delivery.qos(), &publish.payload[..]), (QoS::AtLeastOnce, &b"dead"[..]));
}

/// Server, credentials and topic in one.
#[test]
fn a_url_says_where_to() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("#", QoS::AtMostOnce);
    for words in [
        format!("pub -m x mqtt://127.0.0.1:{}/from/url", broker.port()),
        format!("pub -m x -L mqtt://user:pass%20word@127.0.0.1:{}/from/url", broker.port()),
        format!("pub -m x --url mqtt://wrong.invalid:1/wrong -h 127.0.0.1 -p {} -t from/url", broker.port()),
    ] {
        Finished::from(&mut mqttctl(&words)).success();
        wire.expect_message("from/url", "x");
    }
}

#[test]
fn a_message_the_broker_refuses_is_a_failure() {
    let broker = Broker::with(1, &[("limits.topic_levels_max", "2")]);
    let finished = run(&broker, "pub", "-V 5 -q 1 -t a/b/c -m x");
    assert_ne!(finished.code, Some(0), "{finished:?}");
    assert!(finished.errors.to_lowercase().contains("topic name invalid"), "{finished:?}");
}
