//! Owns the one timer of a worker: it wakes at the earliest time at which the shard or a
//! closing connection is due. What is due then is theirs.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use broker_core::{Input, Timestamp};
use tokio::time::Sleep;

use super::{SharedWorker, Worker};

/// What the worker knows of its timer's task.
#[derive(Debug)]
pub(super) struct Timer {
    /// When the task wakes by itself.
    armed_for: Timestamp,
    task: Option<Waker>,
}

impl Timer {
    /// A timer whose task has not run.
    pub(super) fn new() -> Self {
        Self { armed_for: Timestamp::NEVER, task: None }
    }
}

/// The task that sleeps.
pub(super) struct Alarm {
    worker: SharedWorker,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    /// Must be called within the worker's runtime.
    pub(super) fn new(worker: SharedWorker) -> Self {
        Self { worker, sleep: Box::pin(tokio::time::sleep(std::time::Duration::ZERO)) }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { worker, sleep } = &mut *self;
        let mut worker = worker.borrow_mut();
        worker.begin_turn();
        worker.time_has_come();
        let due = worker.next_deadline();
        worker.timer = Timer { armed_for: due, task: Some(context.waker().clone()) };
        worker.end_turn();
        if due <= worker.now {
            // More pages of something long: the others have their turn in between.
            context.waker().wake_by_ref();
        } else if let Some(instant) = worker.clock.instant(due) {
            sleep.as_mut().reset(instant.into());
            if sleep.as_mut().poll(context).is_ready() {
                context.waker().wake_by_ref();
            }
        }
        Poll::Pending
    }
}

impl Worker {
    /// Wakes the timer's task if something is due before it wakes by itself.
    #[inline]
    pub(super) fn arm_timer(&mut self) {
        let due = self.next_deadline();
        if due < self.timer.armed_for {
            self.timer.armed_for = due;
            if let Some(task) = &self.timer.task {
                task.wake_by_ref();
            }
        }
    }

    pub(super) fn time_has_come(&mut self) {
        if self.shard.next_deadline().is_some_and(|due| due <= self.now) {
            self.step(Input::Tick);
        }
        self.close_overdue();
    }

    /// When the earliest deadline up to this time is, for the runtime's timers.
    pub(super) fn instant_of_deadline(&self, latest: Timestamp) -> Option<Instant> {
        let due = self.next_deadline();
        if due <= latest { self.clock.instant(due) } else { None }
    }

    fn next_deadline(&self) -> Timestamp {
        let due = [self.shard.next_deadline(), self.closing.next_deadline()];
        due.into_iter().flatten().min().unwrap_or(Timestamp::NEVER)
    }
}
