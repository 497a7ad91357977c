//! Owns sessions that are away and the messages queued for them: making both, and taking every message out
//! again. What is measured meanwhile is the parts' business.

use std::time::Duration;

use crate::bench::count;
use crate::client::{Client, Publisher, Subscriber};
use crate::daemon::Daemon;
use crate::error::Error;
use crate::frames::{Lifetime, PublishFrame};
use crate::load::Load;

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
const WINDOW: u16 = 64;
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
        self.in_crowds(daemon, |session| {
            let (first_topic, topics) = self.topics_of(session);
            let filter = match self.topics_per_session {
                0 => "backlog/0/0".to_owned(),
                _ => format!("backlog/{session}/+"),
            };
            Subscriber::new(&filter, first_topic, topics)
        })
        .map(drop)
    }

    /// Publishes everything; returns once all is acknowledged.
    pub(crate) fn fill(self, daemon: &Daemon) -> Result<(), Error> {
        let topics: Vec<u32> = (0..self.topics()).collect();
        let mut load = Load::new(daemon.address)?;
        for (index, share) in topics.chunks(topics.len().div_ceil(PUBLISHERS)).enumerate() {
            let frames = share.iter().map(|&topic| {
                let session = topic / self.topics_per_session.max(1);
                PublishFrame::new(topic, &format!("backlog/{session}/{topic}"))
            });
            let messages = share.len() as u64 * u64::from(self.messages_per_topic);
            let publisher = Client::Publisher(Publisher::new(frames, WINDOW, messages));
            load.open(&format!("publisher-{index}"), Lifetime::Connection, publisher)?;
        }
        load.wait_ready()?;
        load.publish()?;
        let all = self.published();
        load.until_within(PATIENCE, "the backlog is made", |tally| tally.acknowledged == all)
    }

    /// Resumes every session and takes all out; tells what was missing.
    pub(crate) fn drain(self, daemon: &Daemon) -> Result<u64, Error> {
        let delivered = self.in_crowds(daemon, |session| {
            let (first_topic, topics) = self.topics_of(session);
            Subscriber::resumed(first_topic, topics)
        })?;
        Ok(self.queued() - delivered)
    }

    /// The first topic of a session, and how many it takes.
    pub(crate) fn topics_of(self, session: u32) -> (u32, usize) {
        (session * self.topics_per_session, self.topics_per_session.max(1) as usize)
    }

    pub(crate) fn client_id(session: u32) -> String {
        format!("session-{session}")
    }

    /// Connects the sessions some at a time; each stays until its crowd has what it must get.
    fn in_crowds(self, daemon: &Daemon, subscriber: impl Fn(u32) -> Subscriber) -> Result<u64, Error> {
        let mut delivered = 0;
        for first in (0..self.sessions).step_by(CROWD as usize) {
            let crowd = first..self.sessions.min(first + CROWD);
            let mut load = Load::new(daemon.address)?;
            let mut expected = 0;
            for session in crowd {
                let subscriber = subscriber(session);
                if subscriber.subscribe.is_none() {
                    expected += self.queued() / u64::from(self.sessions);
                }
                load.open(&Self::client_id(session), Lifetime::Persistent, Client::Subscriber(subscriber))?;
            }
            load.wait_ready()?;
            load.wait_delivered(expected)?;
            // The last acknowledgements are on their way to a broker that reads them.
            load.run(Duration::from_millis(50))?;
            delivered += load.tally.delivered;
        }
        Ok(delivered)
    }
}
