//! Owns the invariant that nothing arrives but what was subscribed to: not before SUBSCRIBE, nothing that was
//! published after UNSUBACK `[MQTT5-3.10.4-2]` `[MQTT311-3.10.4-2]`, nothing in a session that never subscribed.
//! How it arrives is judged elsewhere.

use super::{Kind, Violation, owner, told};
use crate::history::{Delivery, History};

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    for delivery in history.deliveries.iter().filter(|delivery| !is_asked_for(history, delivery)) {
        let text = format!(
            "{}, reached {} at {}, which has no subscription to it",
            told(history, delivery.publication),
            owner(history, delivery.session),
            delivery.at
        );
        violations.push(Violation { kind: Kind::Unasked, text });
    }
}

fn is_asked_for(history: &History, delivery: &Delivery) -> bool {
    let publication = &history.publications[delivery.publication];
    let mut matching = history.matching(delivery.session, publication);
    matching.any(|subscription| {
        let is_before_the_end =
            subscription.unsubscribed_at.is_none_or(|end| publication.sent_at.is_none_or(|sent| sent < end));
        subscription.sent_at <= delivery.at && is_before_the_end
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::At,
        verify::testing::{Story, kinds},
    };

    #[test]
    fn what_was_never_subscribed_to_or_no_more_must_not_arrive() {
        let mut story = Story::new();
        let session = story.session("s");
        let message = story.published("a", 1, 20, Some(21));
        story.delivered(session, message, 30);
        assert_eq!(kinds(&story.history), [Kind::Unasked]);

        let subscription = story.subscribed(session, "a", 1, 10);
        assert_eq!(kinds(&story.history), []);
        let subscription = &mut story.history.subscriptions[subscription];
        (subscription.unsubscribe_sent_at, subscription.unsubscribed_at) = (Some(At(14)), Some(At(15)));
        assert_eq!(kinds(&story.history), [Kind::Unasked]);
    }

    #[test]
    fn what_a_client_published_itself_does_not_come_back_to_it_with_no_local() {
        let mut story = Story::new();
        let session = story.session("s");
        let subscription = story.subscribed(session, "a", 1, 10);
        story.history.subscriptions[subscription].no_local = true;
        let [others, own] = [20, 21].map(|at| story.published("a", 1, at, Some(25)));
        story.history.publications[own].peer = story.history.sessions[session].peer;
        story.delivered(session, others, 30);
        assert_eq!(kinds(&story.history), []);
        story.delivered(session, own, 31);
        assert_eq!(kinds(&story.history), [Kind::Unasked]);
    }

    #[test]
    fn what_was_published_before_unsuback_may_still_come() {
        let mut story = Story::new();
        let session = story.session("s");
        let subscription = story.subscribed(session, "a", 1, 10);
        story.history.subscriptions[subscription].unsubscribe_sent_at = Some(At(18));
        story.history.subscriptions[subscription].unsubscribed_at = Some(At(25));
        let message = story.published("a", 1, 20, Some(21));
        story.delivered(session, message, 30);
        assert_eq!(kinds(&story.history), []);
    }
}
