//! Owns the invariant that a new subscriber gets the last retained message that was acknowledged, or a later one,
//! and none where it was cleared. What a live subscriber gets is judged elsewhere.

use super::{Kind, Violation, told};
use crate::{
    clock::At,
    history::{History, Probe, Publication, PublicationIndex, Retain},
};
use std::collections::{BTreeMap, BTreeSet};

/// What was done to one topic, in order.
type Changes<'a> = Vec<(PublicationIndex, &'a Publication)>;

/// The topics of which a new subscriber must get a message now.
pub(crate) fn needed(history: &History, now: At) -> BTreeSet<String> {
    let must_exist = |changes: &Changes<'_>| {
        possible(changes, now, now)
            .is_some_and(|possible| possible.iter().all(|(_, it)| it.retain == Retain::Set))
    };
    changes_by_topic(history)
        .into_iter()
        .filter(|(_, changes)| must_exist(changes))
        .map(|(topic, _)| topic.to_owned())
        .collect()
}

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    for probe in &history.probes {
        for (topic, changes) in changes_by_topic(history) {
            violations.extend(check_topic(history, probe, topic, &changes));
        }
    }
}

fn check_topic(history: &History, probe: &Probe, topic: &str, changes: &Changes<'_>) -> Option<Violation> {
    let found = probe.found.get(topic).copied();
    let acknowledged = possible(changes, probe.started_at, probe.ended_at);
    // Without an acknowledgement anything that was sent may be there, or nothing.
    let may_be_absent =
        acknowledged.as_ref().is_none_or(|it| it.iter().any(|(_, it)| it.retain == Retain::Clear));
    let candidates = acknowledged.clone().unwrap_or_else(|| changes.clone());
    let is_right = match found {
        Some(found) => candidates.iter().any(|&(index, it)| index == found && it.retain == Retain::Set),
        None => may_be_absent,
    };
    if is_right {
        return None;
    }
    let last = acknowledged.and_then(|it| it.first().map(|&(index, _)| told(history, index)));
    let found = found.map_or("nothing".to_owned(), |index| told(history, index));
    let text = format!(
        "a subscriber at {} found on {topic} {found}; the last acknowledged change is {}",
        probe.started_at,
        last.unwrap_or_else(|| "none".to_owned())
    );
    Some(Violation { kind: Kind::Retained, text })
}

/// The last change that was acknowledged before a moment, and all later ones that were sent before another.
fn possible<'a>(changes: &Changes<'a>, acknowledged_before: At, sent_before: At) -> Option<Changes<'a>> {
    let is_acknowledged = |(_, it): &(PublicationIndex, &Publication)| {
        it.acknowledged_at.is_some_and(|at| at < acknowledged_before)
    };
    let last = changes.iter().rposition(is_acknowledged)?;
    let is_sent = |(_, it): &&(PublicationIndex, &Publication)| it.sent_at.is_some_and(|at| at < sent_before);
    Some(changes[last..].iter().filter(is_sent).copied().collect())
}

fn changes_by_topic(history: &History) -> BTreeMap<&str, Changes<'_>> {
    let mut topics: BTreeMap<&str, Changes<'_>> = BTreeMap::new();
    for (index, publication) in history.publications.iter().enumerate() {
        if publication.retain != Retain::No {
            topics.entry(publication.topic.as_str()).or_default().push((index, publication));
        }
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::testing::{Story, kinds};

    /// Three changes of a topic, of which the second is acknowledged; what is found at time 50.
    fn check(retains: [Retain; 3], found: Option<usize>, expected: &[Kind]) {
        let mut story = Story::new();
        for (retain, acknowledged) in retains.into_iter().zip([Some(21), Some(31), None]) {
            let message = story.published("kept", 1, 20, acknowledged);
            story.history.publications[message].retain = retain;
        }
        let found = found.map(|index| ("kept".to_owned(), index)).into_iter().collect();
        story.history.probes.push(Probe { started_at: At(50), ended_at: At(60), found });
        assert_eq!(kinds(&story.history), expected, "{retains:?}");
    }

    #[test]
    fn the_last_acknowledged_message_or_a_later_one_is_found() {
        let set = [Retain::Set; 3];
        check(set, Some(1), &[]);
        check(set, Some(2), &[]);
        check(set, Some(0), &[Kind::Retained]);
        check(set, None, &[Kind::Retained]);
    }

    #[test]
    fn a_cleared_message_is_gone_and_one_that_may_be_cleared_may_be_gone() {
        check([Retain::Set, Retain::Clear, Retain::Set], None, &[]);
        check([Retain::Set, Retain::Clear, Retain::Set], Some(0), &[Kind::Retained]);
        check([Retain::Set, Retain::Set, Retain::Clear], None, &[]);
        check([Retain::Set, Retain::Set, Retain::Clear], Some(1), &[]);
    }

    #[test]
    fn only_what_cannot_be_gone_is_needed() {
        let mut story = Story::new();
        for (topic, retain) in [("set", Retain::Set), ("cleared", Retain::Clear)] {
            let message = story.published(topic, 1, 20, Some(21));
            story.history.publications[message].retain = retain;
        }
        assert_eq!(needed(&story.history, At(50)), BTreeSet::from(["set".to_owned()]));
    }
}
