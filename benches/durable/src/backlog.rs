//! Owns sessions that are away and the messages queued for them: making both, and taking every message out
//! again. What is measured meanwhile is the parts' business.

use std::time::Duration;

use dunlin_load::{Lifetime, QoS, Subscriber};

use crate::bench::{count, finish, load, publisher};
use crate::daemon::Daemon;
use crate::error::Error;

/// Sessions and what waits for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backlog {
    pub(crate) sessions: u32,
    /// Topics of their own that each takes; 0: all take the one topic there is.
    pub(crate) topics_per_session: u32,
    pub(crate) messages_per_topic: u32,
}

/// So that none of it is turned away.
pub(crate) const SETTINGS: [&str; 2] = ["limits.queue_messages_max=2000000", "limits.queue_bytes_max=2GiB"];

/// Sessions that are connected at once.
const CROWD: u32 = 1_000;
const PUBLISHERS: usize = 10;
const WINDOW: u32 = 64;
const PATIENCE: Duration = Duration::from_secs(180);

impl Backlog {
    pub(crate) fn topics(self) -> u32 {
        (self.sessions * self.topics_per_session).max(1)
    }

    pub(crate) fn published(self) -> u64 {
        u64::from(self.topics()) * u64::from(self.messages_per_topic)
    }

    /// References in all queues together.
    pub(crate) fn queued(self) -> u64 {
        let topics = u64::from(self.topics_per_session.max(1));
        u64::from(self.sessions) * topics * u64::from(self.messages_per_topic)
    }

    pub(crate) fn queued_count(self) -> f64 {
        count(self.queued())
    }

    /// Makes the sessions and leaves them.
    pub(crate) fn open_sessions(self, daemon: &Daemon) -> Result<(), Error> {
        self.in_crowds(daemon, 0, |session| {
            let filter = match self.topics_per_session {
                0 => "backlog/0/0".to_owned(),
                _ => format!("backlog/{session}/+"),
            };
            Subscriber { filters: vec![filter], qos: QoS::AtLeastOnce }
        })
        .map(drop)
    }

    /// Publishes everything; returns once all is acknowledged.
    pub(crate) fn fill(self, daemon: &Daemon) -> Result<(), Error> {
        let topics: Vec<u32> = (0..self.topics()).collect();
        let mut load = load(daemon)?;
        for (index, share) in topics.chunks(topics.len().div_ceil(PUBLISHERS)).enumerate() {
            let names = share.iter().map(|&topic| {
                let session = topic / self.topics_per_session.max(1);
                format!("backlog/{session}/{topic}")
            });
            let messages = share.len() as u64 * u64::from(self.messages_per_topic);
            let publisher = publisher(names.collect(), WINDOW, Some(messages));
            load.publisher(&format!("publisher-{index}"), publisher)?;
        }
        load.wait_ready()?;
        load.start();
        let all = self.published();
        load.run_until(PATIENCE, "the backlog is made", |tally| tally.acknowledged == all)?;
        finish(&mut load).map(drop)
    }

    /// Resumes every session and takes all out; tells what was missing.
    pub(crate) fn drain(self, daemon: &Daemon) -> Result<u64, Error> {
        let queued_each = self.queued() / u64::from(self.sessions);
        let delivered = self.in_crowds(daemon, queued_each, |_| Self::resumed())?;
        Ok(self.queued() - delivered)
    }

    /// A session brings its subscriptions and what waits for it.
    pub(crate) fn resumed() -> Subscriber {
        Subscriber { filters: Vec::new(), qos: QoS::AtLeastOnce }
    }

    pub(crate) fn client_id(session: u32) -> String {
        format!("session-{session}")
    }

    /// Connects the sessions some at a time; each stays until its crowd has what it must get, or for too long.
    fn in_crowds(
        self,
        daemon: &Daemon,
        queued_each: u64,
        subscriber: impl Fn(u32) -> Subscriber,
    ) -> Result<u64, Error> {
        let mut delivered = 0;
        for first in (0..self.sessions).step_by(CROWD as usize) {
            let crowd = first..self.sessions.min(first + CROWD);
            let expected = queued_each * u64::from(crowd.end - crowd.start);
            let mut load = load(daemon)?;
            for session in crowd {
                load.collector(Lifetime::Persistent, &Self::client_id(session), subscriber(session))?;
            }
            load.wait_ready()?;
            match load.run_until(PATIENCE, "the sessions are empty", |tally| tally.collected >= expected) {
                // What is missing is told by the count.
                Ok(()) | Err(dunlin_load::Error::Late { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            // The last acknowledgements are on their way to a broker that reads them.
            load.run(Duration::from_millis(50))?;
            finish(&mut load)?;
            delivered += load.tally().collected;
        }
        Ok(delivered)
    }
}
