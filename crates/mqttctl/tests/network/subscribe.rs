//! Owns the tests of `sub` on connections that work.

use crate::{
    process::{Finished, Process, failure, success},
    server::{Peer, Server, at_least_once, exactly_once, message, puback, user_property},
};
use mqtt_codec::{
    Packet, PacketId, Properties, Property, PropertyOwner, QoS, ReasonCode,
    packet::{Ack, Delivery, Publish, RetainHandling, UnsubAck},
};
use std::{
    io::{BufRead, BufReader},
    num::NonZeroU32,
};

/// Starts `sub` with these options against a server, which has granted its subscription.
fn subscribed(words: &str) -> (Process, Server, Peer) {
    let server = Server::start();
    let process = Process::start(&format!("sub -p {} {words}", server.port()));
    let peer = server.accept_subscriber();
    (process, server, peer)
}

/// What `sub` prints of these messages, of which the last ends it.
fn check(words: &str, messages: &[Publish], expected: &str) {
    let (process, _server, mut peer) = subscribed(words);
    for message in messages {
        peer.send(&Packet::Publish(message.clone()));
    }
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success(expected), "{words}");
}

fn live(topic: &str, payload: &str) -> Publish {
    message(topic, payload, Delivery::AtMostOnce)
}

fn retained(topic: &str, payload: &str) -> Publish {
    Publish { retain: true, ..live(topic, payload) }
}

#[test]
fn messages_are_printed_as_asked_for() {
    let messages = [live("a", "one"), live("b/c", ""), live("a", "two")];
    check("-t # -C 3", &messages, "one\ntwo\n");
    check("-t # -C 3 -v", &messages, "a one\nb/c (null)\na two\n");
    check("-t # -C 3 -N", &messages, "onetwo");
    check("-t # -C 3 -F %t:%l:%q:%r", &messages, "a:3:0:0\nb/c:0:0:0\na:3:0:0\n");
}

#[test]
fn messages_are_left_out_as_asked_for() {
    let messages = [retained("a", "old"), live("b", "noise"), live("a", "new")];
    check("-t # -C 3", &messages, "old\nnoise\nnew\n");
    check("-t # -C 1 -R -T b", &messages, "new\n");
    check("-t # -C 2 -T b", &messages, "old\nnew\n");
    check("-t # --retained-only", &messages, "old\n");
    check("-t # --retained-only -F %r", &messages, "1\n");
}

#[test]
fn everything_about_a_message_can_be_printed() {
    let properties = [
        Property::ContentType("text"),
        Property::UserProperty("a", "b"),
        Property::CorrelationData(b"corr"),
        Property::MessageExpiryInterval(5),
    ];
    let properties = Properties::new(PropertyOwner::Publish, properties).unwrap();
    let delivery = Delivery::AtLeastOnce { packet_id: PacketId::new(7).unwrap(), dup: true };
    let rich = Publish { properties, ..message("a", "x", delivery) };
    let (process, _server, mut peer) = subscribed("-V 5 -t a -q 1 -C 1 -F %m|%q|%C|%P|%D|%E|%x");
    peer.send(&Packet::Publish(rich));
    assert_eq!(peer.receive(), puback(7));
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success("7|1|text|a:b|corr|5|78\n"));
}

#[test]
fn a_subscription_asks_for_what_the_options_say() {
    let server = Server::start();
    let process = Process::start(&format!(
        "sub -p {} -V 5 -t a/# -t $share/g/b -q 2 --retain-as-published -R -E -D subscribe user-property s 1",
        server.port()
    ));
    let mut peer = server.accept();
    let subscribe = peer.receive_subscribe();
    let filters: Vec<_> = subscribe.subscriptions().map(|asked| asked.filter.text().to_owned()).collect();
    assert_eq!(filters, ["a/#", "$share/g/b"]);
    for asked in subscribe.subscriptions() {
        assert_eq!(asked.options.maximum_qos, QoS::ExactlyOnce);
        assert!(asked.options.retain_as_published && !asked.options.no_local);
        assert_eq!(asked.options.retain_handling, RetainHandling::DoNotSend);
    }
    assert!(subscribe.properties.user_properties().eq([("s", "1")]));
    peer.grant(&subscribe);
    // -E: that was all.
    assert_eq!(peer.receive_disconnect().reason, ReasonCode::Success);
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn no_identifier_is_asked_for_unless_it_is_given() {
    for (words, identifier) in [("", None), (" -D subscribe subscription-identifier 9", NonZeroU32::new(9))] {
        let server = Server::start();
        let process = Process::start(&format!("sub -p {} -V 5 -t a -C 1 -F <%S>{words}", server.port()));
        let mut peer = server.accept();
        let subscribe = peer.receive_subscribe();
        assert_eq!(subscribe.properties.subscription_identifier(), identifier);
        peer.grant(&subscribe);
        let repeated = identifier.map(Property::SubscriptionIdentifier);
        let properties = Properties::new(PropertyOwner::Publish, repeated).unwrap();
        peer.send(&Packet::Publish(Publish { properties, ..live("a", "") }));
        peer.receive_disconnect();
        drop(peer);
        let shown = identifier.map_or(String::new(), |number| number.to_string());
        assert_eq!(process.finish(), success(&format!("<{shown}>\n")));
    }
}

#[test]
fn unsubscribing_comes_first() {
    let server = Server::start();
    let process = Process::start(&format!(
        "sub -p {} -i me -c -V 5 -x 60 -t a -U b -U c/# -E -D unsubscribe user-property u 1",
        server.port()
    ));
    let mut peer = server.connect();
    peer.resume();
    let unsubscribe = peer.receive_unsubscribe();
    let filters: Vec<_> = unsubscribe.filters().map(|filter| filter.text().to_owned()).collect();
    assert_eq!(filters, ["b", "c/#"]);
    assert_eq!(unsubscribe.properties, user_property(PropertyOwner::Unsubscribe, "u", "1"));
    let answers = [ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
    peer.send(&Packet::UnsubAck(UnsubAck::new(unsubscribe.packet_id, Properties::NONE, answers).unwrap()));
    let subscribe = peer.receive_subscribe();
    peer.grant(&subscribe);
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn a_message_is_printed_as_soon_as_it_arrives() {
    let (mut process, _server, mut peer) = subscribed("-t a");
    let mut stdout = BufReader::new(process.take_stdout());
    for payload in ["one\n", "two\n", "three\n"] {
        peer.publish_all("a", &[payload.trim_end()]);
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, payload);
    }
    process.signal("INT");
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn only_what_was_printed_is_acknowledged() {
    let (process, _server, mut peer) = subscribed("-t a -q 2 -C 2");
    peer.publish("a", "one", at_least_once(1));
    peer.publish("a", "two", exactly_once(2));
    peer.publish("a", "three", at_least_once(3));
    assert_eq!(peer.receive(), puback(1));
    assert_eq!(peer.receive(), Packet::PubRec(Ack::new(PacketId::new(2).unwrap(), ReasonCode::Success)));
    // The third stays in the session for whoever comes next.
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success("one\ntwo\n"));
}

#[test]
fn what_a_session_has_waiting_is_printed_first() {
    let server = Server::start();
    let process = Process::start(&format!("sub -p {} -i me -c -q 1 -t a -C 2 -v", server.port()));
    let mut peer = server.connect();
    assert!(!peer.connect.clean_start);
    peer.resume();
    peer.publish("earlier", "one", at_least_once(1));
    let subscribe = peer.receive_subscribe();
    peer.grant(&subscribe);
    peer.publish("a", "two", at_least_once(2));
    assert_eq!(peer.receive(), puback(1));
    assert_eq!(peer.receive(), puback(2));
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success("earlier one\na two\n"));
}

#[test]
fn retained_messages_are_cleared() {
    let (process, _server, mut peer) = subscribed("-t # --retained-only --remove-retained");
    for topic in ["a", "b"] {
        peer.send(&Packet::Publish(retained(topic, "old")));
    }
    for topic in ["a", "b"] {
        let clearing = peer.take_message();
        assert_eq!(clearing.topic.as_ref().unwrap().as_str(), topic);
        assert!(clearing.retain && clearing.payload.is_empty());
    }
    // The clearings come back as live messages, and only the last one says that all has been cleared.
    peer.publish_all("a", &[""]);
    peer.send(&Packet::Publish(retained("c", "late")));
    assert_eq!(peer.take_message().topic.unwrap().as_str(), "c");
    peer.publish_all("b", &["", ""]);
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success("old\nold\nlate\n"));
}

#[test]
fn waiting_has_its_limit() {
    let (process, _server, mut peer) = subscribed("-t a -C 2 -W 1");
    peer.publish_all("a", &["one"]);
    peer.receive_disconnect();
    drop(peer);
    let expected = Finished { stdout: "one\n".to_owned(), ..failure(27, "error: timed out after 1 s\n") };
    assert_eq!(process.finish(), expected);
}

#[test]
fn a_payload_that_is_not_json_is_a_warning() {
    let server = Server::start();
    let port = server.port().to_string();
    let process = Process::start_with(&["sub", "-p", &port, "-t", "a", "-C", "1", "-F", "<%J>"]);
    let mut peer = server.accept_subscriber();
    peer.publish_all("a", &["{oops"]);
    peer.receive_disconnect();
    drop(peer);
    let finished = process.finish();
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "<>\n"));
    assert_eq!(finished.stderr, "warning: the payload of a message on a is not JSON\n");
}

#[test]
fn many_messages_of_every_qos_are_printed_in_order() {
    const COUNT: u32 = 30_000;
    let (process, _server, mut peer) = subscribed(&format!("-t a -C {COUNT}"));
    let sender = std::thread::spawn(move || {
        for number in 0..COUNT {
            peer.publish("a", &number.to_string(), Delivery::AtMostOnce);
        }
        peer.receive_disconnect();
    });
    let expected: String = (0..COUNT).map(|number| format!("{number}\n")).collect();
    assert_eq!(process.finish(), success(&expected));
    sender.join().unwrap();
}

#[test]
fn the_steps_are_told_on_standard_error() {
    let (process, _server, mut peer) = subscribed("-V 5 -t a -t b/# -q 1 -C 1 -i me -d");
    peer.publish("a", "hello", at_least_once(5));
    assert_eq!(peer.receive(), puback(5));
    peer.receive_disconnect();
    drop(peer);
    insta::assert_snapshot!(process.finish().stderr, @r"
    Client me sending CONNECT
    Client me received CONNACK (0)
    Client me sending SUBSCRIBE (Topic: a, QoS: 1, Options: 0x00)
    Client me sending SUBSCRIBE (Topic: b/#, QoS: 1, Options: 0x00)
    Client me received SUBACK (1, 1)
    Client me received PUBLISH (d0, q1, r0, m5, 'a', ... (5 bytes))
    Client me sending DISCONNECT
    ");
}
