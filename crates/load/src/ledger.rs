//! Owns what has been published, for how many, and what of it has not arrived: the window of each publisher and
//! the counts. Packets are not its business.

use std::fmt;
use std::ops::Range;

use crate::mark::Mark;
use crate::receipts::{Receipt, Shared};
use crate::tally::Tally;

/// The books of a load, which its publishers and subscribers share.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) tally: Tally,
    topics: Vec<Topic>,
    windows: Vec<Window>,
    shared: Vec<Shared>,
    /// Clients that have room to publish; each once.
    pub(crate) awake: Vec<u32>,
    /// How often the broker wants to hear from each client, in seconds: the Keep Alive, or the shortest Server Keep
    /// Alive that it asked for instead. None: it does not mind.
    pub(crate) keep_alive: Option<u16>,
}

/// A topic of one publisher.
#[derive(Debug)]
struct Topic {
    window: u32,
    /// Its place among the topics of the publisher, which takes them in turn.
    turn: u32,
    turns: u32,
    /// Receivers of each message.
    copies: u32,
}

/// Messages of one publisher that not all of their receivers have got.
#[derive(Debug)]
struct Window {
    client: u32,
    /// Whether the publisher waits for room.
    held: bool,
    /// Receivers that a message is missing at, for the messages from `oldest` to `next`; empty: not noted.
    missing: Vec<u32>,
    size: u64,
    oldest: u64,
    next: u64,
}

/// What had been published and did not come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Messages without PUBACK or PUBCOMP.
    pub unacknowledged: u64,
    /// Deliveries that are missing.
    pub undelivered: u64,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            tally: Tally::new(),
            topics: Vec::new(),
            windows: Vec::new(),
            shared: Vec::new(),
            awake: Vec::new(),
            keep_alive: None,
        }
    }

    /// A publisher whose acknowledgements are its window.
    pub(crate) fn add_acknowledged(&mut self, client: u32) -> u32 {
        self.add_window(Window { client, held: false, missing: Vec::new(), size: 0, oldest: 0, next: 0 })
    }

    /// A publisher of which at most `size` messages may be missing anywhere.
    pub(crate) fn add_unacknowledged(&mut self, client: u32, size: u32) -> u32 {
        let missing = vec![0; size.next_power_of_two() as usize];
        self.add_window(Window { client, held: false, missing, size: size.into(), oldest: 0, next: 0 })
    }

    fn add_window(&mut self, window: Window) -> u32 {
        self.windows.push(window);
        number(self.windows.len() - 1)
    }

    pub(crate) fn next_topic(&self) -> u32 {
        number(self.topics.len())
    }

    pub(crate) fn add_topic(&mut self, window: u32, turn: u32, turns: u32, copies: u32) {
        self.topics.push(Topic { window, turn, turns, copies });
    }

    pub(crate) fn add_shared(&mut self) -> u32 {
        self.shared.push(Shared::default());
        number(self.shared.len() - 1)
    }

    /// Whether a publisher without acknowledgements may go on.
    #[inline]
    pub(crate) fn has_room(&self, window: u32) -> bool {
        let window = &self.windows[window as usize];
        window.next - window.oldest < window.size
    }

    /// Notes that a message is on its way.
    #[inline]
    pub(crate) fn published(&mut self, topic: u32) {
        let topic = &self.topics[topic as usize];
        self.tally.published += 1;
        self.tally.expected += u64::from(topic.copies);
        let window = &mut self.windows[topic.window as usize];
        if window.size > 0 {
            self.tally.acknowledged += 1;
            let at = window.slot(window.next);
            window.missing[at] = topic.copies;
            window.next += 1;
            window.forget_complete();
        }
    }

    /// Has the publisher woken when there is room.
    pub(crate) fn hold(&mut self, window: u32) {
        self.windows[window as usize].held = true;
    }

    /// There is room.
    #[inline]
    pub(crate) fn wake(&mut self, window: u32) {
        let window = &mut self.windows[window as usize];
        if window.held {
            window.held = false;
            self.awake.push(window.client);
        }
    }

    /// A message that the broker answered with an error is not to be delivered.
    #[cold]
    pub(crate) fn refused(&mut self, topic: u32) {
        self.tally.refused += 1;
        self.tally.expected -= u64::from(self.topics[topic as usize].copies);
    }

    /// A member of a shared subscription got a message.
    pub(crate) fn shared(&mut self, shared: u32, sequence: u32) -> Receipt {
        if self.shared[shared as usize].take(sequence) {
            Receipt::New { missing: sequence..sequence }
        } else {
            Receipt::Again
        }
    }

    /// Notes what a subscriber got.
    #[inline]
    pub(crate) fn delivered(&mut self, mark: Mark, receipt: Receipt, now: u64) {
        match receipt {
            Receipt::New { missing } => {
                self.tally.delivered(mark.sent_at, now);
                self.arrived(mark.topic, missing.start..mark.sequence + 1);
            }
            Receipt::Late => {
                self.tally.delivered(mark.sent_at, now);
                self.tally.reordered += 1;
            }
            Receipt::Again => self.tally.duplicated += 1,
            Receipt::Foreign => self.tally.foreign += 1,
        }
    }

    /// Notes what a collector got; its age is not known.
    pub(crate) fn collected(&mut self, receipt: &Receipt) {
        match receipt {
            Receipt::New { .. } => {}
            Receipt::Late => self.tally.reordered += 1,
            Receipt::Again => {
                self.tally.duplicated += 1;
                return;
            }
            Receipt::Foreign => {
                self.tally.foreign += 1;
                return;
            }
        }
        self.tally.delivered += 1;
        self.tally.collected += 1;
    }

    /// What was overtaken is given up as far as the window goes: at QoS 0 it is lost most likely, and a window
    /// that waits for it would be smaller ever after.
    #[inline]
    fn arrived(&mut self, topic: u32, sequences: Range<u32>) {
        let topic = &self.topics[topic as usize];
        let window = &mut self.windows[topic.window as usize];
        if window.size == 0 {
            return;
        }
        for sequence in sequences {
            let message = u64::from(sequence) * u64::from(topic.turns) + u64::from(topic.turn);
            if (window.oldest..window.next).contains(&message) {
                let at = window.slot(message);
                window.missing[at] = window.missing[at].saturating_sub(1);
            }
        }
        window.forget_complete();
        if window.held && window.next - window.oldest < window.size {
            self.wake(topic.window);
        }
    }

    /// What has not come so far.
    pub(crate) fn loss(&self) -> Loss {
        let tally = &self.tally;
        Loss {
            unacknowledged: tally.published - tally.acknowledged,
            // A broker may refuse what it delivers all the same.
            undelivered: tally.expected.saturating_sub(tally.delivered - tally.collected),
        }
    }
}

impl Window {
    #[inline]
    fn slot(&self, message: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the remainder is below the length")]
        let slot = message as usize & (self.missing.len() - 1);
        slot
    }

    #[inline]
    fn forget_complete(&mut self) {
        while self.oldest < self.next && self.missing[self.slot(self.oldest)] == 0 {
            self.oldest += 1;
        }
    }
}

/// Topics and publishers are counted when they are added, and refused above this.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Loss {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages not acknowledged, {} deliveries missing",
            self.unacknowledged, self.undelivered
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A publisher without acknowledgements, with two topics of so many receivers, and a window of three.
    fn ledger(copies: [u32; 2]) -> Ledger {
        let mut ledger = Ledger::new();
        let window = ledger.add_unacknowledged(7, 3);
        for (turn, copies) in (0..).zip(copies) {
            ledger.add_topic(window, turn, 2, copies);
        }
        ledger
    }

    fn publish_all(ledger: &mut Ledger, turn: &mut u32) -> u32 {
        let begin = *turn;
        while ledger.has_room(0) && *turn < begin + 100 {
            ledger.published(*turn % 2);
            *turn += 1;
        }
        ledger.hold(0);
        *turn - begin
    }

    fn deliver(ledger: &mut Ledger, topic: u32, sequence: u32, missing: Range<u32>) {
        ledger.delivered(Mark { topic, sequence, sent_at: 0 }, Receipt::New { missing }, 0);
    }

    #[test]
    fn a_message_leaves_the_window_when_its_last_receiver_has_it() {
        let (mut ledger, mut turn) = (ledger([2, 1]), 0);
        assert_eq!(publish_all(&mut ledger, &mut turn), 3);
        deliver(&mut ledger, 0, 0, 0..0);
        deliver(&mut ledger, 1, 0, 0..0);
        assert!(!ledger.has_room(0), "the second receiver of the first message has not got it");
        assert_eq!(ledger.awake, []);
        deliver(&mut ledger, 0, 0, 0..0);
        assert_eq!(ledger.awake, [7]);
        assert_eq!(publish_all(&mut ledger, &mut turn), 2);
        assert_eq!(ledger.loss(), Loss { unacknowledged: 0, undelivered: 2 + 1 + 2 });
    }

    #[test]
    fn without_receivers_the_window_is_no_bound() {
        assert_eq!(publish_all(&mut ledger([0, 0]), &mut 0), 100);
    }

    #[test]
    fn what_is_overtaken_leaves_the_window_and_is_missing_in_the_count() {
        let (mut ledger, mut turn) = (ledger([1, 0]), 0);
        assert_eq!(publish_all(&mut ledger, &mut turn), 3);
        deliver(&mut ledger, 0, 1, 0..1);
        assert_eq!(publish_all(&mut ledger, &mut turn), 4);
        assert_eq!(ledger.loss(), Loss { unacknowledged: 0, undelivered: 1 + 2 });
        let late = Mark { topic: 0, sequence: 0, sent_at: 0 };
        ledger.delivered(late, Receipt::Late, 0);
        assert_eq!(ledger.loss(), Loss { unacknowledged: 0, undelivered: 2 });
        assert_eq!(ledger.tally.reordered, 1);
    }

    #[test]
    fn what_is_refused_is_not_waited_for() {
        let mut ledger = Ledger::new();
        let window = ledger.add_acknowledged(0);
        ledger.add_topic(window, 0, 1, 3);
        ledger.published(0);
        assert_eq!(ledger.loss(), Loss { unacknowledged: 1, undelivered: 3 });
        ledger.refused(0);
        ledger.tally.acknowledged(0, 0);
        assert!(ledger.loss().is_none());
    }
}
