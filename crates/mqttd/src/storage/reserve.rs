//! Owns the room that is kept on the disk for making room: a file that is deleted when the disk is full, so that
//! acknowledgements and a checkpoint can still be written, after which segments can go. When that is, is the
//! writer's business.
//!
//! Without it a disk that the journal alone has filled would stay full: whoever fetches what is queued frees nothing
//! as long as it cannot be recorded.

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::SeqCst};

use super::Shared;

/// Its name in the data directory.
const NAME: &str = "reserve";

/// Bytes written at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Bytes of its thread's stack.
const STACK_BYTES: usize = 128 * 1024;

/// The file.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    /// Written to the journal since the last look.
    written_bytes: u64,
    state: Arc<AtomicU8>,
    /// Whether it was used up, and what must be stored is refused until it is there again.
    is_used_up: Arc<AtomicBool>,
}

/// Whether anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traffic {
    Busy,
    Quiet,
}

/// Whether the file is there.
///
/// ```text
///           enough is stored               written
///  Absent ------------------> Making ------------------> Present
///    ^                           |                          |
///    |                           | no room                  |
///    +---------------------------+--------------------------+
///                               deleted: little is stored, or the disk is full
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent = 0,
    Making = 1,
    Present = 2,
    /// The system refuses such a file for another reason than room.
    Impossible = 3,
}

impl Reserve {
    /// The reserve of a directory whose files are full at so many bytes: half as large as one of them. What an
    /// earlier process has left of it counts.
    pub(super) fn new(data_dir: &Path, segment_bytes: u64, is_used_up: Arc<AtomicBool>) -> Self {
        let (path, bytes) = (data_dir.join(NAME), segment_bytes / 2);
        let is_there = path.metadata().is_ok_and(|found| found.len() == bytes);
        let state = if is_there { State::Present } else { State::Absent };
        Self { path, bytes, written_bytes: 0, state: Arc::new(AtomicU8::new(state as u8)), is_used_up }
    }

    /// Whether it was used up.
    pub(super) fn is_used_up(&self) -> bool {
        self.is_used_up.load(SeqCst)
    }

    /// Gives it to a disk that is full, and tells whether there was any.
    pub(super) fn give_up(&self) -> bool {
        if !self.is(State::Present) || std::fs::remove_file(&self.path).is_err() {
            return false;
        }
        self.state.store(State::Absent as u8, SeqCst);
        self.is_used_up.store(true, SeqCst);
        true
    }

    /// Counts what was written, and looks after it when that could matter: a disk may fill up quickly.
    pub(super) fn note_written(&mut self, bytes: u64, shared: &Shared) {
        self.written_bytes += bytes;
        if self.written_bytes > self.bytes / 4 {
            self.look_after(shared, Traffic::Busy);
        }
    }

    /// Has it made or deleted, as what is stored needs it: it is for a journal that is not much smaller than it.
    /// It is deleted in quiet times alone: under load it would be made again after every checkpoint.
    pub(super) fn look_after(&mut self, shared: &Shared, traffic: Traffic) {
        self.written_bytes = 0;
        let stored: u64 = shared.journal.segments().iter().map(|segment| segment.bytes).sum();
        if stored < self.bytes / 4 {
            let is_quiet = traffic == Traffic::Quiet;
            if is_quiet && self.is(State::Present) && std::fs::remove_file(&self.path).is_ok() {
                self.state.store(State::Absent as u8, SeqCst);
            }
            self.is_used_up.store(false, SeqCst);
        } else if stored >= self.bytes / 2 && self.is(State::Absent) {
            self.make();
        }
    }

    /// Makes it on a thread of its own: nobody is to wait for that.
    fn make(&self) {
        self.state.store(State::Making as u8, SeqCst);
        let (path, bytes) = (self.path.clone(), self.bytes);
        let (state, is_used_up) = (Arc::clone(&self.state), Arc::clone(&self.is_used_up));
        let make = move || {
            let made = match write(&path, bytes) {
                Ok(()) => {
                    is_used_up.store(false, SeqCst);
                    State::Present
                }
                Err(error) => {
                    // What is there of it is in the way; if it cannot be deleted it is written over.
                    let _ = std::fs::remove_file(&path);
                    match error.kind() {
                        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => State::Absent,
                        _ => State::Impossible,
                    }
                }
            };
            state.store(made as u8, SeqCst);
        };
        let thread = std::thread::Builder::new().name("journal-reserve".to_owned());
        if thread.stack_size(STACK_BYTES).spawn(make).is_err() {
            self.state.store(State::Absent as u8, SeqCst);
        }
    }

    fn is(&self, state: State) -> bool {
        self.state.load(SeqCst) == state as u8
    }
}

/// Writes a file that no file system can store in less.
fn write(path: &Path, bytes: u64) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    getrandom::fill(&mut chunk).map_err(io::Error::other)?;
    let mut file = File::create(path)?;
    let mut left = bytes;
    while left > 0 {
        let part = usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
        file.write_all(&chunk[..part])?;
        left -= part as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const SEGMENT_BYTES: u64 = 1 << 20;

    fn until(condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it did not happen in time");
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    #[test]
    fn it_is_kept_while_a_lot_is_stored_and_given_up_once() {
        let (directory, shared) = Shared::for_test(1);
        let file = directory.path().join(NAME);
        let mut reserve = Reserve::new(directory.path(), SEGMENT_BYTES, Arc::default());
        reserve.look_after(&shared, Traffic::Quiet);
        assert!(!reserve.give_up() && !reserve.is_used_up(), "nothing is stored");
        shared.journal.append(&[&vec![0; 300_000]]);
        shared.journal.commit(1).expect("room");
        reserve.note_written(300_000, &shared);
        until(|| reserve.is(State::Present));
        assert_eq!(file.metadata().expect("a file").len(), SEGMENT_BYTES / 2);
        // The next process finds it.
        assert!(Reserve::new(directory.path(), SEGMENT_BYTES, Arc::default()).is(State::Present));
        assert!(reserve.give_up());
        assert!(reserve.is_used_up() && !file.exists());
        assert!(!reserve.give_up(), "it is gone");
        reserve.look_after(&shared, Traffic::Quiet);
        until(|| reserve.is(State::Present));
        assert!(!reserve.is_used_up());
    }

    #[test]
    fn it_goes_when_little_is_stored() {
        let (directory, shared) = Shared::for_test(1);
        std::fs::write(directory.path().join(NAME), vec![1; 1 << 19]).expect("room");
        let mut reserve = Reserve::new(directory.path(), SEGMENT_BYTES, Arc::new(AtomicBool::new(true)));
        reserve.look_after(&shared, Traffic::Quiet);
        assert!(!directory.path().join(NAME).exists() && !reserve.is_used_up());
    }
}
