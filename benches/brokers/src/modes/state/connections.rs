//! Owns the measurement of connections that do nothing, and of making them.

use std::time::{Duration, Instant};

use dunlin_load::Process;

use super::{Aim, StateMode, bytes_each, cpu_us};
use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::{Figure, count};
use crate::holders::Holders;
use crate::scale::{Crowd, Scale};

pub(super) const MODE: StateMode = StateMode {
    name: "idle",
    what: "clients that connect, 256 at a time, and do nothing",
    needs: &[Need::Mqtt311],
    aims: &[
        ("B each", Aim::AtMost(700.0)),
        ("CPU us/CONNECT", Aim::TimesFloor(1.2)),
        ("MiB without", Aim::AtMost(20.0)),
    ],
    measure,
};

const IDLE: Duration = Duration::from_secs(2);

#[expect(clippy::disallowed_methods, reason = "that nothing happens for a time is what is measured")]
fn measure(running: &Running, scale: Scale) -> Result<Vec<Figure>, Error> {
    let (broker, clients) = (Process::of(running.process()), scale.connections);
    let mut holders = Holders::start(running, Crowd::Idle, scale)?;
    let (before, begin) = (broker.usage()?, Instant::now());
    holders.connect()?;
    let (connected, elapsed) = (broker.usage()?, begin.elapsed());
    std::thread::sleep(IDLE);
    let idle = broker.usage()?.since(connected);
    holders.cut()?;
    Ok(vec![
        Figure::noted("connections", count(clients)),
        Figure::low("B each", bytes_each(connected, before, clients)),
        Figure::low("CPU us/CONNECT", cpu_us(connected.since(before), clients)),
        Figure::high("connections/s", count(clients) / elapsed.as_secs_f64()),
        Figure::low("idle us/s", idle.cpu.as_secs_f64() * 1e6 / IDLE.as_secs_f64()),
        Figure::low("MiB without", count(before.resident_bytes) / 1024.0 / 1024.0),
    ])
}
