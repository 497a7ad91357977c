//! Owns the invariant that a will comes once, not before it is due, and only if it is due `[MQTT5-3.1.2-8]`
//! `[MQTT5-3.1.3-9]` `[MQTT5-3.1.2-10]` `[MQTT311-3.1.2-8]` `[MQTT311-3.1.2-10]`. That one that is due comes at
//! all is judged with the other losses.

use super::{Kind, Violation, owner, told};
use crate::{
    clock::At,
    history::{Fate, History, SessionIndex, WillStory},
};
use std::collections::BTreeMap;

/// How much the broker may count from an earlier moment than the client, which hears of its end later.
const EARLY_MS: u64 = 1200;

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    for story in &history.wills {
        for (session, arrivals) in arrivals(history, story) {
            if let Some(wrong) = wrong(story, &arrivals) {
                let (will, whom) = (told(history, story.publication), owner(history, session));
                let text = format!("{will}, with a delay of {} ms, {wrong} at {whom}", story.delay_ms);
                violations.push(Violation { kind: Kind::Will, text });
            }
        }
    }
}

fn arrivals(history: &History, story: &WillStory) -> BTreeMap<SessionIndex, Vec<At>> {
    let mut arrivals: BTreeMap<SessionIndex, Vec<At>> = BTreeMap::new();
    for delivery in history.deliveries.iter().filter(|it| it.publication == story.publication) {
        arrivals.entry(delivery.session).or_default().push(delivery.at);
    }
    arrivals
}

fn wrong(story: &WillStory, arrivals: &[At]) -> Option<String> {
    let first = *arrivals.first()?;
    if let [_, second, ..] = arrivals {
        return Some(format!("arrived at {first} and again at {second}"));
    }
    match story.fate {
        // Of a CONNECT without CONNACK nobody knows whether it left a will.
        Fate::NotDue => story.connected_at.map(|_| format!("arrived at {first} though it is not due")),
        Fate::CutOff { at } => (first.plus_ms(EARLY_MS) < at.plus_ms(story.delay_ms))
            .then(|| format!("arrived at {first}, too early after the connection was lost at {at}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::Origin,
        verify::testing::{Story, kinds},
    };

    const DELAY_MS: u64 = 5000;

    fn check(fate: Fate, arrivals_ms: &[u64], expected: &[Kind]) {
        let mut story = Story::new();
        let watcher = story.session("watcher");
        story.subscribed(watcher, "will", 2, 10);
        let publication = story.published("will", 2, 20, None);
        story.history.publications[publication].origin = Origin::Will;
        for at in arrivals_ms {
            story.delivered(watcher, publication, at * 1000);
        }
        let connected_at = Some(At(21));
        story.history.wills.push(WillStory { publication, delay_ms: DELAY_MS, connected_at, fate });
        assert_eq!(kinds(&story.history), expected, "{fate:?} {arrivals_ms:?}");
    }

    #[test]
    fn a_will_that_is_due_comes_once_and_not_too_early() {
        let cut_off = Fate::CutOff { at: At(1_000_000) };
        check(cut_off, &[6500], &[]);
        check(cut_off, &[6500, 6600], &[Kind::Will]);
        check(cut_off, &[1100], &[Kind::Will]);
        check(cut_off, &[], &[Kind::Will]);
    }

    #[test]
    fn a_will_that_is_not_due_does_not_come() {
        check(Fate::NotDue, &[], &[]);
        check(Fate::NotDue, &[6500], &[Kind::Will]);
    }
}
