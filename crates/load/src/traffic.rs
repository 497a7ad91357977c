//! Owns the common shapes of a load: who publishes to whom, by which topics and filters. How much and how long is
//! the caller's business.

use mqtt_codec::QoS;

use crate::client::{Publisher, Subscriber};
use crate::error::Error;
use crate::load::Load;
use crate::target::Lifetime;

/// Publishers and subscribers of one shape that all do the same.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// Who publishes to whom.
    pub topology: Topology,
    /// The first levels of every topic, such as `load/1`.
    pub topic_prefix: String,
    /// Of messages and subscriptions.
    pub qos: QoS,
    /// Of each message; at least [`MARK_BYTES`](crate::MARK_BYTES).
    pub payload_bytes: usize,
    /// Of each publisher, see [`Publisher::window`].
    pub window: u32,
    /// Of all publishers together, in messages per second; none: as fast as the windows allow.
    pub rate: Option<f64>,
    /// Of each publisher; none: until the load is stopped.
    pub messages: Option<u64>,
    /// Whether the broker is to retain the messages.
    pub retain: bool,
    /// Of the subscribers' sessions.
    pub lifetime: Lifetime,
}

/// Who publishes to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// Each publisher has a topic and a subscriber of its own.
    Pairs(u32),
    /// So many topics, over which the publishers and the subscribers are spread evenly.
    Topics {
        /// Clients that publish, each to one topic.
        publishers: u32,
        /// Clients that subscribe, each to one topic.
        subscribers: u32,
        /// At least 1.
        topics: u32,
    },
    /// Each publisher has a topic of its own, and every subscriber takes all of them by a wildcard.
    FanOut {
        /// Clients that publish.
        publishers: u32,
        /// Clients that subscribe.
        subscribers: u32,
    },
    /// As fan-out, but the subscribers share the messages: each goes to one of them.
    Shared {
        /// Clients that publish.
        publishers: u32,
        /// Clients that subscribe.
        subscribers: u32,
        /// The ShareName.
        name: String,
    },
}

impl Traffic {
    /// Adds the clients to a load without publishers, and waits until they are ready: subscribers first, so that
    /// nothing is published to nobody.
    ///
    /// # Errors
    /// As [`Load::publisher`] and [`Load::wait_ready`].
    pub fn open(&self, load: &mut Load) -> Result<(), Error> {
        for number in 0..self.topology.subscribers() {
            let filters = vec![self.filter(number)];
            let subscriber = Subscriber { filters, qos: self.qos };
            load.subscriber(self.lifetime, &format!("subscriber-{number}"), subscriber)?;
        }
        load.wait_ready()?;
        let publishers = self.topology.publishers();
        for number in 0..publishers {
            let publisher = Publisher {
                topics: vec![self.topic(number)],
                qos: self.qos,
                payload_bytes: self.payload_bytes,
                retain: self.retain,
                window: self.window,
                rate: self.rate.map(|rate| rate / f64::from(publishers)),
                messages: self.messages,
            };
            load.publisher(&format!("publisher-{number}"), publisher)?;
        }
        load.wait_ready()
    }

    fn topic(&self, publisher: u32) -> String {
        let number = match self.topology {
            Topology::Topics { topics, .. } => publisher % topics.max(1),
            Topology::Pairs(_) | Topology::FanOut { .. } | Topology::Shared { .. } => publisher,
        };
        format!("{}/{number}", self.topic_prefix)
    }

    fn filter(&self, subscriber: u32) -> String {
        let prefix = &self.topic_prefix;
        match &self.topology {
            Topology::Pairs(_) => format!("{prefix}/{subscriber}"),
            Topology::Topics { topics, .. } => format!("{prefix}/{}", subscriber % topics.max(&1)),
            Topology::FanOut { .. } => format!("{prefix}/+"),
            Topology::Shared { name, .. } => format!("$share/{name}/{prefix}/+"),
        }
    }
}

impl Topology {
    /// How many clients publish.
    #[must_use]
    pub const fn publishers(&self) -> u32 {
        match *self {
            Self::Pairs(pairs) => pairs,
            Self::Topics { publishers, .. }
            | Self::FanOut { publishers, .. }
            | Self::Shared { publishers, .. } => publishers,
        }
    }

    /// How many clients subscribe.
    #[must_use]
    pub const fn subscribers(&self) -> u32 {
        match *self {
            Self::Pairs(pairs) => pairs,
            Self::Topics { subscribers, .. }
            | Self::FanOut { subscribers, .. }
            | Self::Shared { subscribers, .. } => subscribers,
        }
    }

    /// How many deliveries a message has, on the average of all topics and rounded up; those of a shared
    /// subscription are one.
    #[must_use]
    pub const fn copies(&self) -> u32 {
        match *self {
            Self::Pairs(_) | Self::Shared { .. } => 1,
            Self::FanOut { subscribers, .. } => subscribers,
            Self::Topics { subscribers, topics: 0, .. } => subscribers,
            Self::Topics { subscribers, topics, .. } => subscribers.div_ceil(topics),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_its_topics_and_filters() {
        let check = |topology: Topology, topics: &[&str], filters: &[&str], copies| {
            let traffic = Traffic {
                topology,
                topic_prefix: "p".to_owned(),
                qos: QoS::AtMostOnce,
                payload_bytes: 16,
                window: 1,
                rate: None,
                messages: None,
                retain: false,
                lifetime: Lifetime::Connection,
            };
            let topology = &traffic.topology;
            let names: Vec<_> = (0..topology.publishers()).map(|number| traffic.topic(number)).collect();
            assert_eq!(names, topics);
            let names: Vec<_> = (0..topology.subscribers()).map(|number| traffic.filter(number)).collect();
            assert_eq!(names, filters);
            assert_eq!(topology.copies(), copies);
        };
        check(Topology::Pairs(2), &["p/0", "p/1"], &["p/0", "p/1"], 1);
        let topics = Topology::Topics { publishers: 3, subscribers: 2, topics: 2 };
        check(topics, &["p/0", "p/1", "p/0"], &["p/0", "p/1"], 1);
        let topics = Topology::Topics { publishers: 1, subscribers: 3, topics: 1 };
        check(topics, &["p/0"], &["p/0", "p/0", "p/0"], 3);
        check(Topology::FanOut { publishers: 1, subscribers: 2 }, &["p/0"], &["p/+", "p/+"], 2);
        let shared = Topology::Shared { publishers: 2, subscribers: 1, name: "g".to_owned() };
        check(shared, &["p/0", "p/1"], &["$share/g/p/+"], 1);
    }
}
