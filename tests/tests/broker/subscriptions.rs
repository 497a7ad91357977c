//! Owns the tests of SUBSCRIBE and UNSUBSCRIBE: matching, options, identifiers, overlaps. Shared Subscriptions are in
//! `shared`, retained messages in `retained`.

use dunlin_tests::{everywhere, everywhere_with, in_version};
use mqtt_codec::{
    Packet,
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};

/// [MQTT5-3.8.4-6] [MQTT5-3.9.3-1] [MQTT311-3.8.4-5] [MQTT311-3.9.3-1]
#[test]
fn each_filter_is_answered_in_its_place() {
    everywhere(|scenario| {
        let mut wire = scenario.connect("many");
        wire.send("82 # 000a () 'a' 02 'b/+' 00 'c/#' 01 'd' 02");
        wire.expect("90 # 000a () 02 00 01 02");
        wire.send("a2 # 000b () 'c/#' 'never' 'a'");
        // [MQTT5-3.11.3-1]: 3.1.1 has no codes here.
        wire.expect("b0 # 000b () [00 11 00]");
        wire.subscribe("e", AtMostOnce);
        for topic in ["a", "c", "b/x"] {
            wire.publish(topic, AtMostOnce, topic);
        }
        wire.expect_message("b/x", "b/x");
        wire.ping();
    });
}

#[test]
fn a_filter_that_cannot_be_granted_leaves_the_others() {
    everywhere_with(&[("limits.topic_levels_max", "3")], |scenario| {
        let mut wire = scenario.connect("deep");
        wire.send("82 # 0001 () 'a/b/c' 01 'a/b/c/d' 01 'a' 00");
        let Packet::SubAck(suback) = wire.packet() else { panic!("expected SUBACK") };
        let errors: Vec<bool> = suback.reason_codes().map(mqtt_codec::ReasonCode::is_error).collect();
        assert_eq!(errors, [false, true, false]);
        wire.publish("a/b/c", AtMostOnce, "x");
        wire.expect_message("a/b/c", "x");
    });
}

/// [MQTT5-3.3.2-3] [MQTT5-4.7.1-1] [MQTT5-4.7.3-4] [MQTT311-4.7.3-4]; the filters of the standard's own examples.
#[test]
fn filters_match_what_the_standard_says() {
    const FILTERS: &[(&str, &[&str])] = &[
        ("sport/tennis/player1/#", &["sport/tennis/player1", "sport/tennis/player1/ranking"]),
        ("sport/#", &["sport", "sport/", "sport/tennis/player1", "sport/tennis/player1/ranking"]),
        ("#", &["/finance", "ACCOUNTS", "Accounts", "sport", "sport/", "sport/tennis/player1"]),
        ("sport/+", &["sport/"]),
        ("sport/+/player1", &["sport/tennis/player1"]),
        ("+/+", &["/finance", "sport/"]),
        ("/+", &["/finance"]),
        ("+", &["ACCOUNTS", "Accounts", "sport"]),
        ("ACCOUNTS", &["ACCOUNTS"]),
        ("$other/#", &["$other/monitor"]),
        ("$other/+", &["$other/monitor"]),
        // [MQTT5-4.7.2-1] [MQTT311-4.7.2-1]
        ("+/monitor", &[]),
    ];
    const TOPICS: &[&str] = &[
        "sport/tennis/player1",
        "sport/tennis/player1/ranking",
        "sport",
        "sport/",
        "/finance",
        "ACCOUNTS",
        "Accounts",
        "$other/monitor",
    ];
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        for (filter, expected) in FILTERS {
            let mut subscriber = scenario.connect("subscriber");
            subscriber.subscribe(filter, AtMostOnce);
            subscriber.subscribe("the/end", AtMostOnce);
            for topic in TOPICS {
                publisher.publish(topic, AtMostOnce, "");
            }
            publisher.publish("the/end", AtMostOnce, "");
            let mut received = Vec::new();
            loop {
                let topic = subscriber.receive().topic.expect("no aliases");
                if topic.as_str() == "the/end" {
                    break;
                }
                received.push(topic.as_str().to_owned());
            }
            if *filter == "#" {
                // Whatever is not of the broker's own kind; the loop ended at the last of them.
                assert_eq!(received.len(), TOPICS.len() - 1, "{received:?}");
                assert!(received.iter().all(|topic| !topic.starts_with('$')), "{received:?}");
                // The second copy of the last one, if there were one, would come now.
                subscriber.ping();
            } else {
                received.sort();
                assert_eq!(received, *expected, "{filter}");
            }
            subscriber.disconnect();
        }
    });
}

/// One copy, with the highest QoS and every identifier [MQTT5-3.3.4-2] [MQTT5-3.3.4-3] [MQTT5-3.3.4-4]
/// [MQTT311-3.3.5-1].
#[test]
fn overlapping_subscriptions_give_one_copy() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("overlap");
        subscriber.subscribe_with("a/#", "0b 01", 0);
        subscriber.subscribe_with("a/+", "0b ffffff7f", 2);
        subscriber.subscribe_with("+/b", "", 1);
        subscriber.subscribe_with("a/b/#", "0b 03", 1);
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a/b", ExactlyOnce, "one copy");
        let Packet::Publish(publish) = subscriber.packet() else { panic!("expected PUBLISH") };
        assert_eq!(publish.delivery.qos(), ExactlyOnce);
        let mut identifiers: Vec<u32> =
            publish.properties.subscription_identifiers().map(Into::into).collect();
        identifiers.sort_unstable();
        let expected: &[u32] = if scenario.version == V5 { &[1, 3, 268_435_455] } else { &[] };
        assert_eq!(identifiers, expected);
        subscriber.send("50 # 0001");
        subscriber.expect("62 # 0001");
        subscriber.send("70 # 0001");
        subscriber.ping();
    });
}

/// [MQTT5-3.8.4-3] [MQTT311-3.8.4-3]: replaced, not added.
#[test]
fn subscribing_again_replaces_the_options_and_the_identifier() {
    in_version(V5, |scenario| {
        let mut wire = scenario.connect("again");
        wire.subscribe_with("a", "0b 01", 0x02);
        wire.subscribe_with("a", "0b 02", 0x01);
        wire.publish("a", ExactlyOnce, "x");
        wire.expect("32 # 'a' 0001 (0b 02) <x>");
        wire.send("40 # 0001");
        wire.subscribe_with("a", "", 0x00);
        wire.publish("a", ExactlyOnce, "y");
        wire.expect("30 # 'a' () <y>");
    });
}

/// [MQTT5-3.8.3-3]
#[test]
fn no_local_keeps_own_messages_away_until_it_is_switched_off() {
    in_version(V5, |scenario| {
        let mut wire = scenario.connect("local");
        let mut other = scenario.connect("other");
        other.subscribe_with("a", "", 0x04);
        wire.subscribe_with("a", "", 0x04);
        wire.publish("a", AtLeastOnce, "from local");
        other.expect_message("a", "from local");
        other.publish("a", AtLeastOnce, "from other");
        wire.expect_message("a", "from other");
        other.ping();
        wire.subscribe_with("a", "", 0x00);
        wire.publish("a", AtMostOnce, "from local again");
        wire.expect_message("a", "from local again");
    });
}

/// [MQTT5-3.10.4-1] [MQTT5-3.10.4-2] [MQTT311-3.10.4-1] [MQTT311-3.10.4-2]
#[test]
fn after_unsuback_nothing_new_comes() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", AtLeastOnce);
        subscriber.subscribe("end", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a", AtLeastOnce, "before");
        subscriber.expect_message("a", "before");
        // Compared character by character: another spelling unsubscribes nothing.
        subscriber.send("a2 # 0010 () '+'");
        subscriber.expect("b0 # 0010 () [11]");
        publisher.publish("a", AtLeastOnce, "still there");
        subscriber.expect_message("a", "still there");
        subscriber.unsubscribe("a");
        publisher.publish("a", AtLeastOnce, "after");
        publisher.publish("end", AtLeastOnce, "end");
        subscriber.expect_message("end", "end");
    });
}

/// [MQTT5-3.10.4-3] [MQTT311-3.10.4-3]
#[test]
fn a_delivery_that_has_begun_is_completed_after_unsubscribe() {
    everywhere(|scenario| {
        let mut subscriber = scenario.connect("subscriber");
        subscriber.subscribe("a", ExactlyOnce);
        scenario.connect("publisher").publish("a", ExactlyOnce, "begun");
        subscriber.expect("34 # 'a' 0001 () <begun>");
        subscriber.unsubscribe("a");
        subscriber.send("50 # 0001");
        subscriber.expect("62 # 0001");
        subscriber.send("70 # 0001");
        subscriber.ping();
    });
}

#[test]
fn what_the_operator_does_not_offer_is_refused_by_name() {
    let settings = [
        ("capabilities.wildcard_subscription_available", "false"),
        ("capabilities.subscription_identifier_available", "false"),
        ("capabilities.shared_subscription_available", "false"),
        ("capabilities.maximum_qos", "1"),
    ];
    everywhere_with(&settings, |scenario| {
        let mut wire = scenario.connect("wanting");
        if scenario.version == V5 {
            wire.send("82 # 0001 () 'a/+' 00 '$share/g/a' 00 'a' 02");
            wire.expect("90 # 0001 () a2 9e 01");
            wire.send("82 # 0002 (0b 01) 'a' 00");
            wire.expect("90 # 0002 () a1");
        } else {
            wire.send("82 # 0001 'a/+' 00 'a' 02");
            wire.expect("90 # 0001 80 01");
        }
    });
}
