//! Owns the tests of `mqttctl rr`: a request and its response.

use crate::support::{run, to};
use dunlin_tests::{Broker, Program, Wire};
use mqtt_codec::{
    ProtocolVersion::{V5, V311},
    QoS::AtLeastOnce,
};

fn responder(broker: &Broker) -> Wire {
    let mut wire = broker.connect(V5, "responder");
    wire.subscribe("ask", AtLeastOnce);
    wire
}

#[test]
fn the_response_with_the_right_correlation_data_is_printed() {
    let broker = Broker::start();
    let mut responder = responder(&broker);
    let asking = Program::start(&mut to(&broker, "rr", "-t ask -e answer -m now -q 1"));
    let request = responder.receive();
    assert_eq!(&request.payload[..], b"now");
    assert_eq!(request.properties.response_topic().map(|topic| topic.text()), Some("answer"));
    let correlation = request.properties.correlation_data().expect("one of its own").to_vec();
    responder.publish_with("answer", AtLeastOnce, "09 0005 <other>", "somebody else's");
    let hex: String = correlation.iter().map(|byte| format!("{byte:02x}")).collect();
    responder.publish_with("answer", AtLeastOnce, &format!("09 {:04x} {hex}", correlation.len()), "noon");
    assert_eq!(asking.finish().success(), ["noon"]);
}

#[test]
fn correlation_data_may_be_given() {
    let broker = Broker::start();
    let mut responder = responder(&broker);
    let words = "-t ask -e answer -m now -D publish correlation-data mine -D publish user-property a b";
    let asking = Program::start(&mut to(&broker, "rr", words));
    responder.expect("30 # 'ask' (09 0004 <mine> 08 'answer' 26 'a' 'b') <now>");
    responder.publish_with("answer", AtLeastOnce, "09 0004 <mine>", "noon");
    assert_eq!(asking.finish().success(), ["noon"]);
}

#[test]
fn in_3_1_1_the_next_message_is_the_response() {
    let broker = Broker::start();
    let mut responder = responder(&broker);
    let asking = Program::start(&mut to(&broker, "rr", "-V 311 -t ask -e answer -m now -v"));
    responder.expect_message("ask", "now");
    broker.connect(V311, "other").publish("answer", AtLeastOnce, "noon");
    assert_eq!(asking.finish().success(), ["answer noon"]);
}

#[test]
fn without_a_response_the_time_is_up() {
    let broker = Broker::start();
    let finished = run(&broker, "rr", "-t ask -e answer -m now -W 1");
    assert_eq!((finished.code, finished.lines), (Some(27), Vec::new()));
}
