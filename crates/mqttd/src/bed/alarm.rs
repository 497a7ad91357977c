//! Owns what wakes a thread at a time. Where the system has nothing that stays set, the poll's own time has to do.

use std::io;
use std::time::Duration;

use broker_core::Timestamp;
use mio::{Registry, Token};

/// A descriptor that becomes ready at a time. Events are told by their edges, so it need not be read.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub(super) struct Alarm {
    timer: std::os::fd::OwnedFd,
    /// When it rings, or has rung.
    set_to: Timestamp,
}

#[cfg(target_os = "linux")]
impl Alarm {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        use mio::{Interest, unix::SourceFd};
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        use std::os::fd::AsRawFd as _;

        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { timer, set_to: Timestamp::ZERO })
    }

    /// Has it ring at `due`, and tells how long the poll is to wait by itself: for ever.
    ///
    /// One that rings earlier is left as it is: it wakes once for nothing, and is set then.
    pub(super) fn set(&mut self, due: Timestamp, now: Timestamp) -> Option<Duration> {
        let is_right = now < self.set_to && self.set_to <= due;
        if !is_right && due < Timestamp::NEVER {
            self.set_to = due;
            self.wind(due.since(now));
        }
        None
    }

    fn wind(&self, until: Duration) {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};

        let seconds = i64::try_from(until.as_secs()).unwrap_or(i64::MAX);
        let time = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: seconds, tv_nsec: until.subsec_nanos().into() },
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &time)
            .expect("a timer that exists can be set");
    }
}

#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(super) struct Alarm;

#[cfg(not(target_os = "linux"))]
impl Alarm {
    pub(super) fn new(_: &Registry, _: Token) -> io::Result<Self> {
        Ok(Self)
    }

    /// Tells how long the poll is to wait by itself.
    pub(super) fn set(&mut self, due: Timestamp, now: Timestamp) -> Option<Duration> {
        (due < Timestamp::NEVER).then(|| due.since(now))
    }
}
