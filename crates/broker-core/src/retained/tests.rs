//! The retained store: its promises one by one, its walks against a slow matcher.

use std::sync::Arc;

use super::*;

mod reference;

#[derive(Debug, PartialEq, Eq)]
struct Message {
    topic: String,
    bytes: usize,
    expires_at: Option<Timestamp>,
}

impl Retainable for Arc<Message> {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

const NOW: Timestamp = Timestamp::from_millis(1000);
const ENDLESS: PageLimits = PageLimits { messages_max: usize::MAX, bytes_max: u64::MAX };

fn message(topic: &str, bytes: usize) -> Arc<Message> {
    Arc::new(Message { topic: topic.to_owned(), bytes, expires_at: None })
}

fn expiring(topic: &str, bytes: usize, expires_at: u64) -> Arc<Message> {
    let expires_at = Some(Timestamp::from_millis(expires_at));
    Arc::new(Message { topic: topic.to_owned(), bytes, expires_at })
}

fn store(topics: &[&str]) -> RetainedStore<Arc<Message>> {
    let store = RetainedStore::new(RetainedLimits { messages_max: 2_000_000, bytes_max: 1 << 40 });
    for topic in topics {
        store.set(topic, message(topic, 1), NOW).expect("there is room");
    }
    store
}

/// Every topic a filter returns, and the number of pages it took.
fn walk(store: &RetainedStore<Arc<Message>>, filter: &str, limits: PageLimits) -> (Vec<String>, usize) {
    let (mut cursor, mut out, mut pages) = (RetainedCursor::default(), Vec::new(), 1);
    while store.page(filter, &mut cursor, limits, NOW, &mut out) == Page::More {
        pages += 1;
    }
    let ended = cursor.clone();
    assert_eq!(store.page(filter, &mut cursor, limits, NOW, &mut out), Page::Done, "it is over");
    assert_eq!(cursor, ended);
    (out.iter().map(|message| message.topic.clone()).collect(), pages)
}

/// `[MQTT5-4.7.1-1]` `[MQTT5-4.7.1-2]` `[MQTT5-4.7.2-1]` `[MQTT311-4.7.2-1]`
#[test]
fn a_filter_returns_the_topics_it_matches_in_the_order_of_their_levels() {
    let topics = [
        "$SYS/a", "/", "/a", "a", "a!", "a!/x", "a/", "a//x", "a/b", "a/b/c", "a/b/c/d", "a/bb", "a/b c/x",
        "b/b", "b/x", "ab/b", "é/b",
    ];
    for (filter, expected) in [
        ("a", &["a"][..]),
        ("a/b", &["a/b"]),
        ("a/x", &[]),
        ("a/#", &["a", "a/", "a//x", "a/b", "a/b/c", "a/b/c/d", "a/b c/x", "a/bb"]),
        ("a/b/#", &["a/b", "a/b/c", "a/b/c/d"]),
        ("+", &["a", "a!"]),
        ("+/+", &["/", "/a", "a/", "a/b", "a/bb", "a!/x", "ab/b", "b/b", "b/x", "é/b"]),
        ("+/b", &["a/b", "ab/b", "b/b", "é/b"]),
        ("+/+/x", &["a//x", "a/b c/x"]),
        ("+/b/#", &["a/b", "a/b/c", "a/b/c/d", "ab/b", "b/b", "é/b"]),
        ("a/+", &["a/", "a/b", "a/bb"]),
        ("a/+/+", &["a//x", "a/b/c", "a/b c/x"]),
        ("/#", &["/", "/a"]),
        ("/+", &["/", "/a"]),
        ("$SYS/#", &["$SYS/a"]),
        ("$SYS/+", &["$SYS/a"]),
        ("z/#", &[]),
    ] {
        for messages_max in [1, 2, usize::MAX] {
            let found = walk(&store(&topics), filter, PageLimits { messages_max, ..ENDLESS }).0;
            assert_eq!(found, expected, "{filter}, {messages_max} a page");
        }
    }
    assert_eq!(walk(&store(&topics), "#", ENDLESS).0.len(), topics.len() - 1, "all but $SYS/a");
}

/// `[MQTT5-3.3.1-5]` `[MQTT5-3.3.1-6]` `[MQTT311-3.3.1-5]` `[MQTT311-3.3.1-10]`
#[test]
fn a_topic_holds_its_last_message_until_it_is_cleared() {
    let store = store(&[]);
    store.set("a/b", message("first", 10), NOW).unwrap();
    store.set("a/b", message("second", 4), NOW).unwrap();
    assert_eq!(store.get("a/b", NOW), Some(message("second", 4)));
    assert_eq!(store.counts(), RetainedCounts { messages: 1, bytes: 4 });
    assert!(store.clear("a/b").is_some());
    assert!(store.clear("a/b").is_none());
    assert_eq!(store.get("a/b", NOW), None);
    assert_eq!(store.counts(), RetainedCounts::default());
}

#[test]
fn the_limit_on_messages_refuses_one_more_but_not_a_replacement() {
    let store = RetainedStore::new(RetainedLimits { messages_max: 2, bytes_max: 100 });
    store.set("a", message("a", 1), NOW).unwrap();
    store.set("b", message("b", 1), NOW).unwrap();
    assert_eq!(store.set("c", message("c", 1), NOW), Err(RetainedFull::Messages));
    store.set("b", message("b", 2), NOW).unwrap();
    store.clear("a");
    store.set("c", message("c", 1), NOW).unwrap();
    assert_eq!(store.counts(), RetainedCounts { messages: 2, bytes: 3 });
}

#[test]
fn the_limit_on_bytes_counts_the_difference_of_a_replacement() {
    let store = RetainedStore::new(RetainedLimits { messages_max: 10, bytes_max: 100 });
    store.set("a", message("a", 60), NOW).unwrap();
    assert_eq!(store.set("b", message("b", 41), NOW), Err(RetainedFull::Bytes));
    store.set("b", message("b", 40), NOW).unwrap();
    assert_eq!(store.set("a", message("a", 61), NOW), Err(RetainedFull::Bytes));
    assert_eq!(store.get("a", NOW), Some(message("a", 60)), "the former message stays");
    store.set("a", message("a", 60), NOW).unwrap();
    store.set("a", message("a", 10), NOW).unwrap();
    assert_eq!(store.counts(), RetainedCounts { messages: 2, bytes: 50 });
}

#[test]
fn what_has_expired_makes_room() {
    let store = RetainedStore::new(RetainedLimits { messages_max: 2, bytes_max: 100 });
    store.set("a", expiring("a", 50, 1001), NOW).unwrap();
    store.set("b", message("b", 50), NOW).unwrap();
    assert_eq!(store.set("c", message("c", 50), NOW), Err(RetainedFull::Messages));
    store.set("c", message("c", 50), NOW.plus_millis(1)).unwrap();
    assert_eq!(store.get("a", NOW), None);
    assert_eq!(store.counts(), RetainedCounts { messages: 2, bytes: 100 });
}

/// `[MQTT5-3.3.2-5]`
#[test]
fn an_expired_message_is_not_returned_and_is_swept_within_the_budget() {
    let store = store(&["a/still there"]);
    for (topic, expires_at) in [("a/1", 1000), ("a/2", 999), ("a/3", 1001), ("a/4", 10)] {
        store.set(topic, expiring(topic, 1, expires_at), Timestamp::ZERO).unwrap();
    }
    // A replacement takes the former message's expiry with it.
    store.set("a/4", expiring("a/4", 1, 5000), NOW).unwrap();
    assert_eq!(walk(&store, "a/#", ENDLESS).0, ["a/3", "a/4", "a/still there"]);
    assert_eq!(store.get("a/1", NOW), None);
    assert_eq!(store.get("a/3", NOW), Some(expiring("a/3", 1, 1001)));
    assert_eq!(store.counts().messages, 5);
    assert_eq!(store.next_expiry(), Some(Timestamp::from_millis(999)));
    assert_eq!(expire(&store, Timestamp::from_millis(998), 10), 0);
    assert_eq!(expire(&store, NOW, 1), 1);
    assert_eq!(expire(&store, NOW, 10), 1);
    assert_eq!(store.counts().messages, 3);
    assert_eq!(store.next_expiry(), Some(Timestamp::from_millis(1001)));
    assert_eq!(expire(&store, Timestamp::NEVER, 10), 2);
    assert_eq!((store.counts().messages, store.next_expiry()), (1, None));
}

#[test]
fn a_page_ends_at_its_bytes_but_takes_one_message_of_any_size() {
    let store = store(&[]);
    for (topic, bytes) in [("a", 1000), ("b", 40), ("c", 60), ("d", 1), ("e", 100)] {
        store.set(topic, message(topic, bytes), NOW).unwrap();
    }
    let (mut cursor, mut sizes) = (RetainedCursor::default(), Vec::new());
    let limits = PageLimits { messages_max: 10, bytes_max: 100 };
    loop {
        let mut out = Vec::new();
        let page = store.page("#", &mut cursor, limits, NOW, &mut out);
        sizes.push(out.len());
        if page == Page::Done {
            break;
        }
    }
    assert_eq!(sizes, [1, 2, 1, 1]);
}

#[test]
fn what_changes_between_pages_shows_if_it_lies_ahead() {
    let store = store(&["a", "b", "c", "e"]);
    let limits = PageLimits { messages_max: 2, ..ENDLESS };
    let (mut cursor, mut out) = (RetainedCursor::default(), Vec::new());
    assert_eq!(store.page("#", &mut cursor, limits, NOW, &mut out), Page::More);
    store.clear("c");
    store.set("aa", message("aa", 1), NOW).unwrap();
    store.set("b", message("b again", 1), NOW).unwrap();
    store.set("d", message("d", 1), NOW).unwrap();
    assert_eq!(store.page("#", &mut cursor, limits, NOW, &mut out), Page::Done);
    let topics: Vec<_> = out.iter().map(|message| message.topic.as_str()).collect();
    assert_eq!(topics, ["a", "b", "d", "e"]);
}

#[test]
fn a_page_that_finds_nothing_ends_before_it_has_seen_everything() {
    let store = store(&[]);
    for number in 0..20_000 {
        let topic = format!("device/{number}/a");
        store.set(&topic, message(&topic, 1), NOW).unwrap();
    }
    store.set("device/x/x", message("device/x/x", 1), NOW).unwrap();
    let (found, pages) = walk(&store, "device/+/x", ENDLESS);
    assert_eq!(found, ["device/x/x"]);
    assert!((5..=20_000 / 1000).contains(&pages), "{pages} pages");
}

#[test]
fn a_single_level_wildcard_skips_what_lies_below_its_siblings() {
    let store = store(&[]);
    for number in 0..30_000 {
        let topic = format!("{}/below/{number}", number % 3);
        store.set(&topic, message(&topic, 1), NOW).unwrap();
    }
    for topic in ["0/x", "1/x", "2"] {
        store.set(topic, message(topic, 1), NOW).unwrap();
    }
    // One page: the topics below are sought past, not looked at one by one.
    assert_eq!(walk(&store, "+/x", ENDLESS), (vec!["0/x".to_owned(), "1/x".to_owned()], 1));
    assert_eq!(walk(&store, "+", ENDLESS), (vec!["2".to_owned()], 1));
}

/// How many messages have expired and are removed.
fn expire(store: &RetainedStore<Arc<Message>>, now: Timestamp, budget: usize) -> usize {
    let mut removed = Vec::new();
    store.expire(now, budget, &mut removed);
    removed.len()
}
