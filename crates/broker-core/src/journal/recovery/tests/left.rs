//! Proves what becomes of messages of groups that were on their way to members that have ended.

use super::log::{Log, packet_id, session, state, to};
use crate::{
    ids::SessionId,
    journal::{Operation, Position, Target, mark_of},
};
use insta::assert_snapshot;
use mqtt_codec::{QoS, packet::SubscriptionOptions};

const GROUP: &str = "$share/g/a";

/// A target of QoS 2 that a group has chosen.
fn chosen(session: SessionId) -> Target<'static> {
    Target { qos: QoS::ExactlyOnce, group: Some(GROUP), ..to(session) }
}

fn mark() -> u32 {
    mark_of(QoS::ExactlyOnce, false, &[], true)
}

fn dropped(session: SessionId, position: u64) -> Operation<'static> {
    Operation::Dropped { session, position: Position::new(position), mark: mark() }
}

fn joined(session: SessionId, maximum_qos: QoS, identifier: u32) -> Operation<'static> {
    Operation::Subscribed {
        session,
        filter: GROUP,
        options: SubscriptionOptions { maximum_qos, ..SubscriptionOptions::default() },
        identifier,
        share_name_bytes: Some(1),
        wants_retained: false,
    }
}

/// Two members on shard 0, one of which is to end.
fn members(log: &mut Log) -> (SessionId, SessionId) {
    let (ann, bob) = (session(0, 1), session(0, 2));
    log.epoch().open(ann, "ann").open(bob, "bob").operations(0, &[joined(bob, QoS::AtLeastOnce, 7)]);
    (ann, bob)
}

#[test]
fn what_the_ended_member_had_not_yet_goes_to_another() {
    let mut log = Log::new();
    let (ann, _) = members(&mut log);
    // Its own shard's messages it had, and those it has given up.
    log.message(0, &[chosen(ann)]).message(1, &[chosen(ann)]).message(1, &[chosen(ann), to(ann)]);
    log.operations(0, &[dropped(ann, 600), Operation::Ended { session: ann }]);
    // In the log it may as well come behind.
    log.message(1, &[chosen(ann)]).message(1, &[to(ann)]);
    assert_snapshot!(log.state(), @r"
    bob 0.2, 60 s, connected
      $share/g/a QoS 1, identifier 7
      queue @700 [7] $share/g/a @900 [7] $share/g/a
    ");
}

#[test]
fn what_its_shard_has_handed_on_since_is_not_given_again() {
    let mut log = Log::new();
    let (ann, _) = members(&mut log);
    log.message(1, &[chosen(ann)]).operations(0, &[Operation::Ended { session: ann }]);
    log.message(1, &[chosen(ann)]).operations(0, &[dropped(ann, 500), dropped(ann, 700)]);
    assert_snapshot!(log.state(), @r"
    bob 0.2, 60 s, connected
      $share/g/a QoS 1, identifier 7
    ");
}

#[test]
fn it_is_given_once_however_often_the_process_begins() {
    let mut log = Log::new();
    let (ann, _) = members(&mut log);
    log.message(1, &[chosen(ann)]).operations(0, &[Operation::Ended { session: ann }]);
    let bound = session(1, 9);
    log.epoch().operations(1, &[Operation::Bound { session: bound, client_id: "bob" }]);
    let (position, packet_id) = (Position::new(500), packet_id(3));
    let mark = mark_of(QoS::AtLeastOnce, false, &[7], true);
    log.operations(1, &[Operation::Sent { session: bound, position, packet_id, mark }]);
    log.epoch();
    assert_snapshot!(log.state(), @r"
    bob 1.9, 60 s, connected
      $share/g/a QoS 1, identifier 7
      3 QoS 1 sent @500 [7] $share/g/a
    ");
}

#[test]
fn behind_a_floor_what_the_ended_member_was_sent_is_known() {
    let (ann, bob) = (session(0, 1), session(0, 2));
    let mut log = Log::from(5000);
    log.message(1, &[chosen(ann)]).message(1, &[chosen(ann)]).message(1, &[chosen(ann)]);
    let (position, packet_id) = (Position::new(5000), packet_id(1));
    let sent = Operation::Sent { session: ann, position, packet_id, mark: mark() };
    log.operations(0, &[sent, dropped(ann, 5100), Operation::Ended { session: ann }]);
    log.slice(0, &[0, 5200], &[state(bob, "bob", &[])]).operations(0, &[joined(bob, QoS::ExactlyOnce, 0)]);
    assert_snapshot!(log.state(), @r"
    bob 0.2, 60 s, connected
      $share/g/a QoS 2, identifier 0
      queue @5200 $share/g/a
    ");
}

#[test]
fn the_members_with_the_fewest_messages_get_it_and_none_of_qos_0() {
    let mut log = Log::new();
    let (ann, bob) = members(&mut log);
    let (cat, dan) = (session(1, 3), session(1, 4));
    log.open(cat, "cat").open(dan, "dan");
    log.operations(1, &[joined(cat, QoS::ExactlyOnce, 0), joined(dan, QoS::AtMostOnce, 0)]);
    log.message(1, &[to(bob)])
        .message(1, &[chosen(ann)])
        .message(1, &[chosen(ann)])
        .message(1, &[chosen(ann)]);
    log.operations(0, &[Operation::Ended { session: ann }]);
    assert_snapshot!(log.state(), @r"
    bob 0.2, 60 s, connected
      $share/g/a QoS 1, identifier 7
      queue @800 @1000 [7] $share/g/a
    cat 1.3, 60 s, connected
      $share/g/a QoS 2, identifier 0
      queue @900 $share/g/a @1100 $share/g/a
    dan 1.4, 60 s, connected
      $share/g/a QoS 0, identifier 0
    ");
}

#[test]
fn with_nobody_left_it_is_gone() {
    let mut log = Log::new();
    let (ann, bob) = members(&mut log);
    log.message(1, &[chosen(ann)]);
    log.operations(0, &[Operation::Ended { session: ann }, Operation::Ended { session: bob }]);
    log.epoch().open(session(0, 5), "eve").operations(0, &[joined(session(0, 5), QoS::AtLeastOnce, 0)]);
    assert_snapshot!(log.state(), @r"
    eve 0.5, 60 s, connected
      $share/g/a QoS 1, identifier 0
    ");
}
