//! Sleeps end when they are due, not before and not only by events.

use std::time::Duration;

use broker_core::Timestamp;
use mio::event::Event;
use mio::{Token, Waker};

use super::{ALARM, Bed};
use crate::clock::Clock;

/// Sleeps, again when woken early, until it is due; tells how often that was.
fn sleep(bed: &mut Bed, clock: Clock, due: Timestamp) -> u32 {
    for sleeps in 1.. {
        bed.sleep_until(due, clock.now());
        if clock.now() >= due {
            return sleeps;
        }
        assert!(sleeps < 1_000, "it does not sleep");
    }
    unreachable!()
}

#[test]
fn a_sleep_ends_when_it_is_due_also_behind_one_that_was_to_end_earlier_or_later() {
    let (clock, mut bed) = (Clock::start(0), Bed::new(4).expect("descriptors"));
    let waker = Waker::new(bed.registry(), Token(0)).expect("a descriptor");
    for (set_ms, due_ms) in [(20, 20), (5, 30), (86_400_000, 20), (20, 20)] {
        waker.wake().expect("a counter");
        bed.sleep_until(clock.now().plus_millis(set_ms), clock.now());
        let due = clock.now().plus_millis(due_ms);
        let sleeps = sleep(&mut bed, clock, due);
        assert!(sleeps <= 3, "{sleeps} sleeps of {due_ms} ms, {set_ms} ms having been set");
    }
}

#[test]
fn what_is_due_is_not_waited_for() {
    let mut bed = Bed::new(4).expect("descriptors");
    let now = Timestamp::from_millis(1_000);
    for due in [Timestamp::ZERO, now] {
        bed.sleep_until(due, now);
        assert!(bed.events().is_empty());
    }
    bed.look();
    bed.doze(Duration::from_millis(1));
    assert!(bed.events().is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn an_alarm_that_was_to_ring_earlier_wakes_once_for_nothing() {
    let (clock, mut bed) = (Clock::start(0), Bed::new(4).expect("descriptors"));
    let waker = Waker::new(bed.registry(), Token(0)).expect("a descriptor");
    waker.wake().expect("a counter");
    bed.sleep_until(clock.now().plus_millis(10), clock.now());
    assert_eq!(bed.events().iter().map(Event::token).collect::<Vec<_>>(), [Token(0)]);
    bed.sleep_until(Timestamp::NEVER, clock.now());
    assert_eq!(bed.events().iter().map(Event::token).collect::<Vec<_>>(), [ALARM]);
}
