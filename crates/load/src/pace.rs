//! Owns when which publisher is due next, and being woken for it to the microsecond. What it publishes then is
//! not its business.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::error::Error;

/// The publishers that wait for their time.
#[derive(Debug)]
pub(crate) struct Pace {
    waiting: BinaryHeap<Reverse<(u64, u32)>>,
    timer: Option<Timer>,
}

/// The token of the timer.
pub(crate) const TOKEN: mio::Token = mio::Token(usize::MAX - 1);

impl Pace {
    pub(crate) const fn new() -> Self {
        Self { waiting: BinaryHeap::new(), timer: None }
    }

    /// Has a client looked after at that time, in nanoseconds since the load began.
    pub(crate) fn wait(&mut self, due_at: u64, client: u32) {
        self.waiting.push(Reverse((due_at, client)));
    }

    /// A client whose time has come; each once.
    pub(crate) fn due(&mut self, now: u64) -> Option<u32> {
        let &Reverse((due_at, client)) = self.waiting.peek()?;
        if due_at > now {
            return None;
        }
        self.waiting.pop();
        Some(client)
    }

    /// How long the thread may sleep: until the first one is due, if that is before `limit`.
    pub(crate) fn sleep(
        &mut self,
        now: u64,
        limit: Duration,
        registry: &mio::Registry,
    ) -> Result<Duration, Error> {
        let Some(&Reverse((due_at, _))) = self.waiting.peek() else { return Ok(limit) };
        let until = Duration::from_nanos(due_at.saturating_sub(now));
        if until >= limit || until.is_zero() {
            return Ok(until.min(limit));
        }
        let timer = match &mut self.timer {
            Some(timer) => timer,
            none => none.insert(Timer::new(registry)?),
        };
        timer.set(due_at, until)?;
        Ok(timer.sleep(until, limit))
    }
}

/// A timer that wakes the poll, which by itself knows whole milliseconds only.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Timer {
    descriptor: std::os::fd::OwnedFd,
    set_to: u64,
}

#[cfg(target_os = "linux")]
impl Timer {
    fn new(registry: &mio::Registry) -> Result<Self, Error> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        use std::os::fd::AsRawFd as _;

        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let made = timerfd_create(TimerfdClockId::Monotonic, flags).map_err(std::io::Error::from);
        let descriptor = made.map_err(Error::system("make a timer"))?;
        let registered = registry.register(
            &mut mio::unix::SourceFd(&descriptor.as_raw_fd()),
            TOKEN,
            mio::Interest::READABLE,
        );
        registered.map_err(Error::system("wait for a timer"))?;
        Ok(Self { descriptor, set_to: 0 })
    }

    /// Events are told by their edges, so that it need not be read when it has run out.
    fn set(&mut self, due_at: u64, until: Duration) -> Result<(), Error> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};

        if self.set_to == due_at {
            return Ok(());
        }
        self.set_to = due_at;
        let seconds = i64::try_from(until.as_secs()).unwrap_or(i64::MAX);
        let time = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: seconds, tv_nsec: until.subsec_nanos().into() },
        };
        let set = timerfd_settime(&self.descriptor, TimerfdTimerFlags::empty(), &time);
        set.map(drop).map_err(|error| Error::system("set a timer")(error.into()))
    }

    fn sleep(&self, _until: Duration, limit: Duration) -> Duration {
        limit
    }
}

/// Elsewhere the poll's own time has to do.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Timer;

#[cfg(not(target_os = "linux"))]
impl Timer {
    fn new(_: &mio::Registry) -> Result<Self, Error> {
        Ok(Self)
    }

    fn set(&mut self, _due_at: u64, _until: Duration) -> Result<(), Error> {
        Ok(())
    }

    fn sleep(&self, until: Duration, _limit: Duration) -> Duration {
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_due_comes_in_the_order_of_time_and_once() {
        let mut pace = Pace::new();
        for (due_at, client) in [(30, 3), (10, 1), (20, 2)] {
            pace.wait(due_at, client);
        }
        let mut due = |now| std::iter::from_fn(|| pace.due(now)).collect::<Vec<_>>();
        assert_eq!(due(9), []);
        assert_eq!(due(25), [1, 2]);
        assert_eq!(due(25), []);
        assert_eq!(due(30), [3]);
    }

    #[test]
    fn a_poll_is_woken_before_a_millisecond_is_over() {
        let mut poll = mio::Poll::new().expect("a poll");
        let (mut pace, limit) = (Pace::new(), Duration::from_secs(60));
        let begin = std::time::Instant::now();
        pace.wait(300_000, 0);
        let sleep = pace.sleep(0, limit, poll.registry()).expect("a timer");
        poll.poll(&mut mio::Events::with_capacity(1), Some(sleep)).expect("it waits");
        let elapsed = begin.elapsed();
        assert!(elapsed >= Duration::from_micros(300) && elapsed < limit, "{elapsed:?}");
    }
}
