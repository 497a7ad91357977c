//! Owns the measurement of sessions that all come back at once, as after a power cut of everybody but the broker.

use std::time::Instant;

use dunlin_load::{Lifetime, Process, QoS, Subscriber};

use super::{Figure, StateMode, cpu_us, load};
use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::count;

pub(super) const MODE: StateMode = StateMode {
    name: "reconnect",
    what: "15,000 persistent sessions with a subscription each, cut off and back at once",
    needs: &[Need::Sessions],
    aims: &[],
    measure,
};

const SESSIONS: u64 = 15_000;

fn measure(running: &Running) -> Result<Vec<Figure>, Error> {
    let broker = Process::of(running.process());
    let mut first = load(running, "storm-")?;
    for number in 0..SESSIONS {
        let subscriber = Subscriber { filters: vec![format!("bench/storm/{number}")], qos: QoS::AtLeastOnce };
        first.collector(Lifetime::Persistent, &number.to_string(), subscriber)?;
    }
    first.wait_ready()?;
    first.cut();
    let mut second = load(running, "storm-")?;
    for number in 0..SESSIONS {
        let subscriber = Subscriber { filters: Vec::new(), qos: QoS::AtLeastOnce };
        second.collector(Lifetime::Persistent, &number.to_string(), subscriber)?;
    }
    let (before, begin) = (broker.usage()?, Instant::now());
    second.wait_ready()?;
    let (elapsed, used) = (begin.elapsed(), broker.usage()?.since(before));
    second.disconnect()?;
    Ok(vec![
        ("sessions/s", count(SESSIONS) / elapsed.as_secs_f64()),
        ("CPU us/session", cpu_us(used, SESSIONS)),
    ])
}
