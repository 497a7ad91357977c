//! Owns topics as types: what they accept, what they take apart, and what matches.

use super::targets;
use mqtt_codec::{TopicFilter, TopicFilterRef, TopicName, TopicNameRef, Violation};

#[test]
fn filters_match_topics_level_by_level() {
    // [MQTT5-4.7.1-1] [MQTT5-4.7.1-2] [MQTT5-4.7.2-1] [MQTT5-4.7.3-4] [MQTT311-4.7.2-1] [MQTT311-4.7.3-4]
    let table = [
        ("a/b", "a/b", true),
        ("a/b", "A/b", false),
        ("a/b", "a/b/", false),
        ("a/b", "/a/b", false),
        ("a", "a/b", false),
        ("#", "a", true),
        ("#", "/", true),
        ("#", "$SYS", false),
        ("#", "$SYS/a", false),
        ("+/a", "$SYS/a", false),
        ("$SYS/#", "$SYS", true),
        ("$SYS/+", "$SYS/a", true),
        ("$SYS/#", "$SYSTEM/a", false),
        ("a/#", "a", true),
        ("a/#", "a/", true),
        ("a/#", "a/b/c", true),
        ("a/#", "ab", false),
        ("+", "a", true),
        ("+", "/a", false),
        ("+", "", false),
        ("/+", "/a", true),
        ("+/+", "/a", true),
        ("a/+", "a", false),
        ("a/+", "a/", true),
        ("a/+/c", "a/b/c", true),
        ("a/+/c", "a//c", true),
        ("a/+/c", "a/b/b/c", false),
        ("+/b/#", "a/b", true),
        ("+/b/#", "a/c", false),
        ("ä/+", "ä/ö", true),
        // U+00C4 against U+0041 U+0308: no normalization.
        ("\u{c4}", "A\u{308}", false),
        ("$share/group/a/+", "a/b", true),
        ("$share/group/a/+", "$share/group/a/b", false),
        ("$share/group/#", "$SYS/a", false),
        ("$share/group/$SYS/#", "$SYS/a", true),
    ];
    for (filter, topic, expected) in table {
        let parsed = TopicFilterRef::new(filter).unwrap();
        match TopicNameRef::new(topic) {
            Ok(topic) => assert_eq!(parsed.matches(&topic), expected, "{filter} {topic}"),
            Err(violation) => assert_eq!((topic, violation), ("", Violation::TopicEmpty)),
        }
        targets::topic_match(format!("{filter}\0{topic}").as_bytes());
    }
}

#[test]
fn a_shared_filter_is_taken_apart() {
    // [MQTT5-4.8.2-1] [MQTT5-4.8.2-2]
    for (text, share_name, matched) in [
        ("a/b", None, "a/b"),
        ("$share", None, "$share"),
        ("$shared/a/b", None, "$shared/a/b"),
        ("a/$share/b/c", None, "a/$share/b/c"),
        ("$share/group/a", Some("group"), "a"),
        ("$share/group//", Some("group"), "/"),
        ("$share/g/$share/h/a", Some("g"), "$share/h/a"),
        ("$share/ü/#", Some("ü"), "#"),
    ] {
        let filter = TopicFilterRef::new(text).unwrap();
        assert_eq!((filter.share_name(), filter.matched(), filter.as_str()), (share_name, matched, text));
        assert_eq!(filter.to_owned(), TopicFilter::owned(text).unwrap());
        assert_eq!(filter.to_string(), text);
    }
}

#[test]
fn a_wildcard_is_seen_in_the_filter_and_not_in_its_share() {
    for (text, expected) in
        [("a/b", false), ("a/+", true), ("#", true), ("$share/g/a", false), ("$share/g/+", true)]
    {
        assert_eq!(TopicFilterRef::new(text).unwrap().has_wildcard(), expected, "{text}");
    }
}

#[test]
fn topics_have_a_level_more_than_slashes() {
    for (text, levels) in
        [("a", &["a"][..]), ("/", &["", ""]), ("a//b", &["a", "", "b"]), ("$SYS/a", &["$SYS", "a"])]
    {
        assert_eq!(TopicName::owned(text).unwrap().levels().collect::<Vec<_>>(), levels);
    }
}

#[test]
fn illegal_topics_and_filters_cannot_be_made() {
    // [MQTT5-4.7.0-1] [MQTT5-4.7.3-1] [MQTT5-4.7.3-2] [MQTT311-4.7.1-1] [MQTT311-4.7.3-1] [MQTT311-4.7.3-2]
    for (text, violation) in [
        ("", Violation::TopicEmpty),
        ("a/+", Violation::TopicNameWildcard),
        ("#", Violation::TopicNameWildcard),
        ("a\0", Violation::TextHasNul),
    ] {
        assert_eq!(TopicName::owned(text), Err(violation), "{text:?}");
    }
    for (text, violation) in [
        ("", Violation::TopicEmpty),
        ("a\0", Violation::TextHasNul),
        ("$share/\0/a", Violation::TextHasNul),
        ("a/#/b", Violation::MultiLevelWildcard),
        ("a+", Violation::SingleLevelWildcard),
        ("$share/", Violation::ShareNameEmpty),
        ("$share//", Violation::ShareNameEmpty),
        ("$share/a", Violation::ShareFilterMissing),
        ("$share/a/", Violation::ShareFilterMissing),
        ("$share/+/a", Violation::ShareNameWildcard),
    ] {
        assert_eq!(TopicFilter::owned(text), Err(violation), "{text:?}");
        targets::topic_match(text.as_bytes());
    }
}
