//! Owns the small tree of topics that all clients meet in. The filters overlap on purpose.

use super::Mix;
use crate::random::Random;

const TOPICS: [&str; 11] =
    ["a", "a/b", "a/b/c", "a/c", "b", "b/b", "b/c/d", "a//b", "/a", "$own/a", "$own/b"];

const FILTERS: [&str; 17] = [
    "a", "a/b", "a/b/c", "b/b", "#", "+", "a/#", "a/+", "+/b", "+/+", "b/#", "+/+/+", "/+", "a/b/#", "$own/#",
    "$own/+", "+/b/#",
];

const SHARED_FILTERS: [&str; 6] = [
    "$share/left/a/#",
    "$share/left/#",
    "$share/right/a/#",
    "$share/right/+/b",
    "$share/right/b",
    "$share/left/a/b",
];

/// Everything the auditor subscribes to, so that no topic is left out.
pub(crate) const EVERYTHING: [&str; 2] = ["#", "$own/#"];

pub(super) fn topic(random: &mut Random) -> &'static str {
    random.pick::<&str>(&TOPICS)
}

pub(super) fn filter(random: &mut Random, mix: &Mix) -> &'static str {
    let filters: &[&str] = if random.chance(mix.shared_percent) { &SHARED_FILTERS } else { &FILTERS };
    random.pick::<&str>(filters)
}
