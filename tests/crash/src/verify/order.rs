//! Owns the invariant that messages of one client on one topic at one QoS arrive in the order they were sent
//! `[MQTT5-4.6.0-5]` `[MQTT311-4.6.0-5]`, when repeats are taken out. Members of a group share the messages, so none of them
//! is promised an order here.

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
        let mut matching = history.matching(delivery.session, publication);
        // rumqttc resends in another order than it first sent when crashes follow each other.
        if peer.software == Software::Rumqttc || matching.any(|it| it.filter.share_name().is_some()) {
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
}
