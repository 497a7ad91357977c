//! Owns the measurement of sessions that all come back at once, as after a power cut of everybody but the broker.

use std::time::Instant;

use dunlin_load::Process;

use super::{StateMode, cpu_us};
use crate::broker::{Need, Running};
use crate::error::Error;
use crate::figures::{Figure, count};
use crate::holders::Holders;
use crate::scale::{Crowd, Scale};

pub(super) const MODE: StateMode = StateMode {
    name: "reconnect",
    what: "persistent sessions with a subscription each, as many as idle clients: cut off and back at once",
    needs: &[Need::Sessions],
    aims: &[],
    measure,
};

fn measure(running: &Running, scale: Scale) -> Result<Vec<Figure>, Error> {
    let (broker, sessions) = (Process::of(running.process()), scale.connections);
    let mut first = Holders::start(running, Crowd::Subscribing, scale)?;
    first.connect()?;
    // The second are there before the first are gone, so that nothing lies between the cut and the storm.
    let mut second = Holders::start(running, Crowd::Returning, scale)?;
    first.cut()?;
    let (before, begin) = (broker.usage()?, Instant::now());
    second.connect()?;
    let (elapsed, used) = (begin.elapsed(), broker.usage()?.since(before));
    second.cut()?;
    Ok(vec![
        Figure::noted("sessions", count(sessions)),
        Figure::high("sessions/s", count(sessions) / elapsed.as_secs_f64()),
        Figure::low("CPU us/session", cpu_us(used, sessions)),
    ])
}
