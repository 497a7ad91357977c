//! Owns the table of segments that are on disk and how many references each has. Their files are read and written
//! elsewhere.

use std::collections::VecDeque;

/// Who still needs the records of some stretch of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct References {
    pub live: u64,
    /// Where the log ended when the last reference went: once that is durable, so is the reason why it went.
    released_at: u64,
}

impl References {
    pub(super) fn refer(&mut self, count: u64) {
        self.live += count;
    }

    /// # Panics
    /// If more is released than was referred to: the next reclaim would remove what is needed.
    pub(super) fn release(&mut self, count: u64, end: u64) {
        assert!(self.live >= count, "more references were released than there were");
        self.live -= count;
        self.released_at = end;
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.live += other.live;
        self.released_at = self.released_at.max(other.released_at);
    }

    pub(super) fn are_gone(&self, durable: u64) -> bool {
        self.live == 0 && self.released_at <= durable
    }
}

/// How `end` is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// This process wrote it or read it all.
    Exact,
    /// Only the segment's header was read, and the one that began where it ends is gone: it ends here or before. Behind
    /// its last record there is room, or what a failed write left of records that the next segment held.
    AtMost,
}

/// A segment on disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub first: u64,
    /// Behind its last record.
    pub end: u64,
    pub extent: Extent,
    pub references: References,
}

/// All segments, in order. Below the floor there may be gaps.
#[derive(Debug, Default)]
pub(super) struct Segments {
    list: VecDeque<Segment>,
}

impl Segments {
    pub(super) fn push(&mut self, segment: Segment) {
        assert!(self.list.back().is_none_or(|last| last.end <= segment.first), "segments are in order");
        self.list.push_back(segment);
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Segment> {
        self.list.back_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.list.iter()
    }

    /// The segment that holds this position.
    pub(super) fn holding(&self, position: u64) -> Option<&Segment> {
        self.list.get(self.place(position)?).filter(|segment| position < segment.end)
    }

    /// The segment that holds this position, to count its references.
    pub(super) fn holding_mut(&mut self, position: u64) -> Option<&mut Segment> {
        let place = self.place(position)?;
        self.list.get_mut(place).filter(|segment| position < segment.end)
    }

    fn place(&self, position: u64) -> Option<usize> {
        self.list.partition_point(|segment| segment.first <= position).checked_sub(1)
    }

    /// Takes out what may be removed: below the floor, and nobody needs it.
    pub(super) fn take_dead(&mut self, floor: u64, durable: u64) -> Vec<Segment> {
        let is_dead = |segment: &Segment| segment.end <= floor && segment.references.are_gone(durable);
        let dead = self.list.iter().copied().filter(|segment| is_dead(segment)).collect();
        self.list.retain(|segment| !is_dead(segment));
        dead
    }

    /// Puts back what could not be removed.
    pub(super) fn put_back(&mut self, segment: Segment) {
        let place = self.list.partition_point(|other| other.first < segment.first);
        self.list.insert(place, segment);
    }
}
