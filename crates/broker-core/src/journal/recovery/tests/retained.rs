//! Proves which messages are retained after a replay, those that must still be read included.

use super::log::{Log, message, message_record, retained_record, retained_text};
use crate::{
    ids::ShardId,
    journal::{MessageHead, Position, Recovered},
};
use insta::assert_snapshot;

fn unread(recovered: &Recovered) -> Vec<u64> {
    recovered.unread().iter().copied().map(Position::get).collect()
}

#[test]
fn the_last_record_of_a_topic_says_what_is_retained() {
    let mut log = Log::new();
    log.retain("a", "ann").retain("b", "bob").retain("a", "").clear("b").retain("c", "ann").clear("d");
    assert_snapshot!(log.state(), @r#"
    a @300 by ""
    c @500 by "ann"
    "#);
}

#[test]
fn a_page_says_nothing_new_of_what_was_replayed() {
    let mut log = Log::new();
    log.retain("a", "ann").retain("b", "ann").retain("b", "bob").page(300, &[100, 200]).clear("a");
    let recovered = log.finish();
    assert_eq!(unread(&recovered), [] as [u64; 0]);
    assert_snapshot!(retained_text(&recovered), @r#"b @300 by "bob""#);
}

#[test]
fn what_a_page_names_is_retained_unless_something_later_was_said_of_its_topic() {
    let mut log = Log::from(5000);
    log.retain("set before the next page", "bob"); // at 5000
    log.page(5000, &[50, 20, 30, 10]); // 5100
    log.retain("set", "bob").clear("cleared"); // 5200, 5300
    log.page(5400, &[40, 20]); // 5400
    let mut recovered = log.finish();
    assert_eq!(unread(&recovered), [10, 20, 30, 40, 50]);
    for (position, topic) in
        [(10, "set"), (20, "kept"), (30, "cleared"), (40, "kept, too"), (50, "set before the next page")]
    {
        let record = retained_record(topic, "ann");
        recovered.supply(Position::new(position), &record).expect("a retained message");
    }
    assert_snapshot!(retained_text(&recovered), @r#"
    kept @20 by "ann"
    kept, too @40 by "ann"
    set @5200 by "bob"
    set before the next page @5000 by "bob"
    "#);
    let references: Vec<_> = recovered.references().map(Position::get).collect();
    assert_eq!(references, [20, 40, 5200, 5000]);
    assert_eq!(recovered.retained_count(), 4);
}

#[test]
fn a_message_that_two_pages_name_is_as_the_later_one_says() {
    // Cleared before the second page was read, and set again by a record before the floor: it cannot be, but for
    // what the second page says it counts.
    let mut log = Log::from(5000);
    log.page(5000, &[10]).clear("a").page(5200, &[10]);
    let mut recovered = log.finish();
    recovered.supply(Position::new(10), &retained_record("a", "ann")).expect("a retained message");
    assert_snapshot!(retained_text(&recovered), @r#"a @10 by "ann""#);
}

#[test]
fn the_later_of_two_messages_of_a_topic_wins_in_whatever_order_they_are_supplied() {
    for order in [[10, 20], [20, 10]] {
        let mut log = Log::from(5000);
        log.page(5000, &[10]).page(5100, &[20]);
        let mut recovered = log.finish();
        for position in order {
            let record = retained_record("a", "ann");
            recovered.supply(Position::new(position), &record).expect("a retained message");
        }
        assert_eq!(retained_text(&recovered), "a @20 by \"ann\"\n", "{order:?}");
    }
}

#[test]
fn nothing_but_what_was_asked_for_can_be_supplied() {
    let mut log = Log::from(5000);
    log.page(5000, &[10]);
    let mut recovered = log.finish();
    recovered.supply(Position::new(11), &retained_record("a", "ann")).expect("a retained message");
    assert_eq!(recovered.retained_count(), 0);
    let head = MessageHead { writer: ShardId(0), message: message("a"), retained_by: None, receipt: None };
    let not_retained = message_record(&head, &[]);
    let error = recovered.supply(Position::new(10), &not_retained).expect_err("it was not retained");
    assert_snapshot!(error, @"the kind of a retained message has no meaning");
    let error = recovered.supply(Position::new(10), &[]).expect_err("no record at all");
    assert_snapshot!(error, @"a record ends inside its kind");
}
