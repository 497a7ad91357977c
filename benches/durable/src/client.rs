//! Owns what one client of the load does: a publisher keeps its window full, a subscriber acknowledges and
//! keeps count. Sockets are not its business.

use std::time::Instant;

use crate::frames::{self, Heard, Mark, PublishFrame};
use crate::tally::Tally;

/// One end of the load.
#[derive(Debug)]
pub(crate) enum Client {
    Publisher(Publisher),
    Subscriber(Subscriber),
}

/// Publishes to its topics in turn, as fast as its window allows.
#[derive(Debug)]
pub(crate) struct Publisher {
    topics: Vec<(PublishFrame, u64)>,
    turn: usize,
    remaining: u64,
    free: Vec<u16>,
    /// By packet id.
    sent_at: Vec<Instant>,
}

/// Publishes until it is told to stop.
pub(crate) const ENDLESS: u64 = u64::MAX;

impl Publisher {
    /// Up to `window` messages wait for their acknowledgement at once; after `messages` it stops by itself.
    pub(crate) fn new(topics: impl IntoIterator<Item = PublishFrame>, window: u16, messages: u64) -> Self {
        let topics = topics.into_iter().map(|frame| (frame, 0)).collect();
        let sent_at = vec![Instant::now(); usize::from(window) + 1];
        Self { topics, turn: 0, remaining: messages, free: (1..=window).collect(), sent_at }
    }

    pub(crate) fn stop(&mut self) {
        self.remaining = 0;
    }

    /// Fills the window.
    pub(crate) fn publish(&mut self, now: Instant, tally: &mut Tally, out: &mut Vec<u8>) {
        while self.remaining > 0 {
            let Some(packet_id) = self.free.pop() else { return };
            let (frame, sequence) = &mut self.topics[self.turn];
            frame.put(packet_id, *sequence, tally.stamp(now), out);
            *sequence += 1;
            self.turn = (self.turn + 1) % self.topics.len();
            self.remaining -= 1;
            self.sent_at[usize::from(packet_id)] = now;
            tally.published += 1;
        }
    }

    fn acknowledged(&mut self, packet_id: u16, now: Instant, tally: &mut Tally) {
        self.free.push(packet_id);
        tally.acknowledged(now - self.sent_at[usize::from(packet_id)]);
    }
}

/// Takes the messages to a range of topics.
#[derive(Debug)]
pub(crate) struct Subscriber {
    /// A SUBSCRIBE, if it is not to rely on what its session holds.
    pub(crate) subscribe: Option<Vec<u8>>,
    first_topic: u32,
    /// For each topic the message that must come next.
    next: Vec<u64>,
    timing: Timing,
}

/// Whether the time from a publisher to a subscriber is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    Noted,
    /// The messages are older than this load, or none of the measurement.
    Ignored,
}

impl Subscriber {
    /// Subscribes to `filter`, which matches `topics` topics from `first_topic` on.
    pub(crate) fn new(filter: &str, first_topic: u32, topics: usize) -> Self {
        let subscribe = Some(frames::subscribe(filter));
        Self { subscribe, first_topic, next: vec![0; topics], timing: Timing::Noted }
    }

    /// Resumes a session that has its subscription and messages from before.
    pub(crate) fn resumed(first_topic: u32, topics: usize) -> Self {
        Self { subscribe: None, first_topic, next: vec![0; topics], timing: Timing::Ignored }
    }

    fn message(&mut self, mark: Mark, now: Instant, tally: &mut Tally) {
        let Some(next) = self.next.get_mut((mark.topic.wrapping_sub(self.first_topic)) as usize) else {
            return tally.trouble("a message came to who did not ask for it".to_owned());
        };
        if mark.sequence < *next {
            return tally.trouble("a message came twice, or behind a later one".to_owned());
        }
        *next = mark.sequence + 1;
        match self.timing {
            Timing::Noted => tally.delivered_timed(mark.sent_at, now),
            Timing::Ignored => tally.delivered += 1,
        }
    }
}

impl Client {
    /// Takes one packet of the broker.
    pub(crate) fn hear(&mut self, heard: Heard, now: Instant, tally: &mut Tally, out: &mut Vec<u8>) {
        match (heard, self) {
            (Heard::Acknowledged { packet_id }, Self::Publisher(publisher)) => {
                publisher.acknowledged(packet_id, now, tally);
            }
            (Heard::Message { packet_id, mark }, Self::Subscriber(subscriber)) => {
                subscriber.message(mark, now, tally);
                frames::put_puback(packet_id, out);
            }
            (Heard::Connected, Self::Subscriber(Subscriber { subscribe: Some(_), .. })) => {}
            (Heard::Connected | Heard::Subscribed, _) => tally.ready += 1,
            (Heard::Trouble { packet_type, reason }, _) => {
                tally.trouble(format!("a packet of type {packet_type} came with reason {reason:#04x}"));
            }
            (Heard::Acknowledged { .. } | Heard::Message { .. }, _) => {
                tally.trouble("a packet came to who did not ask for it".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A subscriber to the topics 5 and 6 hears these messages.
    fn check(messages: &[(u32, u64)], delivered: u64, trouble: Option<&str>) {
        let mut client = Client::Subscriber(Subscriber::new("durable/5/+", 5, 2));
        let mut tally = Tally::new();
        let mut out = Vec::new();
        for &(topic, sequence) in messages {
            let mark = Mark { topic, sequence, sent_at: 0 };
            let heard = Heard::Message { packet_id: [0, 1], mark };
            client.hear(heard, Instant::now(), &mut tally, &mut out);
        }
        assert_eq!(tally.delivered, delivered, "{messages:?}");
        assert_eq!(tally.trouble.as_deref(), trouble, "{messages:?}");
        assert_eq!(out.len(), 4 * messages.len(), "every message is acknowledged");
    }

    #[test]
    fn a_message_that_is_missing_is_missing_in_the_count() {
        check(&[(5, 0), (6, 0), (5, 1), (6, 1)], 4, None);
        check(&[(5, 0), (6, 0), (6, 1)], 3, None);
        check(&[(5, 0), (6, 0), (5, 2), (6, 1)], 4, None);
    }

    #[test]
    fn what_comes_twice_late_or_unasked_is_trouble() {
        let twice = Some("a message came twice, or behind a later one");
        check(&[(5, 0), (5, 0)], 1, twice);
        check(&[(5, 1), (5, 0)], 1, twice);
        check(&[(7, 0)], 0, Some("a message came to who did not ask for it"));
        check(&[(4, 0)], 0, Some("a message came to who did not ask for it"));
    }

    #[test]
    fn a_publisher_keeps_its_window_full_and_no_fuller() {
        let frame = PublishFrame::new(0, "durable/0/0");
        let mut client = Client::Publisher(Publisher::new([frame], 2, 5));
        let mut tally = Tally::new();
        let mut out = Vec::new();
        for (acknowledged, published) in [(0, 2), (1, 3), (2, 4), (3, 5), (4, 5)] {
            if acknowledged > 0 {
                let packet_id = if acknowledged % 2 == 0 { 1 } else { 2 };
                client.hear(Heard::Acknowledged { packet_id }, Instant::now(), &mut tally, &mut out);
            }
            if let Client::Publisher(publisher) = &mut client {
                publisher.publish(Instant::now(), &mut tally, &mut out);
            }
            assert_eq!((tally.acknowledged, tally.published), (acknowledged, published));
        }
    }
}
