//! Owns the course of a measurement: connect, warm up, measure, wait for the rest. What is made of the figures is the
//! report's business.

use super::{Bench, failure, figures::Figures, place, progress::Progress};
use crate::{error::Error, interrupt::InterruptFlag};
use dunlin_load::{Lifetime, Load, Process, Recording, Target};
use std::time::{Duration, Instant};

/// A measurement that a signal ends before its time.
#[derive(Debug)]
pub(super) struct Measurement<'a> {
    interrupt: &'a InterruptFlag,
    progress: Progress,
}

/// How long nothing may come while something is missing.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often signals are looked for.
const LOOK: Duration = Duration::from_millis(50);
/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);

impl<'a> Measurement<'a> {
    pub(super) fn new(interrupt: &'a InterruptFlag, progress: Progress) -> Self {
        Self { interrupt, progress }
    }

    pub(super) fn take(&mut self, bench: &Bench) -> Result<Figures, Error> {
        let server = &bench.server.server;
        let address = place::address(&server.host, server.port)?;
        let target = Target { address, ..bench.target.clone() };
        let figures = self.measure(bench, target);
        self.progress.clear();
        figures.map_err(|error| failure::explain(&error, bench.target.version))
    }

    fn measure(&mut self, bench: &Bench, target: Target) -> Result<Figures, dunlin_load::Error> {
        let mut load = Load::new(target)?;
        self.progress.doing("connecting");
        let begin = Instant::now();
        for number in 0..bench.idle {
            load.idle(&format!("idle-{number}"), Lifetime::Connection)?;
        }
        if let Some(traffic) = &bench.traffic {
            traffic.open(&mut load)?;
        }
        load.wait_ready()?;
        let connecting = begin.elapsed();

        load.start();
        self.run(&mut load, Some(bench.warm_up))?;
        let before = load.tally().clone();
        let own = Process::current().usage().ok();
        load.record(Recording::On);
        let begin = Instant::now();
        self.run(&mut load, bench.duration)?;
        let end = match bench.duration {
            Some(_) => Instant::now(),
            // What is published is measured with all that comes of it.
            None => self.rest(&mut load)?,
        };
        let elapsed = end - begin;
        let own = Process::current().usage().ok().zip(own).map(|(now, before)| now.since(before).cpu);
        let measured = load.tally().clone();

        self.progress.doing("waiting for the rest");
        load.stop();
        self.rest(&mut load)?;
        let loss = load.drain(Duration::ZERO)?;
        let figures = Figures::new(connecting, elapsed, own, (&before, &measured), load.tally(), loss);
        load.disconnect()?;
        Ok(figures)
    }

    /// Goes on for so long, or until every message is published.
    fn run(&mut self, load: &mut Load, duration: Option<Duration>) -> Result<(), dunlin_load::Error> {
        let begin = Instant::now();
        let mut told = Duration::ZERO;
        loop {
            let rest = duration.map_or(LOOK, |duration| duration.saturating_sub(begin.elapsed()));
            let is_published = duration.is_none() && load.is_finished();
            if rest.is_zero() || is_published || self.interrupt.signal().is_some() {
                return Ok(());
            }
            match duration {
                Some(_) => load.run(rest.min(LOOK))?,
                // It returns as soon as there is nothing more to come.
                None => drop(load.drain(LOOK)?),
            }
            if begin.elapsed() >= told + TELL {
                told += TELL;
                self.progress.count(begin.elapsed().as_secs_f64(), load.tally());
            }
        }
    }

    /// Goes on until all is there, or nothing has come for some time; tells when the last of it came.
    fn rest(&mut self, load: &mut Load) -> Result<Instant, dunlin_load::Error> {
        let came = |load: &Load| load.tally().acknowledged + load.tally().delivered;
        let (mut last, mut before) = (Instant::now(), came(load));
        while last.elapsed() < PATIENCE && self.interrupt.signal().is_none() {
            if load.drain(LOOK)?.is_none() && load.is_finished() {
                return Ok(Instant::now());
            }
            if came(load) > before {
                (last, before) = (Instant::now(), came(load));
            }
        }
        Ok(last)
    }
}
