//! Proves what waits in a queue after a replay, and in which order.

use super::log::{Log, packet_id, queued, session, state, to};
use crate::{
    ids::{SessionId, ShardId},
    journal::{Operation, Position, QueuedState, Target, state::QueuedRest},
};
use insta::assert_snapshot;
use mqtt_codec::QoS;

fn dropped(session: SessionId, position: u64) -> Operation<'static> {
    Operation::Dropped { session, position: Position::new(position), mark: 0 }
}

#[test]
fn a_queue_has_the_order_of_the_log_whoever_wrote_it() {
    let (ann, bob) = (session(0, 1), session(1, 1));
    let mut log = Log::new();
    log.open(ann, "ann").open(bob, "bob");
    log.message(0, &[to(ann)]).message(1, &[to(bob), to(ann)]).message(0, &[to(ann), to(bob)]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      queue @300 @400 @500
    bob 1.1, 60 s, connected
      queue @400 @500
    ");
}

#[test]
fn what_belongs_to_the_receiver_comes_back_with_the_message() {
    let ann = session(0, 1);
    let mut log = Log::new();
    log.open(ann, "ann");
    let target = Target { identifiers: &[3, 200], retain: true, group: Some("$share/g/a"), ..to(ann) };
    log.message(0, &[target, to(ann)]);
    let rest = QueuedRest { identifiers: Box::from([7]), group: None };
    let queued = QueuedState { rest: Some(Box::new(rest)), ..queued(150) };
    log.operations(0, &[Operation::Queued { session: ann, queued }]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      queue @200 retain [3, 200] $share/g/a @200 @150 [7]
    ");
}

#[test]
fn a_message_that_is_recorded_already_joins_a_queue_where_it_is_referred_to() {
    let (ann, bob) = (session(0, 1), session(1, 1));
    let mut log = Log::new();
    log.message(0, &[]).open(ann, "ann").open(bob, "bob");
    log.message(0, &[to(ann), to(bob)]).refer(1, 100, ann);
    log.operations(1, &[Operation::Queued { session: bob, queued: queued(100) }]);
    log.message(1, &[to(ann), to(bob)]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      queue @400 @100 @700
    bob 1.1, 60 s, connected
      queue @400 @100 @700
    ");
}

#[test]
fn what_is_dropped_is_found_wherever_it_waits() {
    let ann = session(0, 1);
    for (gone, left) in [
        (&[10][..], "@20 @15 @200 @300 @30 @300 @500"),
        (&[20], "@10 @15 @200 @300 @30 @300 @500"),
        // Out of order inside what the slice told.
        (&[15], "@10 @20 @200 @300 @30 @300 @500"),
        (&[200], "@10 @20 @15 @300 @30 @300 @500"),
        // Twice in the queue: the first one goes first.
        (&[300], "@10 @20 @15 @200 @30 @300 @500"),
        (&[300, 300], "@10 @20 @15 @200 @30 @500"),
        (&[30], "@10 @20 @15 @200 @300 @300 @500"),
        (&[500, 10, 30, 20], "@15 @200 @300 @300"),
        // Nothing that waits.
        (&[25, 250, 400, 900, 300, 300, 300], "@10 @20 @15 @200 @30 @500"),
    ] {
        let mut log = Log::new();
        log.slice(0, &[], &[state(ann, "ann", &[10, 20, 15])]);
        log.message(1, &[to(ann)]).message(1, &[to(ann)]);
        let queued = [30, 300].map(|position| Operation::Queued { session: ann, queued: queued(position) });
        log.operations(0, &queued).message(0, &[to(ann)]);
        for &position in gone {
            log.operations(0, &[dropped(ann, position)]);
        }
        let state = log.state();
        assert_eq!(state.lines().last(), Some(&*format!("  queue {left}")), "{gone:?} dropped");
    }
}

#[test]
fn a_queue_that_is_drained_out_of_order_is_empty_in_the_end() {
    let ann = session(0, 1);
    let mut log = Log::new();
    log.slice(0, &[], &[state(ann, "ann", &(1..=50).collect::<Vec<_>>())]);
    for _ in 0..50 {
        log.message(1, &[to(ann)]);
    }
    let positions: Vec<u64> = (1..=50).chain((200..=5100).step_by(100)).collect();
    let mut samples = crate::journal::record::samples::Samples::new(7);
    let mut left = positions.clone();
    while !left.is_empty() {
        let position = left.swap_remove(samples.below(left.len()));
        log.operations(0, &[dropped(ann, position)]);
    }
    assert_snapshot!(log.state(), @"ann 0.1, 60 s, connected");
}

#[test]
fn a_position_that_does_not_exist_yet_is_refused() {
    let ann = session(0, 1);
    let error = |record: &[u8]| Log::new().put(record).expect_err("an illegal record").to_string();
    let mut operations = crate::journal::Operations::new(ShardId(0));
    operations.push(&Operation::Queued { session: ann, queued: queued(100) });
    assert_snapshot!(
        error(operations.bytes()),
        @"the position of a message of an Operations record is larger than it may be"
    );
    // What a client acknowledges, on the other hand, need not be known.
    operations.clear();
    operations.push(&Operation::Sent {
        session: ann,
        position: Position::new(900),
        packet_id: packet_id(1),
        mark: 0,
    });
    assert_eq!(Log::new().put(operations.bytes()), Ok(Position::new(100)));
}

#[test]
fn a_million_entries_take_forty_bytes_each() {
    assert_eq!(size_of::<QueuedState>(), 40);
    assert_eq!(QoS::AtLeastOnce, queued(1).qos);
}
