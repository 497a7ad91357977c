//! Owns the tests of Shared Subscriptions: one member receives each message, and which one. Illegal share names are in
//! `illegal`.

use dunlin_tests::{Scenario, Wire, everywhere, everywhere_with, in_version};
use mqtt_codec::{
    ProtocolVersion::V5,
    QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce},
};
use std::collections::BTreeSet;

const MEMBERS: usize = 3;

/// Connected members of one group.
fn members(scenario: &Scenario, filter: &str) -> Vec<Wire> {
    (0..MEMBERS)
        .map(|number| {
            let mut member = scenario.connect(&format!("member {number}"));
            member.subscribe(filter, AtLeastOnce);
            member
        })
        .collect()
}

/// What each member received until now: whatever has not come before the answer to a message for all.
fn received(members: &mut [Wire], publisher: &mut Wire) -> Vec<Vec<String>> {
    for member in members.iter_mut() {
        member.subscribe("end", AtMostOnce);
    }
    publisher.publish("end", AtMostOnce, "");
    let one = |member: &mut Wire| {
        let mut payloads = Vec::new();
        loop {
            let publish = member.receive();
            if publish.topic.as_ref().is_some_and(|topic| topic.as_str() == "end") {
                return payloads;
            }
            payloads.push(String::from_utf8_lossy(&publish.payload).into_owned());
        }
    };
    members.iter_mut().map(one).collect()
}

#[test]
fn each_message_goes_to_one_member_and_each_member_gets_its_share() {
    everywhere(|scenario| {
        let mut members = members(scenario, "$share/group/a/#");
        let mut publisher = scenario.connect("publisher");
        for number in 0..30 {
            publisher.publish("a/b", AtLeastOnce, number.to_string());
        }
        let received = received(&mut members, &mut publisher);
        assert!(received.iter().all(|payloads| payloads.len() == 10), "{received:?}");
        let different: BTreeSet<&String> = received.iter().flatten().collect();
        assert_eq!(different.len(), 30, "{received:?}");
    });
}

#[test]
fn groups_and_plain_subscriptions_do_not_share_with_each_other() {
    everywhere(|scenario| {
        let mut one = scenario.connect("one");
        one.subscribe("$share/first/a", AtLeastOnce);
        let mut two = scenario.connect("two");
        two.subscribe("$share/second/a", AtLeastOnce);
        let mut plain = scenario.connect("plain");
        plain.subscribe("a", AtLeastOnce);
        // One client may have both, and then gets both.
        let mut both = scenario.connect("both");
        both.subscribe("$share/third/a", AtLeastOnce);
        both.subscribe("a", AtLeastOnce);
        scenario.connect("publisher").publish("a", AtLeastOnce, "x");
        for subscriber in [&mut one, &mut two, &mut plain, &mut both] {
            subscriber.expect_message("a", "x");
        }
        both.expect_message("a", "x");
        for subscriber in [&mut one, &mut two, &mut plain, &mut both] {
            subscriber.ping();
        }
    });
}

#[test]
fn a_shared_subscription_gets_no_retained_messages() {
    everywhere(|scenario| {
        let mut publisher = scenario.connect("publisher");
        publisher.publish_retained("a", AtLeastOnce, "kept");
        let mut member = scenario.connect("member");
        member.subscribe("$share/group/a", AtLeastOnce);
        member.ping();
        publisher.publish("a", AtLeastOnce, "new");
        member.expect_message("a", "new");
    });
}

#[test]
fn a_member_that_left_gets_nothing_more() {
    everywhere(|scenario| {
        let mut members = members(scenario, "$share/group/a");
        let mut publisher = scenario.connect("publisher");
        members[0].unsubscribe("$share/group/a");
        members.remove(1).disconnect();
        for number in 0..6 {
            publisher.publish("a", AtLeastOnce, number.to_string());
        }
        let received = received(&mut members, &mut publisher);
        assert_eq!(received.iter().map(Vec::len).collect::<Vec<_>>(), [0, 6]);
    });
}

/// Members that are connected come first; without any, the message waits in a session.
#[test]
fn an_absent_member_gets_only_what_no_present_one_can() {
    everywhere(|scenario| {
        let mut absent = scenario.connect_lasting("absent");
        absent.subscribe("$share/group/a", AtLeastOnce);
        absent.disconnect();
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a", AtLeastOnce, "nobody there");
        let mut present = scenario.connect("present");
        present.subscribe("$share/group/a", AtLeastOnce);
        for number in 0..4 {
            publisher.publish("a", AtLeastOnce, number.to_string());
            present.expect_message("a", &number.to_string());
        }
        let mut absent = scenario.resume("absent");
        absent.expect_message("a", "nobody there");
        absent.ping();
    });
}

#[test]
fn what_a_member_leaves_unacknowledged_at_qos_1_goes_to_another() {
    everywhere(|scenario| {
        let mut leaver = scenario.connect("leaver");
        leaver.subscribe("$share/group/a", AtLeastOnce);
        let mut stayer = scenario.connect("stayer");
        stayer.subscribe("$share/group/a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        for number in 0..6 {
            publisher.publish("a", AtLeastOnce, number.to_string());
        }
        for _ in 0..3 {
            drop(leaver.receive_unacknowledged());
        }
        leaver.disconnect();
        let received: BTreeSet<_> = (0..6).map(|_| stayer.receive().payload).collect();
        assert_eq!(received.len(), 6, "{received:?}");
        stayer.ping();
    });
}

/// [MQTT5-4.8.2-4]: QoS 2 is completed by the member that began, whatever the others do.
#[test]
fn a_qos_2_message_in_flight_stays_with_its_member() {
    everywhere(|scenario| {
        let mut one = scenario.connect_lasting("one");
        one.subscribe("$share/group/a", ExactlyOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a", ExactlyOnce, "begun");
        one.expect("34 # 'a' 0001 () <begun>");
        drop(one);
        let mut two = scenario.connect("two");
        two.subscribe("$share/group/a", ExactlyOnce);
        two.ping();
        let mut one = scenario.resume("one");
        one.expect("3c # 'a' 0001 () <begun>");
        one.send("50 # 0001");
        one.expect("62 # 0001");
        one.send("70 # 0001");
        one.ping();
        two.ping();
    });
}

/// [MQTT5-4.8.2-5]: elsewhere it might arrive twice.
#[test]
fn a_qos_2_message_in_flight_ends_with_its_members_session() {
    everywhere(|scenario| {
        let mut one = scenario.connect("one");
        one.subscribe("$share/group/a", ExactlyOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a", ExactlyOnce, "begun");
        one.expect("34 # 'a' 0001 () <begun>");
        let mut two = scenario.connect("two");
        two.subscribe("$share/group/a", ExactlyOnce);
        one.disconnect();
        publisher.publish("a", ExactlyOnce, "next");
        two.expect_message("a", "next");
        two.ping();
    });
}

/// [MQTT5-4.8.2-6]
#[test]
fn what_a_member_refuses_goes_to_nobody_else() {
    in_version(V5, |scenario| {
        let mut one = scenario.connect("one");
        one.subscribe("$share/group/a", ExactlyOnce);
        let mut publisher = scenario.connect("publisher");
        publisher.publish("a", AtLeastOnce, "refused");
        publisher.publish("a", ExactlyOnce, "refused");
        one.expect("32 # 'a' 0001 () <refused>");
        one.expect("34 # 'a' 0002 () <refused>");
        let mut two = scenario.connect("two");
        two.subscribe("$share/group/a", ExactlyOnce);
        one.send("40 # 0001 97; 50 # 0002 97");
        one.ping();
        one.disconnect();
        publisher.publish("a", AtLeastOnce, "next");
        two.expect_message("a", "next");
        two.ping();
    });
}

#[test]
fn a_sticky_group_sends_a_topic_to_the_same_member() {
    everywhere_with(&[("share_strategy", "sticky_topic")], |scenario| {
        let mut members = members(scenario, "$share/group/#");
        let mut publisher = scenario.connect("publisher");
        for round in 0..4 {
            for topic in 0..12 {
                publisher.publish(&format!("topic/{topic}"), AtLeastOnce, format!("{topic}.{round}"));
            }
        }
        for member in received(&mut members, &mut publisher) {
            // The end itself is among what the group shares.
            let topics: BTreeSet<&str> = member.iter().filter_map(|it| it.split('.').next()).collect();
            let messages = member.iter().filter(|payload| !payload.is_empty()).count();
            assert_eq!(messages, topics.iter().filter(|topic| !topic.is_empty()).count() * 4, "{member:?}");
        }
    });
}

#[test]
fn a_sticky_group_sends_a_publisher_to_the_same_member() {
    everywhere_with(&[("share_strategy", "sticky_publisher")], |scenario| {
        let mut members = members(scenario, "$share/group/a");
        let mut publisher = scenario.connect("publisher");
        for number in 0..9 {
            publisher.publish("a", AtLeastOnce, number.to_string());
        }
        let mut counts: Vec<usize> = received(&mut members, &mut publisher).iter().map(Vec::len).collect();
        counts.sort_unstable();
        assert_eq!(counts, [0, 0, 9]);
    });
}

#[test]
fn the_least_in_flight_member_is_served_first() {
    everywhere_with(&[("share_strategy", "least_in_flight")], |scenario| {
        let mut busy = scenario.connect("busy");
        busy.subscribe("$share/group/a", AtLeastOnce);
        let mut publisher = scenario.connect("publisher");
        for _ in 0..5 {
            publisher.publish("a", AtLeastOnce, "for the only member");
            drop(busy.receive_unacknowledged());
        }
        let mut idle = scenario.connect("idle");
        idle.subscribe("$share/group/a", AtLeastOnce);
        for number in 0..5 {
            publisher.publish("a", AtLeastOnce, number.to_string());
            idle.expect_message("a", &number.to_string());
            idle.ping();
        }
        busy.ping();
    });
}

/// The identifier of the member's own subscription, its QoS, and RETAIN as published.
#[test]
fn a_members_own_options_hold() {
    in_version(V5, |scenario| {
        let mut member = scenario.connect("member");
        member.subscribe_with("$share/group/a", "0b 09", 0x08);
        scenario.connect("publisher").publish_retained("a", ExactlyOnce, "x");
        member.expect("31 # 'a' (0b 09) <x>");
    });
}
