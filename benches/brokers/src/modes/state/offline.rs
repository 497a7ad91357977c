//! Owns the measurement of messages for sessions that are away: storing a million, draining them.

use std::time::Instant;

use dunlin_load::{Lifetime, Process, Publisher, QoS, Subscriber};

use super::{Aim, PATIENCE, StateMode, bytes_each, cpu_us, load, store};
use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::{Figure, count};
use crate::scale::Scale;

pub(super) const MODE: StateMode = StateMode {
    name: "offline-1M",
    what: "1 million QoS 1 messages of 64 B for 10 sessions that are away: stored, drained",
    needs: &[Need::Sessions],
    aims: &[("CPU us/store", Aim::AtMost(1.0)), ("CPU us/drain", Aim::AtMost(0.6))],
    measure,
};

const MESSAGES: u64 = 1_000_000;
const SESSIONS: u64 = 10;

fn measure(running: &Running, _: Scale) -> Result<Vec<Figure>, Error> {
    let broker = Process::of(running.process());
    let mut leaving = load(running, "offline-")?;
    for session in 0..SESSIONS {
        let subscriber = Subscriber { filters: vec![topic(session)], qos: QoS::AtLeastOnce };
        leaving.collector(Lifetime::Persistent, &session.to_string(), subscriber)?;
    }
    leaving.wait_ready()?;
    leaving.disconnect()?;

    let mut storing = load(running, "publisher-")?;
    for session in 0..SESSIONS {
        let publisher = Publisher {
            topics: vec![topic(session)],
            qos: QoS::AtLeastOnce,
            payload_bytes: 64,
            retain: false,
            window: 100,
            rate: None,
            messages: Some(MESSAGES / SESSIONS),
        };
        storing.publisher(&session.to_string(), publisher)?;
    }
    let [before, stored] = store(storing, broker, MESSAGES)?;

    let mut draining = load(running, "offline-")?;
    for session in 0..SESSIONS {
        let subscriber = Subscriber { filters: Vec::new(), qos: QoS::AtLeastOnce };
        draining.collector(Lifetime::Persistent, &session.to_string(), subscriber)?;
    }
    let (before_drain, begin) = (broker.usage()?, Instant::now());
    draining.run_until(PATIENCE, "everything is drained", |tally| tally.collected == MESSAGES)?;
    let (drained, elapsed) = (broker.usage()?.since(before_drain), begin.elapsed());
    draining.disconnect()?;
    Ok(vec![
        Figure::low("CPU us/store", cpu_us(stored.since(before), MESSAGES)),
        Figure::low("B/message", bytes_each(stored, before, MESSAGES)),
        Figure::low("CPU us/drain", cpu_us(drained, MESSAGES)),
        Figure::high("messages/s drained", count(MESSAGES) / elapsed.as_secs_f64()),
    ])
}

fn topic(session: u64) -> String {
    format!("bench/offline/{session}")
}
