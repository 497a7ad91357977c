//! Proves which sessions there are after a replay, and what they are subscribed to.

use super::log::{Log, session, state, to};
use crate::{
    journal::{Operation, WillRef},
    time::Timestamp,
};
use insta::assert_snapshot;
use mqtt_codec::{QoS, packet::SubscriptionOptions};

const WILL: WillRef<'static> = WillRef {
    topic: "gone",
    properties: &[],
    payload: b"bye",
    qos: QoS::AtLeastOnce,
    retain: false,
    delay_seconds: 5,
    expiry_seconds: None,
};

fn subscribed(filter: &'static str, identifier: u32, wants_retained: bool) -> Operation<'static> {
    Operation::Subscribed {
        session: session(0, 1),
        filter,
        options: SubscriptionOptions::qos(QoS::AtLeastOnce),
        identifier,
        share_name_bytes: None,
        wants_retained,
    }
}

#[test]
fn a_session_is_as_its_last_operations_left_it() {
    let ann = session(0, 1);
    let mut log = Log::new();
    log.open(ann, "ann").open(session(1, 1), "bob");
    let at = Timestamp::from_millis(777);
    log.operations(0, &[Operation::Disconnected { session: ann, at, expiry_seconds: 9, keeps_will: false }]);
    assert_snapshot!(log.state(), @r"
    ann 0.1, 9 s, gone since 777
    bob 1.1, 60 s, connected
    ");
}

#[test]
fn a_session_that_has_only_begun_ends_with_its_connection() {
    let mut log = Log::new();
    log.operations(0, &[Operation::Opened { session: session(0, 1), client_id: "ann" }]);
    assert_snapshot!(log.state(), @"ann 0.1, 0 s, connected");
}

#[test]
fn a_session_that_has_ended_is_gone_and_what_names_it_is_passed_over() {
    let ann = session(0, 1);
    let mut log = Log::new();
    log.open(ann, "ann").operations(0, &[Operation::Ended { session: ann }]);
    log.message(1, &[to(ann)])
        .operations(0, &[subscribed("a", 0, false), Operation::WillGone { session: ann }]);
    log.operations(0, &[Operation::Ended { session: ann }]);
    assert_snapshot!(log.state(), @"");
}

#[test]
fn a_client_that_starts_anew_has_another_session() {
    let (ann, anew) = (session(0, 1), session(0, 2));
    let mut log = Log::new();
    log.open(ann, "ann").message(0, &[to(ann)]);
    log.operations(0, &[Operation::Ended { session: ann }]).open(anew, "ann");
    log.message(0, &[to(ann), to(anew)]);
    assert_snapshot!(log.state(), @r"
    ann 0.2, 60 s, connected
      queue @500
    ");
}

#[test]
fn sessions_outlive_the_process_and_have_the_keys_they_are_bound_to() {
    let (one, two) = (session(0, 1), session(0, 2));
    let mut log = Log::new();
    log.epoch().open(one, "ann").open(two, "bob").message(0, &[to(one), to(two)]);
    log.epoch();
    // The keys of before name nobody, until they are given again: the other way round, as it happens.
    log.operations(0, &[Operation::Ended { session: one }]);
    log.operations(0, &[Operation::Bound { session: two, client_id: "ann" }]);
    log.operations(0, &[Operation::Bound { session: one, client_id: "bob" }]);
    log.message(0, &[to(two)]);
    assert_snapshot!(log.state(), @r"
    ann 0.2, 60 s, connected
      queue @400 @900
    bob 0.1, 60 s, connected
      queue @400
    ");
}

#[test]
fn a_session_that_a_process_did_not_come_to_binding_is_there_for_the_next() {
    let mut log = Log::new();
    log.open(session(0, 1), "ann").message(0, &[to(session(0, 1))]);
    log.epoch().epoch();
    log.operations(1, &[Operation::Bound { session: session(1, 7), client_id: "ann" }]);
    log.operations(1, &[Operation::Bound { session: session(1, 8), client_id: "nobody" }]);
    assert_snapshot!(log.state(), @r"
    ann 1.7, 60 s, connected
      queue @200
    ");
}

#[test]
fn a_client_whose_session_was_not_bound_may_open_another() {
    let mut log = Log::new();
    log.open(session(0, 1), "ann").message(0, &[to(session(0, 1))]);
    log.epoch().open(session(1, 1), "ann");
    assert_snapshot!(log.state(), @"ann 1.1, 60 s, connected");
}

#[test]
fn what_another_shard_records_for_a_session_a_moment_before_it_begins_is_kept() {
    let ann = session(0, 1);
    let mut log = Log::new();
    log.message(1, &[to(ann)]).received(ann, 5, &[]).open(ann, "ann").message(1, &[to(ann)]);
    log.epoch().message(1, &[to(session(0, 2))]);
    log.operations(0, &[Operation::Bound { session: session(0, 2), client_id: "ann" }]);
    assert_snapshot!(log.state(), @r"
    ann 0.2, 60 s, connected
      received [5]
      queue @100 @400 @600
    ");
}

#[test]
fn a_will_stays_until_it_is_published_or_discarded() {
    let mut log = Log::new();
    for (slot, client_id) in [(1, "kept"), (2, "clean"), (3, "back"), (4, "done")] {
        let session = session(0, slot);
        log.operations(
            0,
            &[
                Operation::Opened { session, client_id },
                Operation::Connected { session, expiry_seconds: 60, will: Some(WILL) },
            ],
        );
        let (at, keeps_will) = (Timestamp::from_millis(1), client_id != "clean");
        log.operations(0, &[Operation::Disconnected { session, at, expiry_seconds: 60, keeps_will }]);
    }
    let session = |slot| session(0, slot);
    log.operations(0, &[Operation::Connected { session: session(3), expiry_seconds: 60, will: None }]);
    log.operations(0, &[Operation::WillGone { session: session(4) }]);
    assert_snapshot!(log.state(), @r#"
    back 0.3, 60 s, connected
    clean 0.2, 60 s, gone since 1
    done 0.4, 60 s, gone since 1
    kept 0.1, 60 s, gone since 1
      will gone "bye" after 5 s
    "#);
}

#[test]
fn a_subscription_is_the_last_of_its_filter_and_goes_on_with_the_retained_messages() {
    let ann = session(0, 1);
    let progress = |filter, cursor| Operation::RetainedProgress { session: ann, filter, cursor };
    let mut log = Log::new();
    log.open(ann, "ann").operations(
        0,
        &[
            subscribed("goes/on", 1, true),
            progress("goes/on", Some(b"m")),
            subscribed("goes/on", 2, false),
            subscribed("again", 1, true),
            progress("again", Some(b"m")),
            subscribed("again", 2, true),
            subscribed("done", 3, true),
            progress("done", None),
            subscribed("none", 4, false),
            subscribed("over", 5, true),
            Operation::Unsubscribed { session: ann, filter: "over" },
            progress("over", Some(b"m")),
            Operation::Unsubscribed { session: ann, filter: "over" },
        ],
    );
    assert_snapshot!(log.state(), @r"
    ann 0.1, 60 s, connected
      again QoS 1, identifier 2, retained from the start
      done QoS 1, identifier 3
      goes/on QoS 1, identifier 2, retained from m
      none QoS 1, identifier 4
    ");
}

#[test]
fn a_slice_tells_of_a_session_whose_client_had_another_one() {
    let mut log = Log::new();
    log.open(session(0, 1), "ann").epoch();
    log.slice(1, &[], &[state(session(1, 5), "ann", &[50])]).message(1, &[to(session(1, 5))]);
    assert_snapshot!(log.state(), @r"
    ann 1.5, 60 s, connected
      queue @50 @400
    ");
}
