//! The wheel against its promises, and against an ordered map.

use std::collections::BTreeMap;

use super::*;
use crate::testing::Random;

fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_millis(milliseconds)
}

fn fire(timers: &mut Timers<u64>, now: u64) -> Vec<u64> {
    let mut fired = Vec::new();
    timers.advance(at(now), &mut fired);
    fired
}

#[test]
fn a_timer_fires_at_the_first_tick_at_or_after_its_deadline() {
    for (deadline, not_yet, due) in [
        (1, 7, 8),
        (8, 7, 8),
        (9, 15, 16),
        (512, 511, 512),
        (513, 519, 520),
        (60_000, 59_999, 60_000),
        (94_608_000_000_000, 94_607_999_999_999, 94_608_000_000_000),
    ] {
        let mut timers = Timers::new(at(0));
        timers.insert(at(deadline), deadline);
        assert_eq!(fire(&mut timers, not_yet), [0; 0], "deadline {deadline} fired early");
        assert_eq!(fire(&mut timers, due), [deadline], "deadline {deadline} fired late");
        assert!(timers.is_empty());
    }
}

#[test]
fn a_deadline_in_the_past_fires_at_the_next_advance() {
    let mut timers = Timers::new(at(10_000));
    timers.insert(at(3), 1);
    assert!(timers.next_deadline() <= Some(at(10_000)));
    assert_eq!(fire(&mut timers, 10_000), [1]);
}

#[test]
fn time_going_backwards_changes_nothing() {
    let mut timers = Timers::new(at(10_000));
    timers.insert(at(10_008), 1);
    assert_eq!(fire(&mut timers, 5), [0; 0]);
    assert_eq!(fire(&mut timers, 10_008), [1]);
}

#[test]
fn the_last_timestamp_is_held_and_never_fires() {
    let mut timers = Timers::new(at(5));
    let never = timers.insert(Timestamp::NEVER, 1);
    assert_eq!(fire(&mut timers, u64::MAX / 2), [0; 0]);
    assert_eq!(timers.len(), 1);
    assert_eq!(timers.cancel(never), Some(1));
}

#[test]
fn a_cancelled_or_fired_timer_cannot_be_cancelled_again() {
    let mut timers = Timers::new(at(0));
    let cancelled = timers.insert(at(100), 1);
    let fired = timers.insert(at(100), 2);
    assert_eq!(timers.cancel(cancelled), Some(1));
    assert_eq!(fire(&mut timers, 104), [2]);
    let other = timers.insert(at(200), 3);
    assert_eq!(timers.cancel(cancelled), None);
    assert_eq!(timers.cancel(fired), None);
    assert_eq!(timers.cancel(other), Some(3));
    assert_eq!(timers.next_deadline(), None);
}

#[test]
fn timers_of_one_tick_fire_in_the_order_they_were_set() {
    let mut timers = Timers::new(at(0));
    for key in 0..10 {
        timers.insert(at(100_000 - key % 3), key);
    }
    assert_eq!(fire(&mut timers, 200_000), (0..10).collect::<Vec<_>>());
}

#[test]
fn following_next_deadline_fires_everything_on_its_tick_in_few_steps() {
    let mut timers = Timers::new(at(0));
    let deadlines = [8, 16, 504, 512, 520, 32_768, 1_000_000, 86_400_000, 31_536_000_000];
    for deadline in deadlines {
        timers.insert(at(deadline), deadline);
    }
    let (mut fired, mut steps) = (Vec::new(), 0);
    while let Some(deadline) = timers.next_deadline() {
        steps += 1;
        for key in fire(&mut timers, deadline.as_millis()) {
            assert_eq!(key, deadline.as_millis());
            fired.push(key);
        }
    }
    assert_eq!(fired, deadlines);
    assert!(steps <= deadlines.len() * 3, "{steps} steps");
}

#[test]
fn random_timers_fire_as_an_ordered_map_says() {
    for seed in 1..=20 {
        compare_with_a_map(seed);
    }
}

fn compare_with_a_map(seed: u64) {
    let mut random = Random(seed);
    let mut now = random.below(1 << 40);
    let mut timers = Timers::new(at(now));
    let mut reference: BTreeMap<(u64, u64), TimerHandle> = BTreeMap::new();
    for key in 0..3000 {
        let reach = 1 << random.below(36);
        match random.below(10) {
            0..6 => {
                let deadline = now + random.below(reach);
                let tick = deadline.div_ceil(TICK_MS).max(now / TICK_MS);
                reference.insert((tick, key), timers.insert(at(deadline), key));
            }
            6..8 => {
                if let Some((&(tick, key), _)) =
                    reference.range((now / TICK_MS + random.below(reach), 0)..).next()
                {
                    let handle = reference.remove(&(tick, key)).expect("just found");
                    assert_eq!(timers.cancel(handle), Some(key), "seed {seed}");
                }
            }
            _ => {
                now += random.below(reach);
                let later = reference.split_off(&(now / TICK_MS + 1, 0));
                let due: Vec<u64> = reference.keys().map(|&(_, key)| key).collect();
                reference = later;
                let first = timers.next_deadline();
                let mut fired = Vec::new();
                timers.advance(at(now), &mut fired);
                assert_eq!(fired, due, "seed {seed}, now {now}");
                assert!(
                    fired.is_empty() || first.is_some_and(|first| first <= at(now)),
                    "seed {seed}: a late bound"
                );
            }
        }
        assert_eq!(timers.len(), reference.len(), "seed {seed}");
        let first = reference.keys().next().map(|&(tick, _)| at(tick * TICK_MS));
        assert_eq!(timers.next_deadline().is_some(), first.is_some(), "seed {seed}");
        assert!(timers.next_deadline() <= first, "seed {seed}: the bound is later than the first timer");
    }
}
