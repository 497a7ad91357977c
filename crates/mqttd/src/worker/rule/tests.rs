//! Owns the proof that threads give workers away when rounds are long, and come together when they are short.

use super::*;

const fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

/// What a window of one round comes to.
fn window_of(meter: &mut Meter, began: Duration, ended: Duration) -> Option<Load> {
    meter.count();
    meter.measure(began, ended)
}

/// What a window comes to in which rounds of such length begin at such intervals.
fn load(round_us: u64, interval_us: u64) -> Load {
    let mut meter = Meter::new(Rule::default(), Duration::ZERO);
    let begins = (0..).map(|round| us(round * interval_us));
    let measure = |began| if meter.count() { meter.measure(began, began + us(round_us)) } else { None };
    let mut loads = begins.filter_map(measure);
    loads.next().expect("a window ends")
}

#[test]
fn long_rounds_spread_workers_unless_they_are_rare() {
    let asks = |round_us, interval_us| Rule::default().asks_to_spread(&load(round_us, interval_us));
    assert!(asks(1_000, 1_000));
    assert!(asks(1_000, 3_900));
    assert!(asks(100_000, 100_000), "one round is longer than a window");
    assert!(!asks(999, 999), "a thread that is busy with short rounds serves best alone");
    assert!(!asks(8_000, 64_000), "a fan-out now and then");
}

#[test]
fn short_rounds_gather_workers_if_one_thread_can_do_the_work() {
    let (now, patience) = (Duration::from_secs(2), Duration::from_secs(1));
    let asks = |one: Load, other: Load| {
        let still = |load: Load| {
            let short_since =
                if load.mean_round > Rule::default().short_round { now } else { load.short_since };
            Load { ended: now, short_since, ..load }
        };
        Rule::default().asks_to_gather([&still(one), &still(other)], now, patience)
    };
    assert!(asks(load(10, 100), load(10, 100)));
    assert!(asks(load(50, 100), load(49, 100)));
    assert!(!asks(load(60, 100), load(60, 100)), "together more than one thread can do");
    assert!(!asks(load(201, 2_000), load(10, 100)), "clients of the first wait for each other");
}

#[test]
fn a_thread_that_sleeps_has_nothing_to_do_whatever_it_did_last() {
    let (rule, second) = (Rule::default(), Duration::from_secs(1));
    let (calm, busy) = (load(10, 100), load(150, 150));
    let now = busy.ended + 2 * second;
    assert!(rule.asks_to_gather([&Load { ended: now, ..calm }, &busy], now, second));
    assert!(!rule.asks_to_gather([&Load { ended: now, ..calm }, &Load { ended: now, ..busy }], now, second));
}

#[test]
fn patience_is_counted_from_the_last_window_that_was_not_short() {
    let rule = Rule::default();
    let mut meter = Meter::new(rule, Duration::ZERO);
    let window = us(64_000);
    let first = window_of(&mut meter, Duration::ZERO, window).expect("a window");
    let second = window_of(&mut meter, 2 * window - us(10), 2 * window).expect("another");
    let third = window_of(&mut meter, 3 * window - us(10), 3 * window).expect("a third");
    assert_eq!([first, second, third].map(|load| load.short_since), [window; 3]);
}
