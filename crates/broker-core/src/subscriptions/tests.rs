//! What the index says of topics, one rule at a time.

use mqtt_codec::QoS;

use super::*;
use crate::ids::ShardId;

mod memory;
mod reference;
mod shared;

fn session(number: u32) -> SessionId {
    SessionId::new(ShardId(0), number, 0)
}

fn subscriber(number: u32) -> Subscriber {
    Subscriber {
        session: session(number),
        qos: QoS::AtMostOnce,
        no_local: false,
        retain_as_published: false,
        identifier: 0,
    }
}

fn new_index() -> SubscriptionIndex {
    SubscriptionIndex::new(0x5EED)
}

fn matching(index: &SubscriptionIndex, topic: &str) -> Matches {
    let mut matches = Matches::new();
    index.matches(topic, None, &mut matches);
    matches
}

fn sessions(matches: &Matches) -> Vec<SessionId> {
    matches.targets().iter().map(|target| target.session).collect()
}

/// Subscribes to one filter and says whether the topic reaches it.
fn reaches(filter: &str, topic: &str) -> bool {
    let index = new_index();
    index.subscribe(filter, subscriber(1));
    !matching(&index, topic).is_empty()
}

/// `[MQTT5-4.7.1-1]` `[MQTT5-4.7.1-2]` `[MQTT5-4.7.2-1]` `[MQTT311-3.3.2-3]` `[MQTT311-4.7.1-2]`
/// `[MQTT311-4.7.1-3]` `[MQTT311-4.7.2-1]`
#[test]
fn a_filter_matches_what_the_specification_says() {
    for (filter, matched, unmatched) in [
        ("sport", &["sport"][..], &["sports", "spor", "sport/", "/sport", "Sport"][..]),
        ("sport/tennis", &["sport/tennis"], &["sport", "sport/tennis/x", "sport/", "sport//tennis"]),
        (
            "sport/tennis/player1/#",
            &["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/x"],
            &["sport/tennis", "sport/tennis/player2", "sport/tennis/player11"],
        ),
        ("sport/#", &["sport", "sport/", "sport/a/b/c"], &["sports", "a/sport"]),
        ("#", &["a", "/", "/a", "a//b", "a/b/c/d/e"], &["$SYS", "$SYS/a", "$"]),
        ("+", &["a", "sport"], &["a/b", "/", "$SYS", "a/"]),
        ("+/+", &["/finance", "a/b", "/", "a/"], &["a", "a/b/c", "$SYS/a"]),
        ("/+", &["/finance", "/"], &["finance", "a/b", "/a/b"]),
        ("+/", &["a/", "/"], &["a", "a/b"]),
        ("sport/+", &["sport/", "sport/tennis"], &["sport", "sport/tennis/x"]),
        ("+/tennis/#", &["a/tennis", "/tennis", "a/tennis/b/c"], &["tennis", "a/b/tennis", "$a/tennis"]),
        ("a/+/c", &["a/b/c", "a//c", "a/$b/c"], &["a/b", "a/c", "a/b/d"]),
        ("a/+/+/d/#", &["a/b/c/d", "a///d/e"], &["a/b/d", "a/b/c/x/d"]),
        ("$SYS/#", &["$SYS", "$SYS/broker/load"], &["SYS", "$SYSX"]),
        ("$SYS/+/load", &["$SYS/broker/load", "$SYS//load"], &["$SYS/broker"]),
        ("a/#", &["a/$b", "a/$SYS/c"], &["$a"]),
        ("/", &["/"], &["", "a", "//"]),
        ("//#", &["/", "//", "//a", "///"], &["a", "a//"]),
        ("a//b", &["a//b"], &["a/b", "a/ /b"]),
        ("grün/+", &["grün/ä", "grün/"], &["grun/a"]),
        (
            "level of more than twenty-two bytes/+",
            &["level of more than twenty-two bytes/a"],
            &["level of more than twenty-two byteS/a"],
        ),
    ] {
        for topic in matched {
            assert!(reaches(filter, topic), "{filter} does not match {topic}");
        }
        for topic in unmatched {
            assert!(!reaches(filter, topic), "{filter} matches {topic}");
        }
    }
}

/// `[MQTT5-3.3.4-2]` `[MQTT5-3.3.4-3]` `[MQTT5-3.3.4-4]` `[MQTT311-3.3.5-1]`
#[test]
fn overlapping_subscriptions_become_one_target_with_the_highest_qos_and_every_identifier() {
    let index = new_index();
    index.subscribe("a/b", Subscriber { qos: QoS::AtLeastOnce, identifier: 7, ..subscriber(1) });
    index.subscribe("a/+", Subscriber { qos: QoS::ExactlyOnce, ..subscriber(1) });
    index.subscribe("#", Subscriber { identifier: 268_435_455, retain_as_published: true, ..subscriber(1) });
    index.subscribe("a/#", Subscriber { identifier: 7, ..subscriber(2) });
    let matches = matching(&index, "a/b");
    let [first, second] = matches.targets() else { panic!("two sessions match: {matches:?}") };
    assert_eq!((first.session, first.qos, first.retain_as_published), (session(1), QoS::ExactlyOnce, true));
    let mut identifiers = matches.identifiers(first).to_vec();
    identifiers.sort_unstable();
    assert_eq!(identifiers, [7, 268_435_455]);
    assert_eq!(
        (second.session, second.qos, second.retain_as_published),
        (session(2), QoS::AtMostOnce, false)
    );
    assert_eq!(matches.identifiers(second), [7]);
}

/// `[MQTT5-3.8.4-3]` `[MQTT311-3.8.4-3]`
#[test]
fn subscribing_again_replaces_the_options() {
    for filter in ["a/b", "a/+", "#"] {
        let index = new_index();
        let first = Subscriber { qos: QoS::ExactlyOnce, identifier: 1, ..subscriber(1) };
        assert_eq!(index.subscribe(filter, first), Subscribed::New);
        assert_eq!(
            index.subscribe(filter, Subscriber { identifier: 2, ..subscriber(1) }),
            Subscribed::Replaced
        );
        let matches = matching(&index, "a/b");
        assert_eq!(matches.targets().len(), 1, "{filter}");
        assert_eq!(matches.targets()[0].qos, QoS::AtMostOnce, "{filter}");
        assert_eq!(matches.identifiers(&matches.targets()[0]), [2], "{filter}");
        assert_eq!(index.counts().subscriptions, 1);
    }
}

/// `[MQTT5-3.8.3-3]`
#[test]
fn a_no_local_subscription_does_not_count_for_its_own_publisher() {
    let index = new_index();
    index
        .subscribe("a", Subscriber { no_local: true, qos: QoS::ExactlyOnce, identifier: 3, ..subscriber(1) });
    index.subscribe("a", Subscriber { no_local: true, ..subscriber(2) });
    let mut matches = Matches::new();
    index.matches("a", Some(session(1)), &mut matches);
    assert_eq!(sessions(&matches), [session(2)]);
    index.matches("a", Some(session(9)), &mut matches);
    assert_eq!(sessions(&matches), [session(1), session(2)]);
    // Another subscription of the same session still counts, with its own options alone.
    index.subscribe("+", Subscriber { qos: QoS::AtLeastOnce, ..subscriber(1) });
    index.matches("a", Some(session(1)), &mut matches);
    assert_eq!(sessions(&matches), [session(1), session(2)]);
    assert_eq!(matches.targets()[0].qos, QoS::AtLeastOnce);
    assert_eq!(matches.identifiers(&matches.targets()[0]), [0; 0]);
}

#[test]
fn targets_come_grouped_by_shard() {
    let index = new_index();
    for number in 0..30 {
        let session = SessionId::new(ShardId(u16::try_from(number % 3).unwrap()), number, number);
        let filter = ["a/b", "a/+", "#"][number as usize % 2];
        index.subscribe(filter, Subscriber { session, ..subscriber(0) });
    }
    let matches = matching(&index, "a/b");
    let mut shards = Vec::new();
    for (shard, targets) in matches.by_shard() {
        assert!(targets.iter().all(|target| target.session.shard() == shard));
        assert!(targets.is_sorted_by_key(|target| target.session));
        shards.push((shard.0, targets.len()));
    }
    assert_eq!(shards, [(0, 10), (1, 10), (2, 10)]);
}

#[test]
fn one_filter_holds_any_number_of_subscribers_and_lets_them_go() {
    for filter in ["a/b", "a/+"] {
        let index = new_index();
        // Not in order, past the size at which a list changes shape, and back.
        let numbers: Vec<u32> = (0..200).map(|number| number * 77 % 200).collect();
        for (present, &number) in numbers.iter().enumerate() {
            assert_eq!(matching(&index, "a/b").targets().len(), present);
            assert_eq!(index.subscribe(filter, subscriber(number)), Subscribed::New);
            assert_eq!(
                index.subscribe(filter, Subscriber { qos: QoS::AtLeastOnce, ..subscriber(number) }),
                Subscribed::Replaced
            );
        }
        let matches = matching(&index, "a/b");
        assert!(matches.targets().is_sorted_by_key(|target| target.session));
        assert!(matches.targets().iter().all(|target| target.qos == QoS::AtLeastOnce));
        for (removed, &number) in numbers.iter().enumerate() {
            assert_eq!(matching(&index, "a/b").targets().len(), 200 - removed);
            assert!(index.unsubscribe(filter, session(number)));
            assert!(!index.unsubscribe(filter, session(number)));
        }
        assert_eq!(index.counts(), SubscriptionCounts::default());
    }
}

#[test]
fn the_last_unsubscription_leaves_nothing_behind() {
    let filters = [
        "a",
        "a/b",
        "a/+",
        "a/+/c",
        "a/#",
        "#",
        "+",
        "+/+/+",
        "a/long level of more than twenty-two bytes/#",
    ];
    let index = new_index();
    let empty_bytes = index.memory_bytes();
    for number in 0..100 {
        for filter in filters {
            index.subscribe(filter, subscriber(number));
            index.subscribe(&format!("{filter}/{number}").replace('#', "x"), subscriber(number));
        }
    }
    assert!(index.counts().trie_nodes > 100);
    for number in 0..100 {
        for filter in filters {
            assert!(index.unsubscribe(filter, session(number)));
            assert!(index.unsubscribe(&format!("{filter}/{number}").replace('#', "x"), session(number)));
        }
    }
    assert_eq!(index.counts(), SubscriptionCounts::default());
    assert!(
        index.memory_bytes() <= empty_bytes,
        "{} bytes stay, {empty_bytes} at first",
        index.memory_bytes()
    );
}

#[test]
fn unsubscribing_from_what_was_never_subscribed_changes_nothing() {
    let index = new_index();
    index.subscribe("a/b/+", subscriber(1));
    index.subscribe("x/y", subscriber(1));
    let generation = index.generation();
    for (filter, number) in
        [("a/b/+", 2), ("a/b", 1), ("a/+", 1), ("a/b/#", 1), ("a/b/+/c", 1), ("x/y", 2), ("x", 1)]
    {
        assert!(!index.unsubscribe(filter, session(number)), "{filter}");
    }
    assert_eq!(index.generation(), generation);
    assert_eq!(index.counts().subscriptions, 2);
    assert_eq!(index.counts().trie_nodes, 3);
}

#[test]
fn the_generation_moves_with_each_change_and_only_then() {
    let index = new_index();
    let mut last = index.generation();
    let mut moved =
        |index: &SubscriptionIndex| core::mem::replace(&mut last, index.generation()) != index.generation();
    index.subscribe("a", subscriber(1));
    assert!(moved(&index), "a new subscription");
    index.subscribe("a", subscriber(1));
    assert!(!moved(&index), "the same subscription again");
    index.subscribe("a", Subscriber { qos: QoS::AtLeastOnce, ..subscriber(1) });
    assert!(moved(&index), "new options");
    index.subscribe_shared("g", "a", subscriber(2));
    assert!(moved(&index), "a new group");
    index.subscribe_shared("g", "a", subscriber(3));
    assert!(!moved(&index), "a new member");
    index.unsubscribe_shared("g", "a", session(2));
    assert!(!moved(&index), "a member less");
    index.unsubscribe_shared("g", "a", session(3));
    assert!(moved(&index), "a group less");
    index.unsubscribe("a", session(1));
    assert!(moved(&index), "a subscription less");
    assert_eq!(matching(&index, "a").generation(), index.generation());
}
