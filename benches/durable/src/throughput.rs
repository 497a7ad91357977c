//! Owns one measurement of publishers at their limit with subscribers that are there. Which numbers of them
//! are worth it, the parts say.

use std::time::{Duration, Instant};

use crate::bench::{Bench, count};
use crate::client::{Client, ENDLESS, Publisher, Subscriber};
use crate::daemon::{Installation, Storage};
use crate::error::Error;
use crate::frames::{Lifetime, PublishFrame};
use crate::load::Load;
use crate::process::{Usage, device_written_bytes, load_average};
use crate::report::Measured;

/// Who publishes to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Each with a topic of its own.
    pub(crate) publishers: u32,
    /// Messages of one publisher that wait for their acknowledgement.
    pub(crate) window: u16,
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
        let mut load = Load::new(daemon.address)?;
        self.open(&mut load)?;
        load.publish()?;
        load.run(WARM_UP)?;

        let load_average = load_average();
        let (usage, acknowledged) = (daemon.usage()?, load.tally.acknowledged);
        let own = Usage::of(std::process::id())?;
        let device = device_written_bytes(&installation.folder);
        let begin = Instant::now();
        load.tally.start_recording();
        load.run(bench.duration)?;
        load.tally.stop_recording();
        let elapsed = begin.elapsed();
        let usage = daemon.usage()?.since(usage);
        let own = Usage::of(std::process::id())?.since(own);
        let messages = count(load.tally.acknowledged - acknowledged);
        let by_device = device_written_bytes(&installation.folder).zip(device);
        let by_device = by_device.map_or(f64::NAN, |(now, before)| count(now.saturating_sub(before)));

        let lost = self.finish(&mut load)?;
        let tally = &mut load.tally;
        let figures = vec![
            (RATE, messages / elapsed.as_secs_f64()),
            ("ack p50 ms", tally.acknowledgements.per_mille(500)),
            ("ack p99 ms", tally.acknowledgements.per_mille(990)),
            ("delivery p50 ms", tally.deliveries.per_mille(500)),
            ("delivery p99 ms", tally.deliveries.per_mille(990)),
            (CPU, usage.cpu.as_secs_f64() * 1e6 / messages),
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
            let first_topic = group * self.topics_per_subscriber;
            for member in 0..self.fan_out {
                let filter = format!("durable/{group}/+");
                let subscriber = Subscriber::new(&filter, first_topic, self.topics_per_subscriber as usize);
                let client_id = format!("subscriber-{group}-{member}");
                load.open(&client_id, Lifetime::Persistent, Client::Subscriber(subscriber))?;
            }
        }
        load.wait_ready()?;
        for topic in 0..self.publishers {
            let name = format!("durable/{}/{topic}", topic / self.topics_per_subscriber);
            let publisher = Publisher::new([PublishFrame::new(topic, &name)], self.window, ENDLESS);
            load.open(&format!("publisher-{topic}"), Lifetime::Connection, Client::Publisher(publisher))?;
        }
        load.wait_ready()
    }

    /// Stops and waits for all that is on its way; tells what did not come.
    pub(crate) fn finish(self, load: &mut Load) -> Result<u64, Error> {
        load.stop_publishing();
        load.until("acknowledgements come", |tally| tally.acknowledged == tally.published)?;
        let expected = load.tally.published * u64::from(self.fan_out);
        load.wait_delivered(expected)?;
        Ok(expected - load.tally.delivered)
    }
}
