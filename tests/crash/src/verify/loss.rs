//! Owns the first invariant: each message that was acknowledged arrives at each lasting session that had
//! subscribed before it was published, at one member of each group that had, and so does each will that is due.
//! That it arrives once is judged elsewhere.

use super::{Kind, Violation, owner, told};
use crate::history::{
    Delivery, Fate, History, Origin, Publication, PublicationIndex, Retain, SessionIndex, Span, WillStory,
};
use mqtt_codec::QoS;
use std::collections::{BTreeMap, BTreeSet};

/// Expiry Intervals of at least so many seconds outlast every round.
const EXPIRY_LASTING_SECONDS: u32 = 60;

/// Whom a message is owed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Creditor {
    Session(SessionIndex),
    /// Any member of a group, by the group's place in the list.
    Group(usize),
}

/// What has still to arrive.
#[derive(Debug)]
pub(crate) struct Outstanding {
    owed: BTreeSet<(PublicationIndex, Creditor)>,
    groups: Vec<(String, BTreeSet<SessionIndex>)>,
    groups_of: BTreeMap<SessionIndex, Vec<usize>>,
}

impl Outstanding {
    /// What is owed now, with all that has arrived taken off.
    pub(crate) fn new(history: &History) -> Self {
        let mut outstanding = Self { owed: BTreeSet::new(), groups: Vec::new(), groups_of: BTreeMap::new() };
        outstanding.find_groups(history);
        for (index, publication) in history.publications.iter().enumerate() {
            if !is_promised(publication) && !is_due(history, index) {
                continue;
            }
            for subscription in &history.subscriptions {
                if !is_entitled(history, subscription.session)
                    || subscription.qos == QoS::AtMostOnce
                    || !history.wants(subscription, publication)
                    || !subscription.covers(publication)
                {
                    continue;
                }
                let creditor = match outstanding.group_of(subscription.filter.as_str()) {
                    Some(group) => Creditor::Group(group),
                    None => Creditor::Session(subscription.session),
                };
                outstanding.owed.insert((index, creditor));
            }
        }
        history.deliveries.iter().for_each(|delivery| outstanding.arrived(delivery));
        outstanding
    }

    /// Takes off what has arrived.
    pub(crate) fn arrived(&mut self, delivery: &Delivery) {
        self.owed.remove(&(delivery.publication, Creditor::Session(delivery.session)));
        for &group in self.groups_of.get(&delivery.session).into_iter().flatten() {
            self.owed.remove(&(delivery.publication, Creditor::Group(group)));
        }
    }

    /// How much there is.
    pub(crate) fn len(&self) -> usize {
        self.owed.len()
    }

    fn find_groups(&mut self, history: &History) {
        for subscription in history.subscriptions.iter().filter(|it| it.filter.share_name().is_some()) {
            let text = subscription.filter.as_str();
            let group = self.group_of(text).unwrap_or_else(|| {
                self.groups.push((text.to_owned(), BTreeSet::new()));
                self.groups.len() - 1
            });
            if self.groups[group].1.insert(subscription.session) {
                self.groups_of.entry(subscription.session).or_default().push(group);
            }
        }
    }

    fn group_of(&self, filter: &str) -> Option<usize> {
        self.groups.iter().position(|(text, _)| text == filter)
    }
}

/// Whether it must arrive: acknowledged, recognisable, and not to expire within the round.
fn is_promised(publication: &Publication) -> bool {
    publication.acknowledged_at.is_some()
        && publication.qos > QoS::AtMostOnce
        && publication.origin == Origin::Publish
        && publication.retain != Retain::Clear
        && publication.expiry_seconds.is_none_or(|seconds| seconds >= EXPIRY_LASTING_SECONDS)
}

/// Whether it is a will that is due.
fn is_due(history: &History, publication: PublicationIndex) -> bool {
    let is_due = |story: &WillStory| matches!(story.fate, Fate::CutOff { .. });
    history.wills.iter().any(|story| story.publication == publication && is_due(story))
}

/// Whether the session outlives the round and was not ended.
fn is_entitled(history: &History, session: SessionIndex) -> bool {
    let session = &history.sessions[session];
    session.span == Span::Round && session.ended_at.is_none()
}

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    let outstanding = Outstanding::new(history);
    for &(publication, creditor) in &outstanding.owed {
        let message = told(history, publication);
        let whom = match creditor {
            Creditor::Session(session) => {
                let message = &history.publications[publication];
                let subscription = history.matching(session, message).find(|it| it.covers(message));
                let since =
                    subscription.and_then(|it| Some(format!("{} since {}", it.filter, it.acknowledged_at?)));
                format!("{}, subscribed to {}", owner(history, session), since.unwrap_or_default())
            }
            Creditor::Group(group) => format!("any member of {}", outstanding.groups[group].0),
        };
        let kind = match history.publications[publication].origin {
            Origin::Publish => Kind::Loss,
            Origin::Will => Kind::Will,
        };
        violations.push(Violation { kind, text: format!("{message}, never reached {whom}") });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::testing::{Story, kinds};

    #[test]
    fn an_acknowledged_message_that_does_not_arrive_is_lost() {
        let mut story = Story::new();
        let session = story.session("s");
        story.subscribed(session, "a/#", 1, 10);
        let message = story.published("a/b", 1, 20, Some(21));
        assert_eq!(kinds(&story.history), [Kind::Loss]);
        story.delivered(session, message, 30);
        assert_eq!(kinds(&story.history), []);
    }

    #[test]
    fn nothing_is_owed_without_an_acknowledgement_or_to_who_subscribed_later_or_left_before() {
        let mut story = Story::new();
        let [early, late, gone] = ["early", "late", "gone"].map(|name| story.session(name));
        story.subscribed(early, "a", 1, 10);
        story.published("a", 1, 20, None);
        story.subscribed(late, "a", 1, 25);
        let gone_at = story.subscribed(gone, "a", 1, 10);
        story.history.subscriptions[gone_at].unsubscribe_sent_at = Some(crate::clock::At(15));
        let message = story.published("a", 1, 20, Some(30));
        story.delivered(early, message, 40);
        assert_eq!(kinds(&story.history), []);
    }

    #[test]
    fn a_group_is_owed_one_copy_whichever_member_has_it() {
        let mut story = Story::new();
        let [left, right] = ["left", "right"].map(|name| story.session(name));
        for session in [left, right] {
            story.subscribed(session, "$share/g/a", 1, 10);
        }
        let message = story.published("a", 1, 20, Some(21));
        assert_eq!(kinds(&story.history), [Kind::Loss]);
        story.delivered(right, message, 30);
        assert_eq!(kinds(&story.history), []);
    }

    #[test]
    fn the_report_says_which_message_and_who_missed_it() {
        let mut story = Story::new();
        let session = story.session("reader");
        story.subscribed(session, "a/#", 1, 10);
        story.published("a/b", 2, 2_000_000, Some(2_100_000));
        let mut violations = Vec::new();
        check(&story.history, &mut violations);
        insta::assert_snapshot!(violations[0], @"lost: message 0 on a/b (QoS 2) of publisher (3.1.1), sent at 2.0000 s, acknowledged at 2.1000 s, never reached reader (5.0), subscribed to a/# since 0.0000 s");
    }
}
