//! Owns the measurement of connections that do nothing, and of making them.

use std::time::Duration;

use dunlin_load::{Lifetime, Process};

use super::{Aim, Figure, StateMode, bytes_each, cpu_us, load};
use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::count;

pub(super) const MODE: StateMode = StateMode {
    name: "idle",
    what: "15,000 clients that connect and do nothing",
    needs: &[Need::Mqtt311],
    aims: &[
        ("B each", Aim::AtMost(700.0)),
        ("CPU us/CONNECT", Aim::TimesFloor(1.2)),
        ("MiB without clients", Aim::AtMost(20.0)),
    ],
    measure,
};

/// Below what one source address has ports for, and most systems' limit of open files.
const CLIENTS: u64 = 15_000;
const IDLE: Duration = Duration::from_secs(2);

fn measure(running: &Running) -> Result<Vec<Figure>, Error> {
    let broker = Process::of(running.process());
    let mut load = load(running, "idle-")?;
    for number in 0..CLIENTS {
        load.idle(&number.to_string(), Lifetime::Connection)?;
    }
    let before = broker.usage()?;
    load.wait_ready()?;
    let connected = broker.usage()?;
    load.run(IDLE)?;
    let idle = broker.usage()?.since(connected);
    load.disconnect()?;
    Ok(vec![
        ("B each", bytes_each(connected, before, CLIENTS)),
        ("CPU us/CONNECT", cpu_us(connected.since(before), CLIENTS)),
        ("CPU us/s when idle", idle.cpu.as_secs_f64() * 1e6 / IDLE.as_secs_f64()),
        ("MiB without clients", count(before.resident_bytes) / 1024.0 / 1024.0),
    ])
}
