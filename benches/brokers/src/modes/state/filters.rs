//! Owns the measurement of a large table of subscriptions, and of publishing through it.

use dunlin_load::{Lifetime, Process, Publisher, QoS, Subscriber};

use super::{Aim, PATIENCE, StateMode, bytes_each, cpu_us, load};
use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::Figure;

const BYTES: (&str, Aim) = ("B/filter", Aim::AtMost(200.0));

pub(super) const ONE_MILLION: StateMode = StateMode {
    name: "filters-1M",
    what: "1 million filters (70 % without wildcard, 20 % with +, 10 % with #), publishing at random topics",
    needs: &[Need::Sessions],
    aims: &[BYTES, ("CPU us/publish", Aim::AtMost(3.0))],
    measure: |running, _| measure(running, 1_000_000),
};

pub(super) const TEN_MILLION: StateMode = StateMode {
    name: "filters-10M",
    what: "10 million filters, as above",
    needs: &[Need::Sessions],
    aims: &[BYTES, ("CPU us/publish", Aim::AtMost(5.0))],
    measure: |running, _| measure(running, 10_000_000),
};

const CLIENTS: u64 = 100;
/// Topics that are published to, spread over the whole table.
const TOPICS: u64 = 200_000;
/// The last message: when it arrives all others have been dealt with.
const END: &str = "bench/end";

fn measure(running: &Running, filters: u64) -> Result<Vec<Figure>, Error> {
    let broker = Process::of(running.process());
    let mut load = load(running, "filters-")?;
    let before = broker.usage()?;
    for client in 0..CLIENTS {
        let filters = (0..filters / CLIENTS).map(|index| filter(index * CLIENTS + client)).collect();
        let subscriber = Subscriber { filters, qos: QoS::AtMostOnce };
        load.collector(Lifetime::Connection, &client.to_string(), subscriber)?;
    }
    load.wait_ready()?;
    let subscribed = broker.usage()?;

    let end = Subscriber { filters: vec![END.to_owned()], qos: QoS::AtMostOnce };
    load.subscriber(Lifetime::Connection, "end", end)?;
    // A step that has no common divisor with the table: every topic is another place in it.
    let topics = (0..TOPICS).map(|index| topic(index * 7_919 % filters)).chain([END.to_owned()]);
    let publisher = Publisher {
        topics: topics.collect(),
        qos: QoS::AtMostOnce,
        payload_bytes: 64,
        retain: false,
        window: 1,
        rate: None,
        messages: Some(TOPICS + 1),
    };
    load.publisher("publisher", publisher)?;
    load.wait_ready()?;
    let ready = broker.usage()?;
    load.start();
    load.run_until(PATIENCE, "everything is published", |tally| tally.delivered > tally.collected)?;
    let published = broker.usage()?.since(ready);
    load.disconnect()?;
    Ok(vec![
        Figure::low("B/filter", bytes_each(subscribed, before, filters)),
        Figure::low("CPU us/filter", cpu_us(subscribed.since(before), filters)),
        Figure::low("CPU us/publish", cpu_us(published, TOPICS)),
    ])
}

/// As in buildings with floors, rooms and sensors.
fn topic(number: u64) -> String {
    format!("bench/{}/{}/{}/value", number / 10_000, number / 100 % 100, number % 100)
}

/// The filter of that number, which matches the topic of that number.
fn filter(number: u64) -> String {
    let (building, floor, room) = (number / 10_000, number / 100 % 100, number % 100);
    match number % 10 {
        0..7 => topic(number),
        7..9 => format!("bench/{building}/{floor}/{room}/+"),
        _ => format!("bench/{building}/{floor}/{room}/#"),
    }
}
