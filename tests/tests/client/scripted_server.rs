//! Owns the tests of the client against a server that does what the test says, above all what no server may.

use crate::support::{run, to};
use dunlin_client::{Client, ConnectionError, Event, Message, QoS, ReasonCode, Subscribe};
use dunlin_tests::Wire;
use mqtt_codec::{Packet, ProtocolVersion::V5};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread,
};

/// A server that plays `script` to its first client.
fn server(script: impl FnOnce(&mut Wire) + Send + 'static) -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let playing = thread::spawn(move || {
        let mut wire = Wire::accept(&listener, V5);
        let Packet::Connect(_) = wire.packet() else { panic!("expected CONNECT") };
        script(&mut wire);
    });
    (address, playing)
}

/// Every packet here is wrong for a client that has subscribed to two filters (1) and published at QoS 1 (2).
#[rustfmt::skip]
const ILLEGAL: &[(&str, ReasonCode)] = &[
    // Packets that only a client sends, and a second CONNACK [MQTT5-3.2.0-2].
    ("20 # 00 00 ()", ReasonCode::ProtocolError),
    ("10 # vv 02 0000 () 'x'", ReasonCode::ProtocolError),
    ("82 # 0001 () 'a' 00", ReasonCode::ProtocolError),
    ("a2 # 0001 () 'a'", ReasonCode::ProtocolError),
    ("c0 #", ReasonCode::ProtocolError),
    ("00 #", ReasonCode::MalformedPacket),
    // Flags [MQTT5-2.1.3-1] and lengths [MQTT5-1.5.5-1].
    ("41 # 0002", ReasonCode::MalformedPacket),
    ("36 # 'a' 0001 ()", ReasonCode::MalformedPacket),
    ("38 # 'a' ()", ReasonCode::MalformedPacket),
    ("30 80 80 80 80 01", ReasonCode::MalformedPacket),
    // Topics [MQTT5-3.3.2-2] [MQTT5-4.7.3-1] and text [MQTT5-1.5.4-1].
    ("30 # 'a/#' ()", ReasonCode::MalformedPacket),
    ("30 # '' ()", ReasonCode::ProtocolError),
    ("30 # 0001 ff ()", ReasonCode::MalformedPacket),
    // Identifiers [MQTT5-2.2.1-3].
    ("32 # 'a' 0000 ()", ReasonCode::ProtocolError),
    // No alias was allowed [MQTT5-3.1.2-26].
    ("30 # 'a' (23 0001)", ReasonCode::TopicAliasInvalid),
    ("30 # 'a' (23 0000)", ReasonCode::TopicAliasInvalid),
    // Properties.
    ("30 # 'a' (0b 00)", ReasonCode::ProtocolError),
    ("30 # 'a' (0b 8080808001)", ReasonCode::MalformedPacket),
    ("30 # 'a' (01 00 01 00)", ReasonCode::ProtocolError),
    ("30 # 'a' (11 00000000)", ReasonCode::MalformedPacket),
    // SUBACK without reason codes, with too few, and for nobody [MQTT5-3.8.4-6].
    ("90 # 0001 ()", ReasonCode::ProtocolError),
    ("90 # 0001 () 00", ReasonCode::ProtocolError),
    ("90 # 0001 () 00 03", ReasonCode::MalformedPacket),
    ("90 # 0009 () 00 00", ReasonCode::ProtocolError),
    ("90 # 0002 () 00 00", ReasonCode::ProtocolError),
    // Acknowledgements of what was not sent, or not so.
    ("40 # 0009", ReasonCode::ProtocolError),
    ("40 # 0001", ReasonCode::ProtocolError),
    ("50 # 0002", ReasonCode::ProtocolError),
    ("40 # 0002 01", ReasonCode::MalformedPacket),
    // [MQTT5-4.12.0-6]
    ("f0 # 18 (15 'x')", ReasonCode::ProtocolError),
    // A DISCONNECT that is none [MQTT5-3.14.1-1].
    ("e1 #", ReasonCode::MalformedPacket),
];

/// [MQTT5-4.13.1-1] [MQTT5-4.13.2-1]
#[test]
fn an_illegal_packet_of_the_server_ends_the_connection_with_its_reason() {
    for &(notation, reason) in ILLEGAL {
        eprintln!("{notation}");
        let (address, playing) = server(move |wire| {
            wire.send("20 # 00 00 ()");
            let Packet::Subscribe(subscribe) = wire.packet() else { panic!("expected SUBSCRIBE") };
            assert_eq!(subscribe.packet_id.get(), 1);
            let Packet::Publish(_) = wire.packet() else { panic!("expected PUBLISH") };
            wire.send(notation);
            wire.expect_disconnect(reason);
        });
        run(async {
            let client = Client::connect(to(address, V5, "strict")).await.expect("accepted");
            let mut events = client.events();
            let both = Subscribe::new("a").and_then(|it| it.and("b")).expect("legal");
            let (subscribing, publishing) = (client.clone(), client.clone());
            let subscribing = tokio::spawn(async move { subscribing.subscribe(both).await.map(drop) });
            tokio::task::yield_now().await;
            let message = Message::new("a", "x").expect("legal").qos(QoS::AtLeastOnce);
            let publishing = tokio::spawn(async move { publishing.publish(message).await.map(drop) });
            match events.next().await {
                Some(Event::Disconnected(ConnectionError::ServerViolation(violation))) => {
                    assert_eq!(violation.reason(), reason, "{violation}");
                }
                other => panic!("{notation}: expected a violation, not {other:?}"),
            }
            subscribing.abort();
            publishing.abort();
        });
        playing.join().expect("the script is played to its end");
    }
}

/// What comes instead of a CONNACK, and CONNACKs that are none.
#[rustfmt::skip]
const NO_CONNACK: &[&str] = &[
    // [MQTT5-3.2.0-1]
    "d0 #",
    "30 # 'a' () <x>",
    "40 # 0001",
    // [MQTT5-3.2.2-1] [MQTT5-3.2.2-2] [MQTT5-3.2.2-6] [MQTT5-3.2.2-8]
    "20 # 02 00 ()",
    "20 # 01 00 ()",
    "20 # 01 87 ()",
    "20 # 00 01 ()",
    "20 # 00 00",
    "20 # 00 00 (24 02)",
    "20 # 00 00 (21 0000)",
];

#[test]
fn what_is_no_connack_fails_the_connection() {
    for &notation in NO_CONNACK {
        eprintln!("{notation}");
        let (address, playing) = server(move |wire| {
            wire.send(notation);
            while let Some(Packet::Disconnect(_)) = wire.packet_or_close() {}
        });
        run(async {
            match Client::connect(to(address, V5, "strict")).await {
                Err(ConnectionError::ServerViolation(_)) => {}
                other => panic!("{notation}: expected a violation, not {other:?}"),
            }
        });
        playing.join().expect("the script is played to its end");
    }
}

/// [MQTT5-3.3.4-9]: more in flight than the client allows.
#[test]
fn a_server_beyond_the_receive_maximum_is_told_so() {
    let (address, playing) = server(|wire| {
        wire.send("20 # 00 00 ()");
        wire.send("34 # 'a' 0001 (); 34 # 'a' 0002 (); 34 # 'a' 0003 ()");
        loop {
            match wire.packet() {
                Packet::PubRec(_) => {}
                Packet::Disconnect(disconnect) => {
                    assert_eq!(disconnect.reason, ReasonCode::ReceiveMaximumExceeded);
                    return wire.expect_close();
                }
                packet => panic!("expected PUBREC or DISCONNECT, received {packet:?}"),
            }
        }
    });
    run(async {
        let narrow = dunlin_client::Options {
            receive_maximum: 2.try_into().expect("not zero"),
            ..to(address, V5, "narrow")
        };
        let client = Client::connect(narrow).await.expect("accepted");
        let mut events = client.events();
        loop {
            match events.next().await {
                Some(Event::Unmatched(_)) => {}
                Some(Event::Disconnected(ConnectionError::ServerViolation(violation))) => {
                    return assert_eq!(violation.reason(), ReasonCode::ReceiveMaximumExceeded);
                }
                other => panic!("expected a violation, not {other:?}"),
            }
        }
    });
    playing.join().expect("the script is played to its end");
}

/// A server that does not answer PINGREQ is not there.
#[test]
fn a_server_that_does_not_answer_pings_is_left() {
    let (address, playing) = server(|wire| {
        wire.send("20 # 00 00 ()");
        wire.expect("c0 #");
        while wire.packet_or_close().is_some() {}
    });
    run(async {
        let impatient = dunlin_client::Options {
            keep_alive_seconds: 1,
            ping_timeout: std::time::Duration::from_millis(200),
            ..to(address, V5, "impatient")
        };
        let client = Client::connect(impatient).await.expect("accepted");
        let mut events = client.events();
        assert!(matches!(events.next().await, Some(Event::Disconnected(ConnectionError::KeepAliveTimeout))));
    });
    playing.join().expect("the script is played to its end");
}
