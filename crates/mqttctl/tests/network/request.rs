//! Owns the tests of `rr`.

use crate::{
    process::{Process, failure, success},
    server::{Peer, Server, message},
};
use mqtt_codec::{
    Packet, Properties, Property, PropertyOwner, ProtocolVersion, QoS, ReasonCode, packet::Delivery,
    packet::Publish,
};

fn respond(peer: &mut Peer, payload: &str, correlation_data: &[u8]) {
    let properties =
        Properties::new(PropertyOwner::Publish, [Property::CorrelationData(correlation_data)]).unwrap();
    let response = message("answer", payload, Delivery::AtMostOnce);
    peer.send(&Packet::Publish(Publish { properties, ..response }));
}

#[test]
fn the_response_is_the_one_with_the_correlation_data_of_the_request() {
    let server = Server::start();
    let process = Process::start(&format!("rr -t ask -e answer -m hello -q 1 -v -p {}", server.port()));
    let mut peer = server.accept();
    assert_eq!(peer.version, ProtocolVersion::V5);
    let subscribe = peer.receive_subscribe();
    let filters: Vec<_> =
        subscribe.subscriptions().map(|it| (it.filter.text().to_owned(), it.options.maximum_qos)).collect();
    assert_eq!(filters, [("answer".to_owned(), QoS::AtLeastOnce)]);
    peer.grant(&subscribe);
    let request = peer.take_message();
    assert_eq!((request.topic.unwrap().as_str(), &request.payload[..]), ("ask", b"hello".as_slice()));
    assert_eq!(request.properties.response_topic().unwrap().text(), "answer");
    let correlation_data = request.properties.correlation_data().unwrap().to_vec();
    respond(&mut peer, "for somebody else", b"other");
    respond(&mut peer, "world", &correlation_data);
    assert_eq!(peer.receive_disconnect().reason, ReasonCode::Success);
    drop(peer);
    assert_eq!(process.finish(), success("answer world\n"));
}

#[test]
fn a_response_without_correlation_data_counts_too() {
    for version in ["5", "311", "31"] {
        let server = Server::start();
        let process = Process::start(&format!("rr -V {version} -t ask -e answer -n -p {}", server.port()));
        let mut peer = server.accept_subscriber();
        peer.take_message();
        peer.publish_all("answer", &["world"]);
        peer.receive_disconnect();
        drop(peer);
        assert_eq!(process.finish(), success("world\n"), "-V {version}");
    }
}

#[test]
fn a_retained_message_is_no_response_if_it_is_not_to_be_one() {
    let server = Server::start();
    let process = Process::start(&format!("rr -V 311 -R -t ask -e answer -n -p {}", server.port()));
    let mut peer = server.accept_subscriber();
    let old = message("answer", "old", Delivery::AtMostOnce);
    peer.send(&Packet::Publish(Publish { retain: true, ..old }));
    peer.take_message();
    peer.publish_all("answer", &["new"]);
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), success("new\n"));
}

#[test]
fn a_request_without_a_response_times_out() {
    let server = Server::start();
    let process = Process::start(&format!("rr -t ask -e answer -n -W 1 -p {}", server.port()));
    let mut peer = server.accept_subscriber();
    peer.take_message();
    peer.receive_disconnect();
    drop(peer);
    assert_eq!(process.finish(), failure(27, "error: timed out after 1 s\n"));
}
