//! That runs are repeatable, that the broker stands them, and that every checker catches what it is for.

use clap::ValueEnum;
use dunlin_simulator::{Detail, Plant, checkers, run};
use std::collections::BTreeSet;

/// Seeds within which a planted bug must be caught.
const PLANT_SEEDS_MAX: u64 = 150;

#[test]
fn a_seed_is_the_same_run_every_time_byte_for_byte() {
    let mut fingerprints = BTreeSet::new();
    for seed in 1..=10 {
        let (first, second) = (run(seed, None, Detail::Everything), run(seed, None, Detail::Everything));
        assert_eq!(first, second, "seed {seed}");
        fingerprints.insert(first.fingerprint);
    }
    assert_eq!(fingerprints.len(), 10, "two seeds made the same run");
}

#[test]
fn how_much_is_kept_of_a_run_does_not_change_it() {
    let (all, recent) = (run(3, None, Detail::Everything), run(3, None, Detail::Recent));
    assert_eq!(all.fingerprint, recent.fingerprint);
    assert!(all.lines.ends_with(&recent.lines) && all.lines.len() > recent.lines.len());
}

#[test]
fn the_broker_breaks_no_invariant() {
    let failures: Vec<_> = (1..=50).filter_map(|seed| run(seed, None, Detail::Recent).failure).collect();
    for failure in &failures {
        println!("{failure}\n");
    }
    assert!(failures.is_empty(), "{} of 50 seeds failed", failures.len());
}

/// Each has found a bug of the engine, of the journal or of the truth once.
const SEEDS_THAT_FOUND_SOMETHING: [u64; 93] = [
    66, 77, 81, 86, 88, 91, 93, 95, 171, 1005, 1008, 1090, 1154, 1226, 1236, 1276, 1284, 1501, 1503, 1510,
    2012, 2045, 2062, 2104, 2167, 2373, 2561, 2578, 5048, 5400, 19059, 21289, 5084, 5746, 6797, 6804, 7714,
    8120, 9196, 10889, 10998, 11088, 11792, 12905, 14331, 14422, 15767, 17891, 18093, 18780, 19182, 19670,
    20107, 21546, 21574, 22186, 32556, 36804, 43412, 45133, 3849, 13447, 16605, 8543, 18684, 5328, 6960,
    11390, 8201, 12255, 65402, 68348, 72425, 77238, 80213, 80258, 80558, 81119, 85347, 86094, 88605, 90619,
    5039, 97083, 11053, 14552, 45950, 215436, 319059, 211395, 214414, 218531, 701300,
];

#[test]
fn what_was_found_once_does_not_come_back() {
    let failures: Vec<_> = SEEDS_THAT_FOUND_SOMETHING
        .iter()
        .filter_map(|&seed| run(seed, None, Detail::Recent).failure)
        .collect();
    for failure in &failures {
        println!("{failure}\n");
    }
    assert!(failures.is_empty(), "{} seeds failed", failures.len());
}

#[test]
fn every_planted_bug_is_caught_by_the_checker_it_is_for() {
    for plant in Plant::value_variants() {
        let caught = (1..=PLANT_SEEDS_MAX)
            .filter_map(|seed| run(seed, Some(*plant), Detail::Recent).failure)
            .find(|failure| plant.caught_by().contains(&failure.checker));
        assert!(caught.is_some(), "{plant:?} is not caught by {:?}", plant.caught_by());
    }
}

#[test]
fn every_checker_has_a_planted_bug_that_proves_it() {
    let proven: BTreeSet<_> = Plant::value_variants().iter().flat_map(|plant| plant.caught_by()).collect();
    let unproven: Vec<_> = checkers().filter(|name| !proven.contains(name)).collect();
    assert_eq!(unproven, [""; 0]);
}
