//! Proves what a checkpoint's slice replaces and what it leaves.

use super::log::{Log, packet_id, queued, session, state, to};
use crate::journal::{Operation, Position, SessionState, state::QUEUE_PART_MAX};
use insta::assert_snapshot;

#[test]
fn a_slice_replaces_the_session_but_for_what_its_shard_had_not_seen() {
    let ann = session(0, 1);
    let mut log = Log::new();
    log.epoch().open(ann, "ann");
    // Shard 0 takes in what 1 wrote at 300, not what it and 2 wrote behind. Its own it has always seen.
    log.message(1, &[to(ann)]).message(0, &[to(ann)]).message(1, &[to(ann)]).message(2, &[to(ann)]);
    log.received(ann, 5, &[]);
    log.slice(0, &[0, 300], &[state(ann, "ann", &[300])]);
    log.message(1, &[to(ann)]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      queue @300 @500 @600 @900
    ");
}

#[test]
fn what_was_unseen_goes_on_as_any_other_once_it_is_taken_in() {
    let ann = session(0, 1);
    let mut log = Log::new();
    log.open(ann, "ann").message(1, &[to(ann)]).message(1, &[to(ann)]).refer(1, 200, ann);
    log.slice(0, &[100], &[state(ann, "ann", &[])]);
    let (position, packet_id) = (Position::new(300), packet_id(1));
    log.operations(0, &[Operation::Sent { session: ann, position, packet_id, mark: 0 }]);
    // Seen by now, it is what the next slice says.
    log.slice(0, &[600, 300], &[state(ann, "ann", &[200])]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      queue @200 @200
    ");
}

#[test]
fn of_two_that_are_alike_what_the_shard_recorded_itself_is_sent_first_and_what_it_has_not_seen_stays() {
    let ann = session(0, 1);
    let mut log = Log::new();
    // While the message is on its way from shard 1, a new subscription gets it as a retained one.
    log.open(ann, "ann").message(1, &[to(ann)]);
    let (position, packet_id, mark) = (Position::new(200), packet_id(1), queued(200).mark());
    log.operations(0, &[Operation::Queued { session: ann, queued: queued(200) }]);
    log.operations(0, &[Operation::Sent { session: ann, position, packet_id, mark }]);
    log.operations(0, &[Operation::Acked { session: ann, packet_id }]);
    log.slice(0, &[500, 0], &[state(ann, "ann", &[])]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      queue @200
    ");
}

#[test]
fn all_of_an_earlier_process_was_seen_before_the_present_one_began() {
    let (ann, bound) = (session(0, 1), session(0, 2));
    let mut log = Log::new();
    log.epoch().open(ann, "ann").message(1, &[to(ann)]);
    log.epoch().operations(0, &[Operation::Bound { session: bound, client_id: "ann" }]);
    log.message(1, &[to(bound)]);
    log.slice(0, &[500, 0], &[state(bound, "ann", &[])]);
    assert_snapshot!(log.state(), @r"
    ann 0.2, 60 s, connected
      queue @600
    ");
}

#[test]
fn behind_a_floor_what_is_unseen_is_kept_for_sessions_whose_slice_is_to_come() {
    let (ann, bob) = (session(0, 1), session(0, 2));
    let mut log = Log::from(5000);
    log.message(1, &[to(ann), to(bob)]).message(1, &[to(ann)]).message(0, &[to(ann)]).received(ann, 4, &[]);
    // Of what the slice contains the log tells, too.
    let (position, packet_id) = (Position::new(5000), packet_id(1));
    log.operations(0, &[Operation::Sent { session: ann, position, packet_id, mark: 0 }]);
    log.operations(0, &[Operation::Bound { session: ann, client_id: "ann" }]);
    log.slice(0, &[5600, 5000], &[state(ann, "ann", &[5200])]);
    // Bob's session ended before its slice was due.
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      queue @5200 @5100
    ");
}

fn long(client_id: &str) -> SessionState {
    let positions: Vec<u64> = (1..=2 * QUEUE_PART_MAX as u64 + 1).collect();
    state(session(0, 1), client_id, &positions)
}

#[test]
fn a_session_in_parts_counts_when_the_last_one_has_come() {
    let (ann, long) = (session(0, 1), long("ann"));
    let mut log = Log::from(1_000_000);
    log.open(ann, "ann").message(1, &[to(ann)]);
    log.part(0, &[1_000_000, 1_000_100], &long, 0).message(1, &[to(ann)]);
    log.part(0, &[1_000_000, 1_000_100], &long, 1).part(0, &[1_000_000, 1_000_100], &long, 2);
    log.message(1, &[to(ann)]);
    let recovered = log.finish();
    let [ann] = &recovered.sessions[..] else { panic!("one session") };
    let positions: Vec<u64> = ann.queue.iter().map(|it| it.position.get()).collect();
    let expected: Vec<u64> = (1..=2 * QUEUE_PART_MAX as u64 + 1).chain([1_000_300, 1_000_600]).collect();
    assert!(positions == expected);
}

#[test]
fn a_session_whose_parts_are_cut_short_is_what_it_was_before() {
    let (ann, long) = (session(0, 1), long("ann"));
    let mut log = Log::from(1_000_000);
    log.open(ann, "ann").message(1, &[to(ann)]);
    log.part(0, &[], &long, 0).part(0, &[], &long, 1);
    log.epoch().operations(0, &[Operation::Bound { session: ann, client_id: "ann" }]);
    // Not even if a last part comes: it is that of another process.
    log.part(0, &[], &long, 2);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      queue @1000100
    ");
}

#[test]
fn a_part_without_its_beginning_is_passed_over_and_one_that_begins_again_begins_anew() {
    let long = long("ann");
    let mut log = Log::from(1_000_000);
    log.part(0, &[], &long, 1).part(0, &[], &long, 2);
    assert_snapshot!(log.state(), @"");
    log.part(0, &[], &long, 0).part(0, &[], &long, 1).part(0, &[], &long, 0).part(0, &[], &long, 2);
    assert_eq!(log.finish().queued_count(), QUEUE_PART_MAX + 1);
}

#[test]
fn a_slice_naming_a_position_that_does_not_exist_yet_is_refused() {
    let mut record = Vec::new();
    crate::journal::SliceHead { writer: session(0, 1).shard(), seen: &[] }.encode(&mut record);
    let queue = [queued(50), queued(100)].into();
    SessionState { queue, ..state(session(0, 1), "ann", &[]) }.encode(&mut record);
    let error = Log::new().put(&record).expect_err("100 is the slice's own position");
    assert_snapshot!(error, @"the position of a message of a Slice is larger than it may be");
}
