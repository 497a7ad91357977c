//! Owns one measurement of publishers at their limit with subscribers that are there. Which numbers of them
//! are worth it, the parts say.

use std::time::{Duration, Instant};

use dunlin_load::{Lifetime, Load, Process, QoS, Recording, Subscriber};

use crate::bench::{Bench, count, finish, load, milliseconds, publisher};
use crate::daemon::{Installation, Storage};
use crate::error::Error;
use crate::machine::{device_written_bytes, load_average};
use crate::report::Measured;

/// Who publishes to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Each with a topic of its own.
    pub(crate) publishers: u32,
    /// Messages of one publisher that wait for their acknowledgement.
    pub(crate) window: u32,
    /// Topics that one subscriber takes.
    pub(crate) topics_per_subscriber: u32,
    /// Subscribers that take each topic.
    pub(crate) fan_out: u32,
}

pub(crate) const RATE: &str = "messages/s";
pub(crate) const CPU: &str = "CPU us/message";
pub(crate) const WRITTEN: &str = "B written/message";

/// Before anything is measured.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

impl Shape {
    /// Measures against a broker of its own.
    pub(crate) fn measure(self, bench: &Bench, storage: Storage) -> Result<Measured, Error> {
        let installation = bench.installation(storage, &[])?;
        self.measure_with(bench, &installation)
    }

    fn measure_with(self, bench: &Bench, installation: &Installation) -> Result<Measured, Error> {
        let daemon = installation.start()?;
        let mut load = load(&daemon)?;
        self.open(&mut load)?;
        load.start();
        load.run(WARM_UP)?;

        let load_average = load_average();
        let (usage, acknowledged) = (daemon.usage()?, load.tally().acknowledged);
        let own = Process::current().usage()?;
        let device = device_written_bytes(&installation.folder);
        let begin = Instant::now();
        load.record(Recording::On);
        load.run(bench.duration)?;
        load.record(Recording::Off);
        let elapsed = begin.elapsed();
        let usage = daemon.usage()?.since(usage);
        let own = Process::current().usage()?.since(own);
        let messages = count(load.tally().acknowledged - acknowledged);
        let by_device = device_written_bytes(&installation.folder).zip(device);
        let by_device = by_device.map_or(f64::NAN, |(now, before)| count(now.saturating_sub(before)));

        let lost = finish(&mut load)?.undelivered;
        let tally = load.tally();
        let figures = vec![
            (RATE, messages / elapsed.as_secs_f64()),
            ("ack p50 ms", milliseconds(&tally.acknowledgement, 0.5)),
            ("ack p99 ms", milliseconds(&tally.acknowledgement, 0.99)),
            ("delivery p50 ms", milliseconds(&tally.delivery, 0.5)),
            ("delivery p99 ms", milliseconds(&tally.delivery, 0.99)),
            (CPU, usage.cpu.as_secs_f64() * 1e6 / messages),
            ("the system's of it", usage.system.as_secs_f64() * 1e6 / messages),
            // The load is one thread: where this times the rate is near a second, the load is the limit.
            ("load's CPU us", own.cpu.as_secs_f64() * 1e6 / messages),
            (WRITTEN, count(usage.written_bytes) / messages),
            // The device's own count holds what others wrote meanwhile.
            ("B by device", by_device / messages),
            ("MB/s by device", by_device / 1e6 / elapsed.as_secs_f64()),
        ];
        Ok(Measured { figures, lost, load_average })
    }

    /// Connects everybody; subscribers first, so that nothing is published to nobody.
    pub(crate) fn open(self, load: &mut Load) -> Result<(), Error> {
        for group in 0..self.publishers / self.topics_per_subscriber {
            for member in 0..self.fan_out {
                let filters = vec![format!("durable/{group}/+")];
                let subscriber = Subscriber { filters, qos: QoS::AtLeastOnce };
                let client_id = format!("subscriber-{group}-{member}");
                load.subscriber(Lifetime::Persistent, &client_id, subscriber)?;
            }
        }
        load.wait_ready()?;
        for topic in 0..self.publishers {
            let name = format!("durable/{}/{topic}", topic / self.topics_per_subscriber);
            load.publisher(&format!("publisher-{topic}"), publisher(vec![name], self.window, None))?;
        }
        Ok(load.wait_ready()?)
    }
}
