//! Owns the list of what is measured of a broker that holds a lot: connections, sessions, subscriptions, retained and
//! queued messages. Each is a file below.

mod connections;
mod filters;
mod offline;
mod retained;
mod sessions;

use std::time::Duration;

use dunlin_load::{Load, Process, Target, Usage};

use super::{Aim, Mode, Work};
use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::{Figure, count};
use crate::scale::Scale;

/// For whatever a million takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// One thing that is measured.
#[derive(Clone, Copy)]
struct StateMode {
    name: &'static str,
    what: &'static str,
    needs: &'static [Need],
    aims: &'static [(&'static str, Aim)],
    measure: fn(&Running, Scale) -> Result<Vec<Figure>, Error>,
}

const ALL: [StateMode; 6] = [
    connections::MODE,
    sessions::MODE,
    filters::ONE_MILLION,
    filters::TEN_MILLION,
    retained::MODE,
    offline::MODE,
];

/// All of them, in the order of the report.
pub(super) fn all() -> impl Iterator<Item = Mode> {
    ALL.into_iter().map(|mode| Mode {
        name: mode.name.to_owned(),
        what: mode.what.to_owned(),
        needs: mode.needs.to_vec(),
        aims: mode.aims.to_vec(),
        work: Work::State(mode.measure),
    })
}

/// A load whose clients go by names that no other load of the same broker has.
fn load(running: &Running, client_id_prefix: &str) -> Result<Load, Error> {
    let client_id_prefix = client_id_prefix.to_owned();
    Ok(Load::new(Target { client_id_prefix, ..running.target() })?)
}

/// Publishes all that a load's publishers have, so many messages, and tells what the broker had used before and after.
fn store(mut load: Load, broker: Process, messages: u64) -> Result<[Usage; 2], Error> {
    load.wait_ready()?;
    let before = broker.usage()?;
    load.start();
    load.run_until(PATIENCE, "everything is stored", |tally| tally.acknowledged == messages)?;
    let stored = broker.usage()?;
    load.disconnect()?;
    Ok([before, stored])
}

/// Microseconds of CPU for each of so many.
fn cpu_us(used: Usage, of: u64) -> f64 {
    used.cpu.as_secs_f64() * 1e6 / count(of)
}

/// Bytes of memory for each of so many that came between the two.
fn bytes_each(after: Usage, before: Usage, of: u64) -> f64 {
    count(after.resident_bytes.saturating_sub(before.resident_bytes)) / count(of)
}
