//! Owns the invariant that a message arrives as its subscriptions ask for: QoS, RETAIN, Subscription Identifiers,
//! and what is left of its Message Expiry Interval, downtime included; never after that. Whether it arrives is
//! judged elsewhere.

use super::{Kind, Violation, owner, told};
use crate::history::{Delivery, History, Publication, Retain, Software, Subscription};
use std::collections::BTreeSet;

/// How long after its time an expired message is surely gone.
const EXPIRY_SLACK_MS: u64 = 1500;

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    for delivery in &history.deliveries {
        for wrong in [wrong_form(history, delivery), wrong_expiry(history, delivery)].into_iter().flatten() {
            let text = format!(
                "{}, reached {} at {} {wrong}",
                told(history, delivery.publication),
                owner(history, delivery.session),
                delivery.at
            );
            violations.push(Violation { kind: Kind::Contents, text });
        }
    }
}

/// Judged where all subscriptions that match held the whole time: otherwise nobody knows which the broker went by.
fn wrong_form(history: &History, delivery: &Delivery) -> Option<String> {
    let publication = &history.publications[delivery.publication];
    let matching: Vec<&Subscription> = history.matching(delivery.session, publication).collect();
    if matching.is_empty() || !matching.iter().all(|subscription| subscription.covers(publication)) {
        return None;
    }
    let qos = matching.iter().map(|subscription| subscription.qos.min(publication.qos)).max()?;
    if delivery.qos != qos {
        return Some(format!("at QoS {} instead of {}", delivery.qos.bits(), qos.bits()));
    }
    let retain = matching.iter().any(|it| it.retain_as_published) && publication.retain == Retain::Set;
    if delivery.retain != retain {
        return Some(format!("with RETAIN {}", u8::from(delivery.retain)));
    }
    let expected: BTreeSet<u32> =
        matching.iter().filter_map(|subscription| subscription.identifier).collect();
    let found: BTreeSet<u32> = delivery.identifiers.iter().copied().collect();
    (expected != found)
        .then(|| format!("with the subscription identifiers {found:?} instead of {expected:?}"))
}

fn wrong_expiry(history: &History, delivery: &Delivery) -> Option<String> {
    let publication = &history.publications[delivery.publication];
    let (seconds, acknowledged) = (publication.expiry_seconds?, publication.acknowledged_at?);
    if was_away_until_expiry(history, delivery, publication) {
        return Some(format!(
            "though it expired {seconds} s after it was published, while nobody was connected"
        ));
    }
    let peer = history.peer_of(delivery.session);
    if !peer.version.has_properties() || peer.software == Software::Rumqttc {
        return None;
    }
    // One second of rounding.
    let most = u64::from(seconds).saturating_sub(delivery.at.since(acknowledged).as_secs()) + 1;
    match delivery.expiry_seconds {
        None => Some("without its Message Expiry Interval".to_owned()),
        Some(left) if u64::from(left) > most.min(u64::from(seconds)) => {
            Some(format!("with {left} s left of its Message Expiry Interval of {seconds} s"))
        }
        Some(_) => None,
    }
}

/// Whether its receiver was away from before it was published until surely after it had expired.
fn was_away_until_expiry(history: &History, delivery: &Delivery, publication: &Publication) -> bool {
    let (Some(sent), Some(acknowledged), Some(seconds)) =
        (publication.sent_at, publication.acknowledged_at, publication.expiry_seconds)
    else {
        return false;
    };
    let gone = acknowledged.plus_ms(u64::from(seconds) * 1000 + EXPIRY_SLACK_MS);
    let mut mine = history.connections.iter().filter(|connection| connection.session == delivery.session);
    delivery.at > gone && !mine.any(|it| it.at < gone && it.closed_at.is_none_or(|closed| closed > sent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::testing::{Story, kinds};
    use mqtt_codec::QoS;

    fn check(change: impl FnOnce(&mut Delivery), expected: &[Kind]) {
        let mut story = Story::new();
        let session = story.session("s");
        let subscription = story.subscribed(session, "a", 1, 10);
        story.history.subscriptions[subscription].identifier = Some(7);
        let message = story.published("a", 2, 20, Some(21));
        story.delivered(session, message, 30);
        story.history.deliveries[0].identifiers = vec![7];
        change(&mut story.history.deliveries[0]);
        assert_eq!(kinds(&story.history), expected);
    }

    #[test]
    fn qos_retain_and_identifiers_are_those_of_the_subscription() {
        check(|_| (), &[]);
        check(|delivery| delivery.qos = QoS::ExactlyOnce, &[Kind::Contents]);
        check(|delivery| delivery.retain = true, &[Kind::Contents]);
        check(|delivery| delivery.identifiers.clear(), &[Kind::Contents]);
    }

    fn check_expiry(seconds: u32, at_ms: u64, left: Option<u32>, connected_ms: u64, expected: &[Kind]) {
        let mut story = Story::new();
        let session = story.session("s");
        story.subscribed(session, "a", 1, 10);
        let message = story.published("a", 1, 20, Some(21));
        story.history.publications[message].expiry_seconds = Some(seconds);
        story.connected(session, connected_ms * 1000, None);
        story.delivered(session, message, at_ms * 1000);
        story.history.deliveries[0].expiry_seconds = left;
        assert_eq!(kinds(&story.history), expected, "{left:?} left of {seconds} s at {at_ms} ms");
    }

    #[test]
    fn the_time_a_message_waited_is_taken_off_its_expiry_interval() {
        check_expiry(600, 100, Some(600), 0, &[]);
        check_expiry(600, 5000, Some(595), 4000, &[]);
        check_expiry(600, 5000, Some(600), 4000, &[Kind::Contents]);
        check_expiry(600, 100, None, 0, &[Kind::Contents]);
    }

    #[test]
    fn an_expired_message_does_not_reach_who_was_away() {
        check_expiry(1, 4000, Some(0), 0, &[]);
        check_expiry(1, 4000, Some(0), 3900, &[Kind::Contents]);
    }
}
