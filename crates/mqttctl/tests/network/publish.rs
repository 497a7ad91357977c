//! Owns the tests of `pub` on connections that work.

use crate::{
    process::{Finished, Process, failure, success},
    server::{Peer, Server, user_property},
};
use mqtt_codec::{PropertyOwner, ProtocolVersion, QoS, ReasonCode};
use std::io::Write;

/// Starts `pub` with these options against a server, which has accepted it.
fn accepted(words: &str) -> (Process, Server, Peer) {
    let server = Server::start();
    let process = Process::start(&format!("pub -p {} {words}", server.port()));
    let peer = server.accept();
    (process, server, peer)
}

fn payloads(peer: &mut Peer, count: usize) -> Vec<String> {
    let mut payload = || String::from_utf8(peer.take_message().payload.to_vec()).unwrap();
    (0..count).map(|_| payload()).collect()
}

#[test]
fn each_version_and_qos_completes_its_handshake_and_disconnects() {
    let versions = [(5, ProtocolVersion::V5), (311, ProtocolVersion::V311), (31, ProtocolVersion::V31)];
    for (number, version) in versions {
        for (qos, expected) in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].into_iter().enumerate() {
            let (process, _server, mut peer) = accepted(&format!("-V {number} -t a/b -m hello -q {qos} -r"));
            assert_eq!(peer.version, version);
            let publish = peer.take_message();
            assert_eq!((publish.delivery.qos(), publish.retain), (expected, true));
            assert_eq!(publish.topic.unwrap().as_str(), "a/b");
            assert_eq!(publish.payload, "hello");
            assert_eq!(peer.receive_disconnect().reason, ReasonCode::Success);
            drop(peer);
            assert_eq!(process.finish(), success(""), "-V {number} -q {qos}");
        }
    }
}

#[test]
fn a_url_names_server_credentials_and_topic() {
    let server = Server::start();
    let url = format!("mqtt://ann:s%40cret@127.0.0.1:{}/a/b", server.port());
    let process = Process::start(&format!("pub {url} -m x -i me -k 7"));
    let mut peer = server.accept();
    assert_eq!(peer.connect.client_id, "me");
    assert_eq!(peer.connect.user_name.as_deref(), Some("ann"));
    assert_eq!(peer.connect.password.as_deref(), Some(b"s@cret".as_slice()));
    assert_eq!(peer.connect.keep_alive_seconds, 7);
    assert_eq!(peer.receive_publish().topic.unwrap().as_str(), "a/b");
    drop(peer);
    process.finish();
}

#[test]
fn a_will_and_the_session_are_asked_for() {
    let (process, _server, mut peer) = accepted(
        "-V 5 -t a -n -i me -c -x 60 --will-topic w --will-payload bye --will-qos 1 --will-retain \
         -D will will-delay-interval 5",
    );
    let connect = peer.connect.clone();
    assert!(!connect.clean_start);
    assert_eq!(connect.properties.session_expiry_interval(), Some(60));
    let will = connect.will.unwrap();
    assert_eq!((will.topic.as_str(), &will.payload[..]), ("w", b"bye".as_slice()));
    assert_eq!((will.qos, will.retain), (QoS::AtLeastOnce, true));
    assert_eq!(will.properties.will_delay_interval(), Some(5));
    assert!(peer.receive_publish().payload.is_empty());
    // A command that did its work leaves in peace.
    assert_eq!(peer.receive_disconnect().reason, ReasonCode::Success);
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn each_packet_has_its_own_properties() {
    let (process, _server, mut peer) = accepted(
        "-t a -m x -D connect user-property c 1 -D publish user-property p 2 -D publish content-type text \
         -D disconnect user-property d 3",
    );
    assert!(peer.connect.properties.user_properties().eq([("c", "1")]));
    let properties = peer.receive_publish().properties;
    assert!(properties.user_properties().eq([("p", "2")]));
    assert_eq!(properties.content_type(), Some("text"));
    assert_eq!(peer.receive_disconnect().properties, user_property(PropertyOwner::Disconnect, "d", "3"));
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
#[cfg(target_os = "linux")]
fn a_connection_comes_from_the_address_that_was_named() {
    let (process, _server, mut peer) = accepted("-h 127.0.0.1 -A 127.0.0.9 -t a -m x");
    assert_eq!(peer.address.ip().to_string(), "127.0.0.9");
    peer.receive_publish();
    drop(peer);
    process.finish();
}

#[test]
fn each_line_is_a_message() {
    for qos in 0..=2 {
        let (mut process, _server, mut peer) = accepted(&format!("-t a -l -q {qos}"));
        process.input("one\n\ntwo\r\nthree");
        assert_eq!(payloads(&mut peer, 4), ["one", "", "two\r", "three"]);
        peer.receive_disconnect();
        drop(peer);
        assert_eq!(process.finish(), success(""), "-q {qos}");
    }
}

#[test]
fn a_line_is_sent_as_soon_as_it_is_there() {
    let (mut process, _server, mut peer) = accepted("-t a -l -q 1");
    process.stdin().write_all(b"one\ntw").unwrap();
    assert_eq!(payloads(&mut peer, 1), ["one"]);
    process.input("o\n");
    assert_eq!(payloads(&mut peer, 1), ["two"]);
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn many_lines_arrive_in_order_within_the_window() {
    const COUNT: usize = 20_000;
    for words in ["-t a -l", "-t a -l -q 1 -M 5", "-t a -l -q 2"] {
        let (mut process, _server, mut peer) = accepted(words);
        let lines: String = (0..COUNT).map(|number| format!("{number}\n")).collect();
        let writer = std::thread::spawn(move || {
            process.input(&lines);
            process
        });
        for number in 0..COUNT {
            assert_eq!(peer.take_message().payload, number.to_string(), "{words}");
        }
        peer.receive_disconnect();
        drop(peer);
        assert_eq!(writer.join().unwrap().finish(), success(""), "{words}");
    }
}

#[test]
fn no_more_messages_are_in_flight_than_allowed() {
    let (mut process, _server, mut peer) = accepted("-t a -l -q 1 -M 2");
    process.input("1\n2\n3\n");
    let first = peer.receive_publish();
    let second = peer.receive_publish();
    // The third would stand between these two if it had not waited.
    peer.send(&mqtt_codec::Packet::PingResp);
    peer.send(&acknowledgement(&first));
    let third = peer.receive_publish();
    assert_eq!(third.payload, "3");
    peer.send(&acknowledgement(&second));
    peer.send(&acknowledgement(&third));
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

fn acknowledgement(publish: &mqtt_codec::packet::Publish) -> mqtt_codec::Packet {
    crate::server::puback(publish.delivery.packet_id().unwrap().get())
}

#[test]
fn standard_input_and_files_are_one_message() {
    // It is read before the server is bothered.
    let server = Server::start();
    let mut process = Process::start(&format!("pub -t a -s -p {}", server.port()));
    process.input("one\ntwo\n");
    assert_eq!(payloads(&mut server.accept(), 1), ["one\ntwo\n"]);
    process.finish();

    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let (process, _server, mut peer) = accepted(&format!("-t a -f {manifest}"));
    assert_eq!(payloads(&mut peer, 1), [std::fs::read_to_string(manifest).unwrap()]);
    drop(peer);
    process.finish();
}

#[test]
fn a_file_that_cannot_be_read_is_found_out_before_connecting() {
    let process = Process::start("pub -p 1 -t a -f /nonexistent/file");
    let expected = "error: cannot read /nonexistent/file: No such file or directory (os error 2)\n";
    assert_eq!(process.finish(), failure(1, expected));
}

#[test]
fn a_message_is_repeated() {
    let (process, _server, mut peer) = accepted("-t a -m x -q 1 --repeat 3 --repeat-delay 0.05");
    assert_eq!(payloads(&mut peer, 3), ["x", "x", "x"]);
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success(""));
}

#[test]
fn the_steps_are_told_on_standard_error() {
    let (process, _server, mut peer) = accepted("-t a -m hello -q 1 -i me -d");
    peer.take_message();
    peer.receive_disconnect();
    drop(peer);
    let Finished { code, stdout, stderr } = process.finish();
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    insta::assert_snapshot!(stderr, @r"
    Client me sending CONNECT
    Client me received CONNACK (0)
    Client me sending PUBLISH (q1, r0, 'a', ... (5 bytes))
    Client me received PUBACK (m1, 0x00 Success)
    Client me sending DISCONNECT
    ");
}
