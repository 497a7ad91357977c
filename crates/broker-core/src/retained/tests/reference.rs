//! The store against a list of topics and a slow matcher that follows the text of the specification.

use std::collections::BTreeMap;

use super::*;
use crate::testing::{Random, matches_slowly};

#[test]
fn random_topics_come_back_as_the_slow_matcher_says() {
    for seed in 1..=30 {
        compare(&mut Random(seed), seed);
    }
}

fn compare(random: &mut Random, seed: u64) {
    let store = store(&[]);
    let mut reference: BTreeMap<String, Arc<Message>> = BTreeMap::new();
    for round in 0..600 {
        let topic = random_topic(random);
        if random.once_in(4) {
            assert_eq!(
                store.clear(&topic).is_some(),
                reference.remove(&topic).is_some(),
                "seed {seed}: {topic}"
            );
        } else {
            let bytes = size(random.below(50));
            let message = if random.once_in(5) {
                expiring(&topic, bytes, 900 + random.below(200))
            } else {
                message(&topic, bytes)
            };
            store.set(&topic, Arc::clone(&message), NOW).expect("there is room");
            reference.insert(topic, message);
        }
        let filter = random_filter(random);
        let limits = PageLimits { messages_max: 1 + size(random.below(20)), bytes_max: random.below(300) };
        let mut found = walk(&store, &filter, limits).0;
        found.sort_unstable();
        let is_expected =
            |message: &&Arc<Message>| is_live(*message, NOW) && matches_slowly(&filter, &message.topic);
        let expected: Vec<_> =
            reference.values().filter(is_expected).map(|message| message.topic.clone()).collect();
        assert_eq!(found, expected, "seed {seed}, round {round}: {filter}");
        let bytes: usize = reference.values().map(|message| message.bytes).sum();
        assert_eq!(
            store.counts(),
            RetainedCounts { messages: reference.len(), bytes: bytes as u64 },
            "seed {seed}"
        );
    }
    let expired = reference.values().filter(|message| !is_live(*message, NOW)).count();
    assert_eq!(super::expire(&store, NOW, 1 << 20), expired, "seed {seed}");
    assert_eq!(store.counts().messages, reference.len() - expired, "seed {seed}");
}

fn random_level(random: &mut Random) -> &'static str {
    random.one_of(&["", "a", "b", "ab", "$x", "a!", "\u{1}", "é"])
}

fn random_topic(random: &mut Random) -> String {
    let levels: Vec<_> = (0..=random.below(4)).map(|_| random_level(random)).collect();
    // A topic has at least one character.
    if levels == [""] { "/".to_owned() } else { levels.join("/") }
}

fn random_filter(random: &mut Random) -> String {
    let mut levels: Vec<_> =
        (0..=random.below(4)).map(|_| if random.once_in(2) { "+" } else { random_level(random) }).collect();
    if random.once_in(3) {
        levels.push("#");
    }
    if levels == [""] { "#".to_owned() } else { levels.join("/") }
}

fn size(number: u64) -> usize {
    usize::try_from(number).expect("it is small")
}
