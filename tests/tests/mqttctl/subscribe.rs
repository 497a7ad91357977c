//! Owns the tests of `mqttctl sub`: what is subscribed to and what of it is printed how. How it ends is in `ends`.

use crate::support::{VERSIONS, run, subscribed, subscriber, to};
use dunlin_tests::Broker;
use mqtt_codec::{
    ProtocolVersion::{V5, V311},
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};

#[test]
fn each_version_receives_at_each_qos() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    for version in VERSIONS {
        for qos in 0..3 {
            let mut command = to(&broker, "sub", &format!("-d -i ctl -V {version} -t a/+ -q {qos} -C 3 -F"));
            let program = subscribed(command.arg("%t %q %p"));
            for published in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
                wire.publish("a/b", published, format!("{published:?}"));
            }
            let expected = [(0, "AtMostOnce"), (1.min(qos), "AtLeastOnce"), (2.min(qos), "ExactlyOnce")];
            let expected = expected.map(|(qos, payload)| format!("a/b {qos} {payload}"));
            assert_eq!(program.finish().success(), expected, "-V {version} -q {qos}");
        }
    }
}

#[test]
fn several_topics_may_be_asked_for_and_some_left_out() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    let program = subscriber(&broker, "-v -t a/# -t b -T a/secret/# -C 3");
    for topic in ["a/1", "a/secret/x", "b", "c", "a/2"] {
        wire.publish(topic, AtMostOnce, "x");
    }
    assert_eq!(program.finish().success(), ["a/1 x", "b x", "a/2 x"]);
}

#[test]
fn retained_messages_may_be_all_or_nothing() {
    let broker = Broker::start();
    let mut wire = broker.connect(V311, "publisher");
    wire.publish_retained("a", AtLeastOnce, "kept a");
    wire.publish_retained("b", AtLeastOnce, "kept b");
    let new_only = subscriber(&broker, "-t # -R -C 1");
    wire.publish("c", AtLeastOnce, "new");
    assert_eq!(new_only.finish().success(), ["new"]);
    let kept_only = subscriber(&broker, "-t # --retained-only");
    wire.publish("c", AtLeastOnce, "new");
    let mut lines = kept_only.finish().success();
    lines.sort();
    assert_eq!(lines, ["kept a", "kept b"]);
    let mut lines = run(&broker, "sub", "-t # --remove-retained -C 2").success();
    lines.sort();
    assert_eq!(lines, ["kept a", "kept b"]);
    let mut late = broker.connect(V311, "late");
    late.subscribe("#", AtMostOnce);
    late.ping();
}

#[test]
fn a_format_prints_what_it_names() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    wire.send(
        "31 # 'a/b' (01 01 03 'text/plain' 08 'answers' 09 0002 <id> 02 0000003c 26 'n' 'v' 26 'm' 'w') <hello>",
    );
    wire.ping();
    let check = |format: &str, expected: &str| {
        let mut command = to(&broker, "sub", "-V 5 -t a/# -C 1 -F");
        let finished = dunlin_tests::Finished::from(command.arg(format));
        assert_eq!(finished.success().join("\n"), expected, "{format}");
    };
    check("%t %p %q %r %l", "a/b hello 0 1 5");
    check("%x|%X", "68656c6c6f|68656C6C6F");
    check("%C %R %D %F", "text/plain answers id 1");
    check("%P", "n:v m:w");
    check("%10t|%-10t|", "       a/b|a/b       |");
    check("100%% \\t%p", "100% \thello");
}

#[test]
fn json_output_is_json() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    wire.publish_retained("a", AtLeastOnce, r#"{"temperature": 21.50}"#);
    for (format, payload) in [
        ("%j", serde_json::json!("{\"temperature\": 21.50}")),
        ("%J", serde_json::json!({"temperature": 21.50})),
    ] {
        let line = run(&broker, "sub", &format!("-V 5 -t a -C 1 -F {format}")).success().join("");
        let value: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        assert_eq!(value["topic"], "a", "{line}");
        assert_eq!(value["qos"], 0, "{line}");
        assert_eq!(value["retain"], 1, "{line}");
        assert_eq!(value["payload"], payload, "{line}");
        assert!(value["tst"].is_string(), "{line}");
    }
}

#[test]
fn a_session_is_kept_and_continued() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    for version in ["-V 311", "-V 5 -x 100"] {
        run(&broker, "sub", &format!("{version} -c -i lasting -q 1 -t a -E")).success();
        wire.publish("a", AtLeastOnce, "one");
        wire.publish("a", AtLeastOnce, "two");
        let lines = run(&broker, "sub", &format!("{version} -c -i lasting -q 1 -t a -C 2")).success();
        assert_eq!(lines, ["one", "two"], "{version}");
        // What was printed was acknowledged: it does not come again.
        let finished = run(&broker, "sub", &format!("{version} -c -i lasting -q 1 -t a -W 1"));
        assert_eq!((finished.code, finished.lines), (Some(27), Vec::new()), "{version}");
    }
}

#[test]
fn a_topic_of_before_may_be_unsubscribed() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    run(&broker, "sub", "-c -i leaving -q 1 -t a -t b -E").success();
    run(&broker, "sub", "-c -i leaving -q 1 -U a -t b -E").success();
    wire.publish("a", AtLeastOnce, "left");
    wire.publish("b", AtLeastOnce, "kept");
    assert_eq!(run(&broker, "sub", "-c -i leaving -q 1 -t b -C 1").success(), ["kept"]);
}

#[test]
fn members_of_a_share_divide_the_messages() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    let members: Vec<_> = (0..2).map(|_| subscriber(&broker, "-V 5 -q 1 -t $share/group/a -C 5")).collect();
    for number in 0..10 {
        wire.publish("a", AtLeastOnce, number.to_string());
    }
    let mut lines: Vec<String> = members.into_iter().flat_map(|member| member.finish().success()).collect();
    lines.sort();
    assert_eq!(lines, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
}

#[test]
fn payloads_are_printed_byte_by_byte() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "publisher");
    wire.publish_retained("a", AtLeastOnce, b"one\ntwo\ttab");
    assert_eq!(run(&broker, "sub", "-t a -C 1").success(), ["one", "two\ttab"]);
    wire.publish_retained("a", AtLeastOnce, "x");
    let program = subscriber(&broker, "-N -t a -C 3");
    wire.publish("a", AtLeastOnce, "y");
    wire.publish("a", AtLeastOnce, "z");
    assert_eq!(program.finish().success(), ["xyz"]);
}
