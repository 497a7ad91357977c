//! Proves what is in flight after a replay, both ways.

use super::log::{Log, packet_id, queued, session, state, to};
use crate::{
    ids::SessionId,
    journal::{InFlightState, Operation, Position, SessionState, Target},
};
use insta::assert_snapshot;
use mqtt_codec::{QoS, flow::Step};

const fn sent(session: SessionId, position: u64, number: u16) -> Operation<'static> {
    let Some(packet_id) = mqtt_codec::PacketId::new(number) else { panic!("zero") };
    Operation::Sent { session, position: Position::new(position), packet_id, mark: 0 }
}

fn acked(session: SessionId, number: u16) -> Operation<'static> {
    Operation::Acked { session, packet_id: packet_id(number) }
}

fn pubrec(session: SessionId, number: u16) -> Operation<'static> {
    Operation::Received { session, packet_id: packet_id(number) }
}

#[test]
fn what_was_sent_stays_in_flight_in_the_order_first_sent_until_it_is_acknowledged() {
    let ann = session(0, 1);
    let mut log = Log::new();
    log.open(ann, "ann");
    for _ in 0..5 {
        log.message(1, &[to(ann)]);
    }
    log.operations(0, &[sent(ann, 200, 1), sent(ann, 300, 2), sent(ann, 400, 3), sent(ann, 500, 4)]);
    log.operations(0, &[acked(ann, 3), acked(ann, 1), acked(ann, 9), sent(ann, 999, 7)]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      2 QoS 1 sent @300
      4 QoS 1 sent @500
      queue @600
    ");
}

#[test]
fn a_qos_2_publication_keeps_its_identifier_and_place_without_the_message_until_pubcomp() {
    let ann = session(0, 1);
    let exactly_once = Target { qos: QoS::ExactlyOnce, ..to(ann) };
    let mut log = Log::new();
    log.open(ann, "ann").message(1, &[exactly_once]).message(1, &[exactly_once]).message(1, &[exactly_once]);
    log.operations(0, &[sent(ann, 200, 1), sent(ann, 300, 2), sent(ann, 400, 3)]);
    log.operations(0, &[pubrec(ann, 2), pubrec(ann, 2), pubrec(ann, 9), pubrec(ann, 1), acked(ann, 1)]);
    let recovered = log.finish();
    let references: Vec<_> = recovered.references().map(Position::get).collect();
    assert_eq!(references, [400]);
    assert_eq!(recovered.queued_count(), 2);
    let [ann] = &recovered.sessions[..] else { panic!("one session") };
    let in_flight: Vec<_> = ann.in_flight.iter().map(|it| (it.packet_id.get(), it.step)).collect();
    assert_eq!(in_flight, [(2, Step::Received), (3, Step::Published)]);
}

#[test]
fn an_identifier_may_be_used_again_once_it_is_acknowledged() {
    let ann = session(0, 1);
    let mut log = Log::new();
    log.open(ann, "ann").message(0, &[to(ann)]).message(0, &[to(ann)]);
    log.operations(0, &[sent(ann, 200, 1), acked(ann, 1), sent(ann, 300, 1)]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      1 QoS 1 sent @300
    ");
}

#[test]
fn no_identifier_is_recovered_twice_whatever_the_records_say() {
    let in_flight = |number, position| InFlightState {
        packet_id: packet_id(number),
        qos: QoS::AtLeastOnce,
        step: Step::Published,
        queued: Some(queued(position)),
    };
    let in_flight = vec![in_flight(5, 10), in_flight(1, 20), in_flight(5, 30)];
    let unreleased = [9, 3, 9].map(packet_id).to_vec();
    let mut log = Log::new();
    log.slice(0, &[], &[SessionState { in_flight, unreleased, ..state(session(0, 1), "ann", &[]) }]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      received [3, 9]
      1 QoS 1 sent @20
      5 QoS 1 sent @30
    ");
}

#[test]
fn an_inbound_identifier_is_known_from_its_message_on_until_pubrel() {
    let (ann, bob) = (session(0, 1), session(1, 1));
    let mut log = Log::new();
    log.open(ann, "ann").open(bob, "bob").received(ann, 5, &[to(bob)]).received(ann, 2, &[]);
    log.operations(
        0,
        &[
            Operation::InboundReceived { session: ann, packet_id: packet_id(3) },
            Operation::InboundReceived { session: ann, packet_id: packet_id(8) },
            Operation::InboundReleased { session: ann, packet_id: packet_id(8) },
            Operation::InboundReleased { session: ann, packet_id: packet_id(2) },
            Operation::InboundReleased { session: ann, packet_id: packet_id(77) },
        ],
    );
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      received [3, 5]
    bob 1.1, 60 s, connected
      queue @300
    ");
}
