//! Owns the tests of how mqttctl ends: exit codes, signals, broken pipes, limits of count and time.

use crate::support::{mqttctl, run, subscribed, subscriber, to};
use dunlin_tests::{Broker, Finished, Program, Proxy};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce},
};
use std::process::{Command, Stdio};

#[test]
fn exit_codes_are_those_that_scripts_know() {
    let broker = Broker::with(1, &[("limits.sessions_max", "1")]);
    let address = broker.port();
    let check = |words: &str, expected: i32| {
        let finished = Finished::from(&mut mqttctl(words));
        assert_eq!(finished.code, Some(expected), "{words}: {finished:?}");
        assert_eq!(finished.errors.is_empty(), expected == 0, "{words}: {finished:?}");
    };
    check("--help", 0);
    check("--version", 0);
    check(&format!("pub -h 127.0.0.1 -p {address} -t a -m x"), 0);
    check(&format!("sub -h 127.0.0.1 -p {address} -t a -E"), 0);
    check(&format!("sub -h 127.0.0.1 -p {address} -t a -W 1"), 27);
    // Wrong usage, an unreadable file, nobody there.
    check("pub -m x", 1);
    check("pub -t a/# -m x", 1);
    check("pub -t a", 1);
    check(&format!("pub -h 127.0.0.1 -p {address} -t a -f /no/such/file"), 1);
    check("pub -h 127.0.0.1 -p 1 -t a -m x", 1);
    // Refused by the broker, in the codes of each version.
    let _only = broker.connect(V5, "the only session");
    check(&format!("pub -h 127.0.0.1 -p {address} -V 311 -t a -m x"), 3);
    check(&format!("pub -h 127.0.0.1 -p {address} -V 5 -t a -m x"), 0x97);
}

#[test]
fn a_count_ends_it_even_with_more_on_the_way() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    let program = subscriber(&broker, "-q 1 -t a -C 2");
    for number in 0..20 {
        wire.publish("a", AtLeastOnce, number.to_string());
    }
    assert_eq!(program.finish().success(), ["0", "1"]);
}

#[test]
fn ctrl_c_disconnects_cleanly() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("gone", AtMostOnce);
    wire.subscribe("end", AtMostOnce);
    for signal in ["INT", "TERM"] {
        let program = subscriber(&broker, "-t a --will-topic gone --will-payload dead");
        program.signal(signal);
        let finished = program.finish();
        assert_eq!(finished.code, Some(0), "{signal}: {finished:?}");
        // The Will would be here: the connection is closed before the program ends.
        wire.publish("end", AtMostOnce, "");
        wire.expect_message("end", "");
    }
}

#[test]
fn ctrl_c_ends_a_publisher_that_waits_for_lines() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("#", AtLeastOnce);
    let mut program =
        Program::start(&mut to(&broker, "pub", "-q 1 -t a -l --will-topic gone --will-payload dead"));
    program.write(b"a line\n");
    wire.expect_message("a", "a line");
    program.signal("INT");
    let finished = program.ended();
    assert_eq!(finished.code, Some(130), "{finished:?}");
    wire.publish("end", AtLeastOnce, "");
    wire.expect_message("end", "");
}

#[test]
fn a_broken_pipe_ends_it_quietly() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    let mut head = Command::new("head");
    let mut head = head.args(["-n", "1"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("head");
    let pipe = head.stdin.take().expect("a pipe");
    let mut command = to(&broker, "sub", "-d -t a");
    let mut child = command.stdout(pipe).stderr(Stdio::piped()).spawn().expect("mqttctl");
    drop(command);
    // Until it has ended, it is told more.
    let status = loop {
        wire.publish("a", AtMostOnce, "more");
        wire.ping();
        if let Some(status) = child.try_wait().expect("a child of ours") {
            break status;
        }
        std::thread::yield_now();
    };
    assert!(head.wait().expect("a child of ours").success());
    assert!(status.success(), "{status}");
    let mut errors = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("a pipe"), &mut errors).expect("text");
    assert!(!errors.contains("panicked") && !errors.to_lowercase().contains("broken pipe"), "{errors}");
}

/// Subscribers and publishers of lines are for long: they wait for the connection to come back.
#[test]
fn a_lost_connection_is_made_again() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "peer");
    wire.subscribe("from/ctl", AtLeastOnce);
    let proxy = Proxy::to(broker.address());
    let words = |words: &str| format!("{words} -h 127.0.0.1 -p {}", proxy.address().port());
    let mut publisher = Program::start(&mut mqttctl(&words("pub -d -q 1 -t from/ctl -l")));
    publisher.await_error("received CONNACK");
    let subscriber = subscribed(&mut mqttctl(&words("sub -d -c -i lasting -q 1 -t to/ctl -C 1")));
    proxy.interrupt();
    for program in [&publisher, &subscriber] {
        program.await_error("trying again");
    }
    publisher.write(b"while away\n");
    wire.publish("to/ctl", AtLeastOnce, "while away");
    proxy.restore();
    wire.expect_message("from/ctl", "while away");
    assert_eq!(subscriber.finish().success(), ["while away"]);
    publisher.finish().success();
}

#[test]
fn a_lost_broker_does_not_outlast_the_time_allowed() {
    let broker = Broker::start();
    let waiting = subscriber(&broker, "-t a -W 2");
    broker.program().signal("TERM");
    assert_eq!(broker.finish().code, Some(0));
    assert_eq!(waiting.finish().code, Some(27));
}

#[test]
fn quiet_means_no_error_messages() {
    let finished = Finished::from(&mut mqttctl("pub --quiet -h 127.0.0.1 -p 1 -t a -m x"));
    assert_eq!((finished.code, &*finished.errors), (Some(1), ""));
    let broker = Broker::start();
    let finished = run(&broker, "pub", "-t a -m x");
    assert_eq!((finished.code, &*finished.errors), (Some(0), ""));
}
