//! Owns what one receiver has got of each topic: what is new to it, late, or there already. What follows from it
//! for the publisher is the ledger's business.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

/// What a receiver has got, topic by topic.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    /// Ascending.
    topics: Vec<u32>,
    next: Vec<u32>,
    late: Late,
}

/// What a message is to its receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// The next one, or one after it: those between are missing so far.
    New { missing: Range<u32> },
    /// One that was missing.
    Late,
    /// One that is there.
    Again,
    /// One that was not asked for.
    Foreign,
}

impl Receipts {
    /// Messages to a topic, whose number is above all before, are to come from 0 on.
    pub(crate) fn expect(&mut self, topic: u32) {
        debug_assert!(self.topics.last() < Some(&topic), "topics are numbered in ascending order");
        self.topics.push(topic);
        self.next.push(0);
    }

    #[inline]
    pub(crate) fn take(&mut self, topic: u32, sequence: u32) -> Receipt {
        let Some(position) = self.position(topic) else { return Receipt::Foreign };
        advance(&mut self.next[position], topic, sequence, &mut self.late)
    }

    /// Topics in a row, which is what most receivers have, are found without a search.
    #[inline]
    fn position(&self, topic: u32) -> Option<usize> {
        let &first = self.topics.first()?;
        let in_a_row = topic.checked_sub(first)? as usize;
        match self.topics.get(in_a_row) {
            Some(&there) if there == topic => Some(in_a_row),
            _ => self.topics.binary_search(&topic).ok(),
        }
    }
}

#[inline]
fn advance(next: &mut u32, topic: u32, sequence: u32, late: &mut Late) -> Receipt {
    if sequence < *next {
        return late.take(topic, sequence);
    }
    let missing = *next..sequence;
    *next = sequence + 1;
    if !missing.is_empty() {
        late.0.push((topic, missing.clone()));
    }
    Receipt::New { missing }
}

/// Sequences that a later one has overtaken.
#[derive(Debug, Default)]
struct Late(Vec<(u32, Range<u32>)>);

impl Late {
    #[cold]
    fn take(&mut self, topic: u32, sequence: u32) -> Receipt {
        let holds = |(of, range): &(u32, Range<u32>)| *of == topic && range.contains(&sequence);
        let Some(position) = self.0.iter().position(holds) else { return Receipt::Again };
        let (_, range) = self.0.swap_remove(position);
        let parts = [range.start..sequence, sequence + 1..range.end];
        self.0.extend(parts.into_iter().filter(|part| !part.is_empty()).map(|part| (topic, part)));
        Receipt::Late
    }
}

/// What a receiver has got that takes whatever comes: a topic begins with the first message of it.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    next: HashMap<u32, u32>,
    late: Late,
}

impl Collected {
    pub(crate) fn take(&mut self, topic: u32, sequence: u32) -> Receipt {
        let next = self.next.entry(topic).or_insert(sequence);
        advance(next, topic, sequence, &mut self.late)
    }
}

/// What a group of a shared subscription has got of one topic, in any order.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Everything below is there.
    complete: u32,
    /// What is there from then on, 64 in a word.
    there: VecDeque<u64>,
}

impl Shared {
    /// Whether it is the first time.
    pub(crate) fn take(&mut self, sequence: u32) -> bool {
        let Some(ahead) = sequence.checked_sub(self.complete) else { return false };
        let (word, bit) = ((ahead / 64) as usize, 1 << (ahead % 64));
        if self.there.len() <= word {
            self.there.resize(word + 1, 0);
        }
        let is_new = self.there[word] & bit == 0;
        self.there[word] |= bit;
        while self.there.front() == Some(&u64::MAX) {
            self.there.pop_front();
            self.complete += 64;
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn new(from: u32, to: u32) -> Receipt {
        Receipt::New { missing: from..to }
    }

    #[test]
    fn each_message_is_new_late_or_there() {
        let mut receipts = Receipts::default();
        for topic in [5, 6, 9] {
            receipts.expect(topic);
        }
        let messages = [
            (5, 0, new(0, 0)),
            (6, 0, new(0, 0)),
            (5, 1, new(1, 1)),
            (5, 1, Receipt::Again),
            (5, 5, new(2, 5)),
            (5, 3, Receipt::Late),
            (5, 3, Receipt::Again),
            (5, 2, Receipt::Late),
            (5, 4, Receipt::Late),
            (5, 4, Receipt::Again),
            (5, 6, new(6, 6)),
            (9, 1, new(0, 1)),
            (4, 0, Receipt::Foreign),
            (7, 0, Receipt::Foreign),
            (10, 0, Receipt::Foreign),
        ];
        for (topic, sequence, expected) in messages {
            assert_eq!(receipts.take(topic, sequence), expected, "{sequence} of {topic}");
        }
    }

    #[test]
    fn a_collector_begins_anywhere() {
        let mut collected = Collected::default();
        for (sequence, expected) in
            [(7, new(7, 7)), (8, new(8, 8)), (10, new(9, 10)), (9, Receipt::Late), (7, Receipt::Again)]
        {
            assert_eq!(collected.take(0, sequence), expected, "{sequence}");
        }
    }

    #[test]
    fn a_group_gets_each_message_once_in_any_order() {
        let mut shared = Shared::default();
        for sequence in (0..300).rev().chain(300..400) {
            assert!(shared.take(sequence), "{sequence}");
        }
        for sequence in 0..400 {
            assert!(!shared.take(sequence), "{sequence} again");
        }
        assert_eq!(shared.complete, 384);
    }
}
