//! mosquitto_pub, mosquitto_sub and mosquitto_rr against mqttd: every QoS, retained, wills, shared subscriptions,
//! sessions, properties, in each version.

use dunlin_tests::{Broker, Finished, Program, WORKERS, external, need};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};
use std::{path::Path, process::Command};

const VERSIONS: [&str; 3] = ["mqttv31", "mqttv311", "mqttv5"];

/// A client of mosquitto with these words for `broker`.
fn client(program: &Path, broker: &Broker, words: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &broker.port()]).args(words.split_whitespace());
    command
}

/// `mosquitto_sub` once it has subscribed; its messages begin with `> `.
fn subscriber(program: &Path, broker: &Broker, words: &str) -> Program {
    subscriber_with(program, broker, words, "%t %q %p")
}

/// As [`subscriber`], with a format for its messages.
fn subscriber_with(program: &Path, broker: &Broker, words: &str, format: &str) -> Program {
    // Without it, what is printed to a pipe comes at the end.
    let mut command = Command::new("stdbuf");
    command.arg("-oL").arg(program).args(["-d", "-h", "127.0.0.1", "-p", &broker.port()]);
    command.args(words.split_whitespace()).args(["-F", &format!("> {format}")]);
    let mut program = Program::start(&mut command);
    program.line_with("Subscribed (mid");
    program
}

/// What a subscriber printed besides its steps.
#[track_caller]
fn messages(program: Program) -> Vec<String> {
    let lines = program.finish().success();
    lines.iter().filter_map(|line| line.strip_prefix("> ").map(str::to_owned)).collect()
}

#[test]
fn messages_of_every_qos_go_both_ways_in_each_version() {
    let (publish, subscribe) = (
        need!(external("mosquitto_pub"), "mosquitto_pub"),
        need!(external("mosquitto_sub"), "mosquitto_sub"),
    );
    for workers in WORKERS {
        let broker = Broker::with(workers, &[]);
        for version in VERSIONS {
            let words = format!("-V {version} -i subscriber -t a/# -q 2 -C 3");
            let program = subscriber(&subscribe, &broker, &words);
            for qos in 0..3 {
                let words = format!("-V {version} -i publisher -t a/b -q {qos} -m hello-{qos}");
                Finished::from(&mut client(&publish, &broker, &words)).success();
            }
            assert_eq!(messages(program), ["a/b 0 hello-0", "a/b 1 hello-1", "a/b 2 hello-2"], "{version}");
        }
    }
}

#[test]
fn thousands_of_lines_arrive_in_their_order() {
    const LINES: usize = 3_000;
    let (publish, subscribe) = (
        need!(external("mosquitto_pub"), "mosquitto_pub"),
        need!(external("mosquitto_sub"), "mosquitto_sub"),
    );
    let broker = Broker::with(4, &[]);
    for (version, qos) in [("mqttv311", 1), ("mqttv5", 2)] {
        let program = subscriber(&subscribe, &broker, &format!("-V {version} -t a -q {qos} -C {LINES}"));
        let mut lines =
            Program::start(&mut client(&publish, &broker, &format!("-V {version} -t a -q {qos} -l")));
        let text: String = (0..LINES).map(|number| format!("{number}\n")).collect();
        lines.write(text.as_bytes());
        lines.finish().success();
        let expected: Vec<String> = (0..LINES).map(|number| format!("a {qos} {number}")).collect();
        assert_eq!(messages(program), expected);
    }
}

#[test]
fn retained_messages_are_kept_and_cleared() {
    let (publish, subscribe) = (
        need!(external("mosquitto_pub"), "mosquitto_pub"),
        need!(external("mosquitto_sub"), "mosquitto_sub"),
    );
    let broker = Broker::with(4, &[]);
    for version in VERSIONS {
        let words = format!("-V {version} -t kept -q 1 -r -m {version}");
        Finished::from(&mut client(&publish, &broker, &words)).success();
        let mut command = client(&subscribe, &broker, &format!("-V {version} -t # -C 1 -F %r:%t:%p"));
        assert_eq!(Finished::from(&mut command).success(), [format!("1:kept:{version}")]);
    }
    // It does not find its own end with -C here.
    let mut command = client(&subscribe, &broker, "-t # --remove-retained -W 1");
    assert_eq!(Finished::from(&mut command).lines, ["mqttv5"]);
    let mut wire = broker.connect(V5, "late");
    wire.subscribe("#", AtMostOnce);
    wire.ping();
}

#[test]
fn a_killed_subscriber_leaves_its_will() {
    let subscribe = need!(external("mosquitto_sub"), "mosquitto_sub");
    let broker = Broker::with(4, &[]);
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("gone/#", AtLeastOnce);
    for version in VERSIONS {
        let will = format!("--will-topic gone/{version} --will-payload dead --will-qos 1");
        let program = subscriber(&subscribe, &broker, &format!("-V {version} -t a {will}"));
        program.signal("KILL");
        wire.expect_message(&format!("gone/{version}"), "dead");
    }
    // A good end keeps it to itself.
    let program = subscriber(&subscribe, &broker, "-t a --will-topic gone/never --will-payload dead");
    program.signal("INT");
    drop(program.finish());
    wire.publish("gone/end", AtLeastOnce, "");
    wire.expect_message("gone/end", "");
}

#[test]
fn a_session_is_continued() {
    let (publish, subscribe) = (
        need!(external("mosquitto_pub"), "mosquitto_pub"),
        need!(external("mosquitto_sub"), "mosquitto_sub"),
    );
    let broker = Broker::with(4, &[]);
    for (version, expiry) in [("mqttv31", ""), ("mqttv311", ""), ("mqttv5", "-x 60")] {
        let lasting = format!("-V {version} {expiry} -c -i lasting-{version} -q 2 -t {version}");
        Finished::from(&mut client(&subscribe, &broker, &format!("{lasting} -E"))).success();
        for qos in 1..3 {
            let words = format!("-V {version} -t {version} -q {qos} -m waited-{qos}");
            Finished::from(&mut client(&publish, &broker, &words)).success();
        }
        let mut command = client(&subscribe, &broker, &format!("{lasting} -C 2 -F %q:%p"));
        assert_eq!(Finished::from(&mut command).success(), ["1:waited-1", "2:waited-2"], "{version}");
    }
}

#[test]
fn members_of_a_share_divide_the_messages() {
    let subscribe = need!(external("mosquitto_sub"), "mosquitto_sub");
    for workers in WORKERS {
        let broker = Broker::with(workers, &[]);
        let members: Vec<Program> = ["mqttv5", "mqttv311"]
            .into_iter()
            .map(|version| {
                subscriber(&subscribe, &broker, &format!("-V {version} -q 1 -t $share/group/a -C 5"))
            })
            .collect();
        let mut wire = broker.connect(V5, "publisher");
        for number in 0..10 {
            wire.publish("a", AtLeastOnce, number.to_string());
        }
        let mut lines: Vec<String> = members.into_iter().flat_map(messages).collect();
        lines.sort();
        assert_eq!(lines, (0..10).map(|number| format!("a 1 {number}")).collect::<Vec<_>>());
    }
}

#[test]
fn properties_of_5_0_are_understood_both_ways() {
    let (publish, subscribe) = (
        need!(external("mosquitto_pub"), "mosquitto_pub"),
        need!(external("mosquitto_sub"), "mosquitto_sub"),
    );
    let broker = Broker::with(4, &[]);
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("a", ExactlyOnce);
    let words = "-V 5 -t a -q 1 -m x -D publish user-property name value -D publish content-type text/plain \
                 -D publish response-topic answers -D publish correlation-data id \
                 -D publish message-expiry-interval 60 -D publish user-property more values \
                 -D publish topic-alias 3";
    Finished::from(&mut client(&publish, &broker, words)).success();
    wire.expect(
        "32 # 'a' 0001 (26 'name' 'value' 26 'more' 'values' 03 'text/plain' 08 'answers' 09 0002 <id> 02 0000003c) <x>",
    );
    wire.send("40 # 0001");
    let words = "-V 5 -t b -q 1 -C 1 -D subscribe subscription-identifier 7 -D connect receive-maximum 1 \
                 -D connect topic-alias-maximum 5";
    let program = subscriber_with(&subscribe, &broker, words, "%t %q %p|%C|%R|%P|%S");
    wire.publish_with("b", AtLeastOnce, "03 'text/plain' 08 'answers' 26 'n' 'v'", "y");
    assert_eq!(messages(program), ["b 1 y|text/plain|answers|n:v|7"]);
}

#[test]
fn a_request_gets_its_response() {
    let request = need!(external("mosquitto_rr"), "mosquitto_rr");
    let broker = Broker::with(4, &[]);
    let mut wire = broker.connect(V5, "responder");
    wire.subscribe("ask", AtLeastOnce);
    let words = "-V 5 -t ask -e answer -m now -q 1 -D publish correlation-data id";
    let asking = Program::start(&mut client(&request, &broker, words));
    let received = wire.receive();
    assert_eq!(received.properties.response_topic().map(|topic| topic.text()), Some("answer"));
    assert_eq!(received.properties.correlation_data(), Some(&b"id"[..]));
    wire.publish_with("answer", AtLeastOnce, "09 0002 <id>", "noon");
    assert_eq!(asking.finish().success(), ["noon"]);
}

/// The broker's reasons reach the client's person.
#[test]
fn what_the_broker_refuses_is_told() {
    let publish = need!(external("mosquitto_pub"), "mosquitto_pub");
    let broker = Broker::with(1, &[("limits.sessions_max", "1")]);
    let _only = broker.connect(V5, "the only one");
    let finished = Finished::from(&mut client(&publish, &broker, "-V 5 -t a -m x"));
    let said = finished.lines.join("\n") + &finished.errors;
    assert!(finished.code != Some(0) && said.to_lowercase().contains("quota exceeded"), "{finished:?}");
}
