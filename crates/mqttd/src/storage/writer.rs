//! Owns the thread that writes the journal: it sleeps until there is something to write, writes all of it
//! at once, wakes those who waited for it, and looks after the files. How they are written is the journal's
//! business.

mod trouble;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use broker_core::journal::Position;
use journal::Journal;

use self::trouble::Trouble;
use super::Shared;
use super::checkpoint::Checkpoint;
use super::relocation::Relocation;
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
    stop: Sender<()>,
}

impl Writer {
    /// Starts it.
    pub(super) fn start(shared: Arc<Shared>, place: String, clock: Clock, log: Log) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let task = Task {
            shared,
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
        if self.trouble.is_there() {
            // What is to be written waits for the disk, not for us.
            return self.stopped.recv_timeout(UPKEEP_INTERVAL) == Err(RecvTimeoutError::Timeout);
        }
        self.shared.journal.wait_for_work(left);
        self.stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty)
    }

    fn interval(&self) -> Duration {
        if self.quiet_looks < QUIET_LOOKS { UPKEEP_INTERVAL } else { IDLE_INTERVAL }
    }

    /// Writes everything that is there.
    fn write(&mut self) {
        let journal = &self.shared.journal;
        match journal.commit(self.clock.now().as_millis()) {
            Ok(committed) => {
                if committed.batches > 0 {
                    self.quiet_looks = 0;
                }
                self.trouble.is_over();
            }
            Err(error) => self.trouble.has_come(&error, journal.pending_bytes()),
        }
        self.shared.waiting.wake(Position::new(journal.durable().get()));
    }

    /// Lets a checkpoint begin or go on.
    fn go_on_with_checkpoint(&mut self) {
        let is_due = self.relocation.advance(&self.shared, &self.log)
            || self.shared.journal.wants_checkpoint(self.clock.now().as_millis());
        if is_due && !self.trouble.is_there() {
            self.checkpoint.begin(&self.shared);
        }
        if self.checkpoint.advance(&self.shared) {
            // Once the disk knows it, what was before can go.
            self.write();
            self.give_back();
        }
    }

    /// Says that the process lives and gives space back.
    fn look_after(&mut self) {
        let journal = &self.shared.journal;
        let now = self.clock.now().as_millis();
        self.looked_at = Instant::now();
        self.quiet_looks = (self.quiet_looks + 1).min(QUIET_LOOKS);
        touch(journal, now);
        self.give_back();
        if self.checkpoint == Checkpoint::None && !self.trouble.is_there() {
            self.relocation.begin(&self.shared);
        }
    }

    /// Deletes the files that nobody needs.
    fn give_back(&self) {
        if self.trouble.is_there() {
            return;
        }
        match self.shared.journal.reclaim(self.clock.now().as_millis()) {
            Ok(reclaimed) if reclaimed.segments > 0 => {
                let fields: [(&str, &dyn std::fmt::Display); 2] =
                    [("files", &reclaimed.segments), ("bytes", &reclaimed.bytes)];
                self.log.debug("space given back", &fields);
            }
            Ok(_) => {}
            Err(error) => self.trouble.cannot_delete(&error),
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
