//! The index against a slow matcher that follows the text of the specification.

use std::collections::BTreeMap;

use super::*;
use crate::testing::{Random, matches_slowly};

#[test]
fn random_subscriptions_match_as_the_slow_matcher_says() {
    for seed in 1..=30 {
        compare(&mut Random(seed), seed);
    }
}

fn compare(random: &mut Random, seed: u64) {
    let index = SubscriptionIndex::new(seed);
    let mut reference: BTreeMap<(String, SessionId), Subscriber> = BTreeMap::new();
    let mut matches = Matches::new();
    for round in 0..1500 {
        let grows = random.below(3 + round / 300) < 2;
        if grows {
            let (filter, subscriber) = (random_filter(random), random_subscriber(random));
            let expected = match reference.insert((filter.clone(), subscriber.session), subscriber) {
                None => Subscribed::New,
                Some(_) => Subscribed::Replaced,
            };
            assert_eq!(index.subscribe(&filter, subscriber), expected, "seed {seed}: {filter}");
        } else {
            let from = (random_filter(random), random_subscriber(random).session);
            let present = reference.range(from.clone()..).next().map(|(key, _)| key.clone());
            let (filter, session) = present.unwrap_or(from);
            let expected = reference.remove(&(filter.clone(), session)).is_some();
            assert_eq!(index.unsubscribe(&filter, session), expected, "seed {seed}: {filter}");
        }
        let (topic, publisher) = (random_topic(random), Some(random_subscriber(random).session));
        index.matches(&topic, publisher, &mut matches);
        assert_eq!(
            found(&matches),
            expected(&reference, &topic, publisher),
            "seed {seed}, round {round}: {topic}"
        );
        assert_eq!(index.counts().subscriptions, reference.len());
    }
    for (filter, session) in reference.into_keys() {
        assert!(index.unsubscribe(&filter, session), "seed {seed}: {filter}");
    }
    assert_eq!(index.counts(), SubscriptionCounts::default(), "seed {seed}");
}

type Outcome = BTreeMap<SessionId, (QoS, bool, Vec<u32>)>;

fn found(matches: &Matches) -> Outcome {
    let outcome: Outcome = matches
        .targets()
        .iter()
        .map(|target| {
            let mut identifiers = matches.identifiers(target).to_vec();
            identifiers.sort_unstable();
            (target.session, (target.qos, target.retain_as_published, identifiers))
        })
        .collect();
    assert_eq!(outcome.len(), matches.targets().len(), "a session is there twice");
    outcome
}

fn expected(
    reference: &BTreeMap<(String, SessionId), Subscriber>,
    topic: &str,
    publisher: Option<SessionId>,
) -> Outcome {
    let mut outcome = Outcome::new();
    for ((filter, session), subscriber) in reference {
        if (subscriber.no_local && publisher == Some(*session)) || !matches_slowly(filter, topic) {
            continue;
        }
        let merged = outcome.entry(*session).or_insert((QoS::AtMostOnce, false, Vec::new()));
        merged.0 = merged.0.max(subscriber.qos);
        merged.1 |= subscriber.retain_as_published;
        merged.2.extend((subscriber.identifier != 0).then_some(subscriber.identifier));
        merged.2.sort_unstable();
    }
    outcome
}

fn random_level(random: &mut Random) -> &'static str {
    random.one_of(&["", "a", "b", "c", "$x", "level of more than twenty-two bytes"])
}

fn random_topic(random: &mut Random) -> String {
    let levels: Vec<_> = (0..=random.below(4)).map(|_| random_level(random)).collect();
    levels.join("/")
}

fn random_filter(random: &mut Random) -> String {
    let mut levels: Vec<_> =
        (0..=random.below(4)).map(|_| if random.once_in(4) { "+" } else { random_level(random) }).collect();
    if random.once_in(4) {
        levels.push("#");
    }
    levels.join("/")
}

fn random_subscriber(random: &mut Random) -> Subscriber {
    Subscriber {
        session: SessionId::new(ShardId(random.one_of(&[0, 1, 2])), random.one_of(&[0, 1, 2, 3]), 1),
        qos: random.one_of(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]),
        no_local: random.once_in(4),
        retain_as_published: random.once_in(2),
        identifier: random.one_of(&[0, 1, 2, 3, 4]),
    }
}
