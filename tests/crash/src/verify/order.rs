//! Owns the invariant that messages of one client on one topic at one QoS arrive in the order they were sent
//! `[MQTT5-4.6.0-5]` `[MQTT311-4.6.0-5]`, when repeats are taken out. Members of a group share the messages, so
//! none of them is promised an order here.

use super::{Kind, Violation, owner, told};
use crate::history::{History, PublicationIndex, Software};
use mqtt_codec::QoS;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    let mut seen = BTreeSet::new();
    let mut newest: BTreeMap<(usize, usize, &str, QoS, QoS), PublicationIndex> = BTreeMap::new();
    for delivery in &history.deliveries {
        let publication = &history.publications[delivery.publication];
        let peer = &history.peers[publication.peer];
        let matching: Vec<_> = history.matching(delivery.session, publication).collect();
        // What was first sent before the subscription may come for the first time when it is sent again.
        let is_covered = matching.iter().any(|subscription| subscription.covers(publication));
        let is_shared = matching.iter().any(|subscription| subscription.filter.share_name().is_some());
        // rumqttc resends in another order than it first sent when crashes follow each other.
        if peer.software == Software::Rumqttc || is_shared || !is_covered {
            continue;
        }
        if !seen.insert((delivery.session, delivery.publication)) {
            continue;
        }
        let topic = publication.topic.as_str();
        let stream = (delivery.session, publication.peer, topic, publication.qos, delivery.qos);
        let before = newest.entry(stream).or_insert(delivery.publication);
        if *before > delivery.publication {
            let text = format!(
                "{}, reached {} at {} after the later message {before}",
                told(history, delivery.publication),
                owner(history, delivery.session),
                delivery.at
            );
            violations.push(Violation { kind: Kind::Order, text });
        }
        *before = delivery.publication.max(*before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::testing::{Story, kinds};

    fn check(arrivals: &[usize], expected: &[Kind]) {
        let mut story = Story::new();
        let session = story.session("s");
        story.subscribed(session, "a", 1, 10);
        for number in 0..3 {
            story.published("a", 1, 20 + number, Some(30));
        }
        for (&message, at) in arrivals.iter().zip(40..) {
            story.delivered(session, message, at);
        }
        assert_eq!(kinds(&story.history), expected, "{arrivals:?}");
    }

    #[test]
    fn repeats_may_come_back_and_new_messages_may_not_overtake() {
        check(&[0, 1, 2], &[]);
        check(&[0, 1, 0, 1, 2], &[]);
        check(&[0, 2, 1], &[Kind::Order]);
    }

    #[test]
    fn a_message_from_before_the_subscription_may_come_late() {
        let mut story = Story::new();
        let session = story.session("s");
        let early = story.published("a", 1, 20, Some(60));
        story.subscribed(session, "a", 1, 25);
        let late = story.published("a", 1, 30, Some(40));
        story.delivered(session, late, 50);
        story.delivered(session, early, 60);
        assert_eq!(kinds(&story.history), []);
    }
}
