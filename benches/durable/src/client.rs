//! Owns what one client of the load does: a publisher keeps its window full, a subscriber acknowledges and keeps count.
//! Sockets are not its business.

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
            tally.unasked += 1;
            return;
        };
        if mark.sequence < *next {
            tally.repeated += 1;
            return;
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
                let text = format!("the broker sent a packet of type {packet_type} with reason {reason:#04x}");
                tally.trouble.get_or_insert(text);
            }
            (Heard::Acknowledged { .. } | Heard::Message { .. }, _) => tally.unasked += 1,
        }
    }
}
