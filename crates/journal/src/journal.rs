//! Owns the log as its user sees it: what is appended, when it is durable, and what of it is still needed. Files are
//! written by `journal/writer` and understood by `journal/recovery`.

mod blocks;
mod checkpoint;
mod commit;
mod figures;
mod reader;
mod recovery;
mod references;
mod room;
mod segments;
mod state;
mod wake;
mod writer;

pub use checkpoint::Reclaimed;
pub use figures::{Committed, Opened, SegmentInfo, TornTail};
pub use reader::Reader;
pub use recovery::Replay;
pub(crate) use recovery::{disk_error, list, path};

use std::fmt;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::disk::{Disk, LockError, LockMode};
use crate::error::{Failure, OpenError, ReadError};
use crate::format::{RECORD_BYTES_MAX, RECORD_HEADER_BYTES, checksum};
use crate::{Options, Position};
use checkpoint::{Checkpoint, OwedSegment};
use state::State;
use wake::Wake;
use writer::Writer;

/// What nobody waits for yet is written when it is this much, so that the device has work meanwhile.
const UNASKED_BYTES_MAX: u64 = 256 << 10;

/// And after this time, whether anybody waits for it or not.
const UNASKED_TIME_MAX: Duration = Duration::from_millis(5);

/// An append-only log on disk. Any thread appends and reads; one thread commits.
///
/// ```text
///  append ──▶ being filled ──▶ being written ──▶ in a segment, durable ──▶ reclaimed
///              (memory)    commit  (memory)   write + sync          no reference, below the floor
///                                     │  ▲
///                                     ▼  │ error: the same batch again, in a new segment
///                                   failing
/// ```
///
/// A record can be read from the moment it is appended until it is reclaimed. Dropping a journal writes nothing: what is
/// to be durable is committed before.
///
/// **Guaranteed:** what was durable is there after a crash at any instant, at the same position and in the same order;
/// damage to it is found and reported, and never skipped. **Not guaranteed:** records that were appended and were not
/// durable may be there after a crash or not, but without gaps: if one is there, so are all before it. Damage to the
/// very last batch looks like a write that the crash interrupted, and is cut; whole batches that somebody removes from
/// the end are not missed.
pub struct Journal {
    disk: Box<dyn Disk>,
    options: Options,
    state: Mutex<State>,
    /// A copy of what `state` says, for those who only want to know.
    end: AtomicU64,
    durable: AtomicU64,
    is_failing: AtomicBool,
    failure: Mutex<Option<Failure>>,
    writer: Mutex<Writer>,
    checkpoint: Mutex<Checkpoint>,
    wake: Wake,
}

impl Journal {
    /// Opens the journal on a disk and replays every record at or behind the floor, in order. It writes nothing: what
    /// was found at the end and may not be durable counts as appended, and the first commit writes it.
    /// `now_unix_ms` is the time in milliseconds since 1970.
    ///
    /// Whoever needs records below the floor calls [`Journal::refer`] for each before the first commit.
    ///
    /// # Errors
    /// See [`OpenError`]. Nothing was changed then.
    pub fn open(
        disk: Box<dyn Disk>,
        options: Options,
        now_unix_ms: u64,
        replay: Replay<'_>,
    ) -> Result<(Self, Opened), OpenError> {
        disk.lock(LockMode::Alone).map_err(|error| cannot_lock(&*disk, error))?;
        let touched =
            disk.touched_unix_ms().map_err(|error| OpenError::Disk { place: disk.place(), error })?;
        let found = recovery::recover(&*disk, replay)?;
        let opened = Opened {
            segments: found.segments_found,
            bytes: found.bytes,
            floor: Position::new(found.floor),
            records: found.replayed,
            torn_tail: found.torn,
            last_alive_unix_ms: if found.segments_found > 0 {
                touched.max(found.last_batch_unix_ms)
            } else {
                0
            },
        };
        let salt = salt(options.seed, found.base, now_unix_ms);
        let state = State::new(found.base, found.last, found.last_records, found.segments);
        let journal = Self {
            disk,
            options,
            end: AtomicU64::new(state.end()),
            durable: AtomicU64::new(found.base),
            state: Mutex::new(state),
            is_failing: AtomicBool::new(false),
            failure: Mutex::new(None),
            writer: Mutex::new(Writer::new(options.segment_bytes, salt, found.last_segment)),
            checkpoint: Mutex::new(Checkpoint {
                floor: found.floor,
                durable_floor: 0,
                owes_segment: OwedSegment::None,
                pass_bytes: found.pass_bytes,
                passing_bytes: 0,
                busy_unix_ms: now_unix_ms,
            }),
            wake: Wake::default(),
        };
        Ok((journal, opened))
    }

    /// Appends one record, given in parts, and tells where it is. It is copied once, nothing waits and nothing fails.
    ///
    /// # Panics
    /// If it is longer than [`RECORD_BYTES_MAX`](crate::RECORD_BYTES_MAX).
    pub fn append(&self, parts: &[&[u8]]) -> Position {
        self.append_referred(parts, 0)
    }

    /// The same, with so many references to it from the beginning, see [`Journal::refer`]. One part costs less than
    /// several: a checksum is fastest over bytes that stand together.
    ///
    /// # Panics
    /// As [`Journal::append`].
    pub fn append_referred(&self, parts: &[&[u8]], references: u32) -> Position {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(bytes).ok().filter(|_| bytes <= RECORD_BYTES_MAX);
        let length = length.expect("a record is not longer than RECORD_BYTES_MAX");
        // All that takes time but the copy is done before others must wait.
        let checksum = checksum(length, parts);
        let mut state = self.state.lock();
        let position = state.append(length, checksum, parts, references);
        self.end.store(state.end(), Ordering::Release);
        position
    }

    /// The same for a record that belongs to a checkpoint pass. What the passes themselves write says when the next
    /// one pays; what others append meanwhile does not.
    ///
    /// # Panics
    /// As [`Journal::append`].
    pub fn append_of_pass(&self, parts: &[&[u8]]) -> Position {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        self.checkpoint.lock().passing_bytes += (RECORD_HEADER_BYTES + bytes) as u64;
        self.append(parts)
    }

    /// Where the log ends: the next record will be here or a little further. All that was appended is on disk once
    /// [`Journal::durable`] has reached it.
    #[must_use]
    pub fn end(&self) -> Position {
        Position::new(self.end.load(Ordering::Acquire))
    }

    /// Everything before this is on disk.
    #[must_use]
    pub fn durable(&self) -> Position {
        Position::new(self.durable.load(Ordering::Acquire))
    }

    /// Bytes that are in memory only.
    #[must_use]
    pub fn pending_bytes(&self) -> u64 {
        let durable = self.durable.load(Ordering::Acquire);
        self.end.load(Ordering::Acquire).saturating_sub(durable)
    }

    /// Sleeps until [`Journal::kick`] says that somebody waits for what was appended, or for `timeout`. What was appended
    /// and nobody waits for yet, because more belongs to it, is waited with: for a few milliseconds, and not if it is
    /// much already. While the journal is failing it sleeps for the whole time, so that a loop of this and
    /// [`Journal::commit`] tries again at that pace.
    pub fn wait_for_work(&self, timeout: Duration) {
        if self.is_failing() {
            self.wake.sleep_out(timeout);
        } else {
            self.wake.sleep(|| match self.pending_bytes() {
                0 if !self.has_work() => timeout,
                bytes if bytes < UNASKED_BYTES_MAX => timeout.min(UNASKED_TIME_MAX),
                _ => Duration::ZERO,
            });
        }
    }

    /// Wakes the thread that waits for work; if it is awake, its next sleep ends at once. Costs one atomic
    /// exchange if it was kicked already.
    pub fn kick(&self) {
        self.wake.kick();
    }

    /// Whether the last commit failed: what is appended then stays in memory until the disk works again.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Acquire)
    }

    /// What fails now, and since when.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        if self.is_failing() { self.failure.lock().clone() } else { None }
    }

    /// Puts the record at `position` into `out`, in place of what is there, wherever it is: in memory or on disk.
    ///
    /// # Errors
    /// See [`ReadError`]; then `out` is empty.
    pub fn read(&self, position: Position, out: &mut Vec<u8>) -> Result<(), ReadError> {
        Reader::single(self).read(position, out)
    }

    /// What reads many records at ascending positions faster than [`Journal::read`] does.
    #[must_use]
    pub fn reader(&self) -> Reader<'_> {
        Reader::ahead(self)
    }

    /// The segments on disk, for figures.
    #[must_use]
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let info = |segment: &segments::Segment| SegmentInfo {
            first: Position::new(segment.first),
            bytes: segment.end - segment.first,
            references: segment.references.live,
        };
        self.state.lock().segments.iter().map(info).collect()
    }

    /// Notes that the process lives, so that the next one knows how long nobody did. Not durable by itself; a commit
    /// notes its time too.
    ///
    /// # Errors
    /// Whatever the system says; nothing depends on it.
    pub fn touch_alive(&self, now_unix_ms: u64) -> std::io::Result<()> {
        self.disk.touch(now_unix_ms)
    }
}

/// Without what is in memory, which may be much.
impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Journal");
        shown.field("disk", &self.disk).field("durable", &self.durable()).field("end", &self.end());
        shown.field("failure", &self.failure()).finish_non_exhaustive()
    }
}

pub(crate) fn cannot_lock(disk: &dyn Disk, error: LockError) -> OpenError {
    let directory = disk.place();
    match error {
        LockError::Held => OpenError::Locked { directory },
        LockError::Disk(error) => match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                OpenError::ReadOnly { directory, error }
            }
            _ => OpenError::Disk { place: directory, error },
        },
    }
}

/// Differs from process to process, and cannot be told from outside if the seed cannot.
fn salt(seed: u64, base: u64, now_unix_ms: u64) -> u64 {
    let mut salt = seed ^ base.rotate_left(32) ^ now_unix_ms;
    for multiplier in [0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB] {
        salt = (salt ^ (salt >> 30)).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(multiplier);
    }
    salt ^ (salt >> 31)
}
