//! Owns the measurement of retained messages: storing a million, delivering them to a wildcard.

use dunlin_load::{Lifetime, Process, Publisher, QoS, Subscriber};

use super::{Aim, PATIENCE, StateMode, bytes_each, cpu_us, load, store};
use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::Figure;
use crate::scale::Scale;

pub(super) const MODE: StateMode = StateMode {
    name: "retained-1M",
    what: "1 million retained messages of 64 B: stored, delivered to a wildcard",
    needs: &[Need::Sessions],
    aims: &[("CPU us/store", Aim::AtMost(1.5)), ("CPU us/deliver", Aim::AtMost(0.5))],
    measure,
};

const MESSAGES: u64 = 1_000_000;
const PUBLISHERS: u64 = 10;

fn measure(running: &Running, _: Scale) -> Result<Vec<Figure>, Error> {
    let broker = Process::of(running.process());
    let mut storing = load(running, "retained-")?;
    for publisher in 0..PUBLISHERS {
        let share = MESSAGES / PUBLISHERS;
        let topics = (0..share).map(|index| {
            let number = index * PUBLISHERS + publisher;
            format!("bench/retained/{}/{}", number / 1_000, number % 1_000)
        });
        let publisher_of_share = Publisher {
            topics: topics.collect(),
            // Acknowledged, so that it is known when the last is stored.
            qos: QoS::AtLeastOnce,
            payload_bytes: 64,
            retain: true,
            window: 100,
            rate: None,
            messages: Some(share),
        };
        storing.publisher(&publisher.to_string(), publisher_of_share)?;
    }
    let [before, stored] = store(storing, broker, MESSAGES)?;

    let mut delivering = load(running, "wildcard-")?;
    let subscriber = Subscriber { filters: vec!["bench/retained/#".to_owned()], qos: QoS::AtMostOnce };
    let before_delivery = broker.usage()?;
    delivering.collector(Lifetime::Connection, "subscriber", subscriber)?;
    delivering.run_until(PATIENCE, "everything is delivered", |tally| tally.collected == MESSAGES)?;
    let delivered = broker.usage()?.since(before_delivery);
    delivering.disconnect()?;
    Ok(vec![
        Figure::low("CPU us/store", cpu_us(stored.since(before), MESSAGES)),
        Figure::low("B/message", bytes_each(stored, before, MESSAGES)),
        Figure::low("CPU us/deliver", cpu_us(delivered, MESSAGES)),
    ])
}
