//! Owns the list of what is measured of a broker that holds a lot: connections, sessions, subscriptions, retained and
//! queued messages. Each is a file below.

mod connections;
mod filters;
mod offline;
mod retained;
mod sessions;

use dunlin_load::{Load, Target, Usage};

use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::count;

/// One thing that is measured.
#[derive(Clone, Copy)]
pub(crate) struct StateMode {
    /// As the command line names it.
    pub(crate) name: &'static str,
    /// As the report explains it.
    pub(crate) what: &'static str,
    pub(crate) needs: &'static [Need],
    pub(crate) aims: &'static [(&'static str, Aim)],
    pub(crate) measure: fn(&Running) -> Result<Vec<Figure>, Error>,
}

/// A name with its unit, and a value.
pub(crate) type Figure = (&'static str, f64);

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    AtMost(f64),
    /// So many times the relay's of the same run.
    TimesFloor(f64),
}

/// All of them, in the order of the report.
pub(crate) const ALL: [StateMode; 6] = [
    connections::MODE,
    sessions::MODE,
    filters::ONE_MILLION,
    filters::TEN_MILLION,
    retained::MODE,
    offline::MODE,
];

/// A load whose clients go by names that no other load of the same broker has.
fn load(running: &Running, client_id_prefix: &str) -> Result<Load, Error> {
    let client_id_prefix = client_id_prefix.to_owned();
    Ok(Load::new(Target { client_id_prefix, ..Target::new(running.address) })?)
}

/// Microseconds of CPU for each of so many.
fn cpu_us(used: Usage, of: u64) -> f64 {
    used.cpu.as_secs_f64() * 1e6 / count(of)
}

/// Bytes of memory for each of so many that came between the two.
fn bytes_each(after: Usage, before: Usage, of: u64) -> f64 {
    count(after.resident_bytes.saturating_sub(before.resident_bytes)) / count(of)
}
