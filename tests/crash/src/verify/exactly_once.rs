//! Owns the invariant that a message published at QoS 2 and received at QoS 2 arrives once `[MQTT5-4.3.3-10]`
//! `[MQTT311-4.3.3-2]`: once in a session, once in a group of a shared subscription. That it arrives at all is
//! judged elsewhere.

use super::{Kind, Violation, owner, told};
use crate::history::{History, Origin, PublicationIndex};
use mqtt_codec::QoS;
use std::collections::BTreeMap;

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    // A session may be in a group; the group counts in its place, as it has no other subscription to the same topics.
    let mut arrivals: BTreeMap<(PublicationIndex, String), Vec<String>> = BTreeMap::new();
    for delivery in history.deliveries.iter().filter(|delivery| delivery.qos == QoS::ExactlyOnce) {
        let publication = &history.publications[delivery.publication];
        if publication.qos != QoS::ExactlyOnce || publication.origin == Origin::Will {
            continue;
        }
        let mut matching = history.matching(delivery.session, publication);
        let group = matching.find(|subscription| subscription.filter.share_name().is_some());
        let receiver = match group {
            Some(group) => group.filter.as_str().to_owned(),
            None => format!("session {}", delivery.session),
        };
        let arrival = format!("at {} to {}", delivery.at, owner(history, delivery.session));
        arrivals.entry((delivery.publication, receiver)).or_default().push(arrival);
    }
    for ((publication, _), arrivals) in arrivals.into_iter().filter(|(_, arrivals)| arrivals.len() > 1) {
        let text = format!("{}, arrived {}", told(history, publication), arrivals.join(" and "));
        violations.push(Violation { kind: Kind::ExactlyOnce, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::testing::{Story, kinds};

    #[test]
    fn a_second_copy_is_a_violation_at_qos_2_and_none_at_qos_1() {
        for (qos, expected) in [(1, vec![]), (2, vec![Kind::ExactlyOnce])] {
            let mut story = Story::new();
            let session = story.session("s");
            story.subscribed(session, "a", qos, 10);
            let message = story.published("a", 2, 20, Some(21));
            story.delivered(session, message, 30);
            story.delivered(session, message, 40);
            assert_eq!(kinds(&story.history), expected, "QoS {qos}");
        }
    }

    #[test]
    fn a_group_counts_as_one_receiver() {
        let mut story = Story::new();
        let [left, right] = ["left", "right"].map(|name| story.session(name));
        let message = story.published("a", 2, 20, Some(21));
        for session in [left, right] {
            story.subscribed(session, "$share/g/a", 2, 10);
            story.delivered(session, message, 30);
        }
        assert_eq!(kinds(&story.history), [Kind::ExactlyOnce]);
    }
}
