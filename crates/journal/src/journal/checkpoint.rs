//! Owns when a checkpoint pass pays, where recovery begins after it, and which segments may go. What a pass writes is
//! the business of the records' owner.

use super::Journal;
use super::recovery::path;
use super::segments::Segment;
use crate::Position;
use crate::error::{Failure, Operation};
use crate::format::{HEADER_BYTES, segment_name};

/// What is known of passes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checkpoint {
    /// Where a recovery would begin, once the next commit has said so on disk.
    pub floor: u64,
    /// What a header on disk names as the floor; below it nothing is needed but what is referred to.
    pub durable_floor: u64,
    /// Whether the next commit is to end the segment, and to begin one that may name a new floor.
    pub owes_segment: OwedSegment,
    /// Bytes that the last pass has written.
    pub pass_bytes: u64,
    /// Bytes that the pass under way has written so far.
    pub passing_bytes: u64,
    /// When records were last written.
    pub busy_unix_ms: u64,
}

/// Why the next commit begins a new segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwedSegment {
    /// It does not.
    None,
    /// A pass begins; without a record there is no hurry.
    ToBeginPass,
    /// A pass has ended: its floor is to get to disk even if nothing is pending.
    ToNameFloor,
}

/// What a reclaim gave back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Segments that were removed.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Journal {
    /// Where a pass begins. Like [`Journal::end`]; and the segment ends here too, with the next commit, so that all
    /// of what is older can go as soon as the pass is done.
    #[must_use]
    pub fn begin_checkpoint(&self) -> Position {
        let mut checkpoint = self.checkpoint.lock();
        checkpoint.passing_bytes = 0;
        if checkpoint.owes_segment == OwedSegment::None {
            checkpoint.owes_segment = OwedSegment::ToBeginPass;
        }
        self.end()
    }

    /// A pass that began at `position`, and whose records were appended by [`Journal::append_of_pass`], is complete and
    /// durable: a recovery may begin there. The next commit says so on
    /// disk, in the header of a new segment; until then nothing is reclaimed on the strength of it. A position below
    /// the floor that is set already changes nothing.
    ///
    /// # Panics
    /// If `position` is not durable yet.
    pub fn set_floor(&self, position: Position) {
        assert!(position <= self.durable(), "a pass counts once it is on disk");
        let mut checkpoint = self.checkpoint.lock();
        if position.get() < checkpoint.floor {
            return;
        }
        checkpoint.pass_bytes = checkpoint.passing_bytes;
        if position.get() > checkpoint.floor {
            checkpoint.floor = position.get();
            checkpoint.owes_segment = OwedSegment::ToNameFloor;
        }
    }

    /// Whether a pass pays now: so much was appended since the floor that a recovery would take long, or nobody has
    /// appended for a while and a pass would give back much. Says the same while a pass is running: whoever makes it
    /// knows. Never while the disk fails: a pass would only take memory then. `now_unix_ms` is the time in milliseconds
    /// since 1970.
    #[must_use]
    pub fn wants_checkpoint(&self, now_unix_ms: u64) -> bool {
        if self.is_failing() {
            return false;
        }
        let checkpoint = *self.checkpoint.lock();
        let appended = self.end().get().saturating_sub(checkpoint.floor);
        if appended > self.options.checkpoint_bytes.max(4 * checkpoint.pass_bytes) {
            return true;
        }
        let is_idle = self.pending_bytes() == 0
            && now_unix_ms.saturating_sub(checkpoint.busy_unix_ms) >= self.options.idle_ms;
        is_idle && self.gain(checkpoint.pass_bytes) > self.options.idle_gain_bytes.max(checkpoint.pass_bytes)
    }

    /// Bytes that a pass would give back: of the segments that nobody refers to, less what the pass writes.
    fn gain(&self, pass_bytes: u64) -> u64 {
        let state = self.state.lock();
        let free = state.segments.iter().filter(|segment| segment.references.live == 0);
        free.map(|segment| segment.end - segment.first).sum::<u64>().saturating_sub(pass_bytes)
    }

    /// Removes the segments that nobody needs: they are below the floor that is on disk, nobody refers to a record in
    /// them, and the records that say why have become durable.
    ///
    /// Any thread may call it, and best one that does not commit: to remove a large file takes the system some
    /// milliseconds to tens of them, and no lock is held meanwhile.
    ///
    /// # Errors
    /// What the system refused. What could not be removed is tried again by the next call.
    pub fn reclaim(&self, now_unix_ms: u64) -> Result<Reclaimed, Failure> {
        // All that a recovery relies on is settled here: the floor is on disk, and so is why nobody refers to them. From
        // now on each may be there after a crash or not, whatever the order in which the file system lets them go:
        // below the floor a recovery expects gaps, and who comes back is without references once more. No new segment
        // will have the name of one, for positions are not used twice. That the directory is synced is for the space.
        let floor = self.checkpoint.lock().durable_floor;
        let dead = self.state.lock().segments.take_dead(floor, self.durable().get());
        let mut reclaimed = Reclaimed::default();
        let mut failed = None;
        for segment in dead {
            match self.remove(segment, now_unix_ms) {
                Ok(bytes) => {
                    reclaimed.segments += 1;
                    reclaimed.bytes += bytes;
                }
                Err(failure) => failed = Some(failure),
            }
        }
        if reclaimed.segments > 0 {
            self.disk.sync_directory().map_err(|error| {
                Failure::new(Operation::SyncDirectory, self.disk.place(), &error, now_unix_ms)
            })?;
        }
        failed.map_or(Ok(reclaimed), Err)
    }

    fn remove(&self, segment: Segment, now_unix_ms: u64) -> Result<u64, Failure> {
        let name = segment_name(segment.first);
        match self.disk.remove(&name) {
            Ok(()) => Ok(HEADER_BYTES + (segment.end - segment.first)),
            Err(error) => {
                self.state.lock().segments.put_back(segment);
                let place = path(&*self.disk, &name);
                Err(Failure::new(Operation::Remove, place, &error, now_unix_ms))
            }
        }
    }
}
