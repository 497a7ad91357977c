//! Owns the name of a place in the log. Which file holds it is not known here.

use std::fmt;

/// A place in the endless log: the offset of a record, counted over all segments that ever were. A later record has a
/// higher one, and a record that is on disk keeps its own forever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(u64);

impl Position {
    /// Before every record.
    pub const NONE: Self = Self(0);

    /// The highest place there may be; two callers' bits and two more are left above it.
    pub const MAX: Self = Self((1 << 60) - 1);

    /// The place with this number.
    ///
    /// # Panics
    /// If it is above [`Position::MAX`], which at a gigabyte a second takes 36 years.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        assert!(number <= Self::MAX.0, "the journal is full");
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({:#x})", self.0)
    }
}

/// As everywhere that a position is shown, so that one can be searched for in all of it. Names of files alone have leading
/// zeros: they are to be listed in their order.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
