//! Owns the small tree of topics that all clients meet in. The filters overlap on purpose.

use super::Mix;
use crate::random::Random;
use std::sync::LazyLock;

const TOPICS: [&str; 11] =
    ["a", "a/b", "a/b/c", "a/c", "b", "b/b", "b/c/d", "a//b", "/a", "$own/a", "$own/b"];

const FILTERS: [&str; 17] = [
    "a", "a/b", "a/b/c", "b/b", "#", "+", "a/#", "a/+", "+/b", "+/+", "b/#", "+/+/+", "/+", "a/b/#",
    "$own/#", "$own/+", "+/b/#",
];

const SHARED_FILTERS: [&str; 6] = [
    "$share/left/a/#",
    "$share/left/#",
    "$share/right/a/#",
    "$share/right/+/b",
    "$share/right/b",
    "$share/left/a/b",
];

/// A branch of more topics than one page of retained messages holds.
static BRANCH: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..150).map(|leaf| format!("many/{leaf}")).collect());

const BRANCH_FILTERS: [&str; 3] = ["many/#", "many/+", "+/7"];

/// Everything the auditor subscribes to, so that no topic is left out.
pub(crate) const EVERYTHING: [&str; 2] = ["#", "$own/#"];

pub(super) fn topic(random: &mut Random, mix: &Mix) -> &'static str {
    if random.chance(mix.branch_percent) {
        random.pick::<String>(&BRANCH)
    } else {
        random.pick::<&str>(&TOPICS)
    }
}

pub(super) fn filter(random: &mut Random, mix: &Mix) -> &'static str {
    let filters: &[&str] = if random.chance(mix.shared_percent) {
        &SHARED_FILTERS
    } else if random.chance(mix.branch_percent / 2) {
        &BRANCH_FILTERS
    } else {
        &FILTERS
    };
    random.pick::<&str>(filters)
}
