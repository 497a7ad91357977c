//! Owns the thread that writes the journal: it sleeps until there is something to write, writes all of it
//! at once, wakes those who waited for it, and looks after the files. How they are written is the journal's
//! business.

mod trouble;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use broker_core::journal::Position;
use journal::{CommitError, Committed, Journal};

use self::trouble::Trouble;
use super::Shared;
use super::checkpoint::Checkpoint;
use super::relocation::{Relocation, Room};
use super::reserve::{Reserve, Traffic};
use super::upkeep::{Errand, Upkeep};
use crate::clock::Clock;
use crate::log::Log;

/// Bytes of the thread's stack.
const STACK_BYTES: usize = 256 * 1024;

/// Between two looks at the files while something happens, and between two attempts while the disk fails.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The same when nothing has happened for so many looks. A start after a crash takes it that the process lived
/// until the last look.
const IDLE_INTERVAL: Duration = Duration::from_secs(10);

/// Between two reminders that the process ends.
const STOP_INTERVAL: Duration = Duration::from_millis(1);

/// Looks without anything new that are enough for a checkpoint when idle and what it gives back.
const QUIET_LOOKS: u32 = 10;

/// What could not be written before the process ended.
#[derive(Debug)]
pub(crate) struct Unsaved {
    /// How much of it.
    pub(crate) bytes: u64,
    /// Why.
    pub(crate) reason: String,
}

/// The running thread.
pub(super) struct Writer {
    thread: JoinHandle<Result<(), Unsaved>>,
    stop: SyncSender<()>,
}

impl Writer {
    /// Starts it.
    pub(super) fn start(
        shared: Arc<Shared>,
        upkeep: Upkeep,
        reserve: Reserve,
        place: String,
        clock: Clock,
        log: Log,
    ) -> io::Result<Self> {
        let (stop, stopped) = sync_channel(0);
        let task = Task {
            shared,
            upkeep,
            reserve,
            clock,
            trouble: Trouble::new(place, log.clone()),
            log,
            stopped,
            checkpoint: Checkpoint::default(),
            relocation: Relocation::default(),
            looked_at: Instant::now(),
            quiet_looks: 0,
        };
        let thread = std::thread::Builder::new().name("journal-writer".to_owned());
        Ok(Self { thread: thread.stack_size(STACK_BYTES).spawn(move || task.run())?, stop })
    }

    /// Has it write what is left and end.
    pub(super) fn stop(self, journal: &Journal) -> Result<(), Unsaved> {
        drop(self.stop);
        // A kick is for one who sleeps: it may be about to.
        while !self.thread.is_finished() {
            journal.kick();
            std::thread::park_timeout(STOP_INTERVAL);
        }
        // A panic has ended the process.
        self.thread.join().unwrap_or(Ok(()))
    }
}

/// The thread's own.
struct Task {
    shared: Arc<Shared>,
    upkeep: Upkeep,
    reserve: Reserve,
    clock: Clock,
    log: Log,
    trouble: Trouble,
    /// Disconnected when the thread is to end.
    stopped: Receiver<()>,
    checkpoint: Checkpoint,
    relocation: Relocation,
    /// When the files were looked after last.
    looked_at: Instant,
    /// Looks since something was written, counted to `QUIET_LOOKS`.
    quiet_looks: u32,
}

impl Task {
    fn run(mut self) -> Result<(), Unsaved> {
        while self.sleep() {
            self.write();
            self.go_on_with_checkpoint();
            if self.looked_at.elapsed() >= self.interval() {
                self.look_after();
            }
        }
        self.write_the_rest()
    }

    /// Waits until there is something to do, and tells whether the process goes on.
    fn sleep(&self) -> bool {
        let left = self.interval().saturating_sub(self.looked_at.elapsed());
        if self.shared.journal.is_failing() {
            // What is to be written waits for the disk, not for us.
            return self.stopped.recv_timeout(UPKEEP_INTERVAL) == Err(RecvTimeoutError::Timeout);
        }
        self.shared.journal.wait_for_work(left);
        self.stopped.try_recv() == Err(TryRecvError::Empty)
    }

    fn interval(&self) -> Duration {
        if self.quiet_looks < QUIET_LOOKS { UPKEEP_INTERVAL } else { IDLE_INTERVAL }
    }

    /// Writes everything that is there.
    fn write(&mut self) {
        let shared = Arc::clone(&self.shared);
        let journal = &shared.journal;
        match self.commit() {
            Ok(committed) => {
                if committed.batches > 0 {
                    self.quiet_looks = 0;
                }
                self.reserve.note_written(committed.bytes, &shared);
            }
            Err(error) => {
                self.trouble.has_come(&error, journal.pending_bytes());
                // Whoever waits may not want to any more.
                shared.waiting.wake(Position::MAX);
            }
        }
        if !journal.is_failing() && !self.reserve.is_used_up() {
            self.trouble.is_over();
        }
        shared.waiting.wake(Position::new(journal.durable().get()));
    }

    /// Writes; on a disk that is full, at the expense of the reserve.
    fn commit(&mut self) -> Result<Committed, CommitError> {
        let (journal, now) = (&self.shared.journal, self.clock.now().as_millis());
        match journal.commit(now) {
            Err(error @ CommitError::Full(_)) if self.reserve.give_up() => {
                self.trouble.has_come(&error, journal.pending_bytes());
                journal.commit(now)
            }
            outcome => outcome,
        }
    }

    /// Lets a checkpoint begin or go on.
    fn go_on_with_checkpoint(&mut self) {
        let room = if self.reserve.is_used_up() { Room::None } else { Room::Enough };
        let is_due = self.relocation.advance(&self.shared, &self.upkeep, room)
            || self.shared.journal.wants_checkpoint(self.clock.now().as_millis());
        if is_due {
            self.begin_checkpoint();
        }
        if self.checkpoint.advance(&self.shared) {
            self.log.debug("checkpoint ended", &[]);
            // Once the disk knows it, what was before can go.
            self.write();
            self.give_back();
        }
    }

    fn begin_checkpoint(&mut self) {
        if !self.shared.journal.is_failing()
            && self.relocation == Relocation::Nothing
            && self.checkpoint.begin(&self.shared)
        {
            self.log.debug("checkpoint begun", &[]);
        }
    }

    /// Says that the process lives and gives space back.
    fn look_after(&mut self) {
        let journal = &self.shared.journal;
        let now = self.clock.now().as_millis();
        self.looked_at = Instant::now();
        self.quiet_looks = (self.quiet_looks + 1).min(QUIET_LOOKS);
        touch(journal, now);
        if self.is_worth_a_checkpoint() {
            self.begin_checkpoint();
        }
        self.give_back();
        let traffic = if self.quiet_looks > 1 { Traffic::Quiet } else { Traffic::Busy };
        self.reserve.look_after(&self.shared, traffic);
        if self.checkpoint == Checkpoint::None && !self.trouble.is_there() {
            self.relocation.begin(&self.shared);
        }
    }

    /// Whether a checkpoint pays although the journal does not want one: a disk that has no room is glad of less.
    fn is_worth_a_checkpoint(&self) -> bool {
        if !self.reserve.is_used_up() {
            return false;
        }
        let segments = self.shared.journal.segments();
        let closed = segments.split_last().map_or(&[][..], |(_, closed)| closed);
        let unneeded = closed.iter().filter(|segment| segment.references == 0);
        unneeded.map(|segment| segment.bytes).sum::<u64>() > self.shared.segment_bytes / 8
    }

    /// Has the files deleted that nobody needs. If too much is to be done already, the next look asks again.
    fn give_back(&self) {
        if !self.shared.journal.is_failing() {
            let _ = self.upkeep.ask(Errand::GiveBack);
        }
    }

    /// Nobody appends any more. A disk that fails has a second chance: the first attempt may have been the
    /// one that found it out.
    fn write_the_rest(self) -> Result<(), Unsaved> {
        let journal = &self.shared.journal;
        let now = self.clock.now().as_millis();
        let outcome = journal.commit(now).or_else(|_| journal.commit(now));
        touch(journal, now);
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => Err(Unsaved { bytes: journal.pending_bytes(), reason: error.to_string() }),
        }
    }
}

/// Shows a sign of life. If it cannot be shown, a start after a crash goes by the last batch.
fn touch(journal: &Journal, now_unix_ms: u64) {
    let _ = journal.touch_alive(now_unix_ms);
}
