//! Owns what a thread sleeps on: events of the system, and a time at which it wakes without any. What an event means is
//! the sleeper's business.

mod alarm;

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use broker_core::Timestamp;
use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};

use self::alarm::Alarm;

/// What events of the bed's own are called.
const ALARM: Token = Token(usize::MAX);

/// The highest of the names that a sleeper may give to what is no connection.
pub(crate) const NAME_MAX: usize = usize::MAX - 1;

/// A poll and an alarm clock.
///
/// The poll would take a time for each sleep, which the system sets and takes back: 0.3 us of the 6 that a message
/// costs for which a worker is woken. An alarm stays set until it rings or is to ring earlier.
#[derive(Debug)]
pub(crate) struct Bed {
    poll: Poll,
    alarm: Alarm,
    events: Events,
}

impl Bed {
    /// One that tells of so many events at a time. Fails when the process may have no more descriptors.
    pub(crate) fn new(events_max: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        Ok(Self { poll, alarm, events: Events::with_capacity(events_max) })
    }

    /// Where it is said what events are to come of.
    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// Has an event come, once, when events come to another bed.
    pub(crate) fn watch(&self, other: &Self, name: Token) -> io::Result<()> {
        self.registry().register(&mut SourceFd(&other.poll.as_raw_fd()), name, Interest::READABLE)
    }

    /// Has no more events come of another bed's.
    pub(crate) fn unwatch(&self, other: &Self) -> io::Result<()> {
        self.registry().deregister(&mut SourceFd(&other.poll.as_raw_fd()))
    }

    /// Sleeps until there are events, or until it is `due` by a clock that now shows `now`. It may wake for no reason.
    pub(crate) fn sleep_until(&mut self, due: Timestamp, now: Timestamp) {
        if due <= now {
            return self.look();
        }
        let patience = self.alarm.set(due, now);
        self.poll(patience);
    }

    /// Sleeps until there are events, so long at most.
    pub(crate) fn doze(&mut self, patience: Duration) {
        self.poll(Some(patience));
    }

    /// Takes the events that are there.
    pub(crate) fn look(&mut self) {
        self.poll(Some(Duration::ZERO));
    }

    /// What was found the last time.
    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    fn poll(&mut self, patience: Option<Duration>) {
        if let Err(error) = self.poll.poll(&mut self.events, patience) {
            // No other error can come of a poll that exists.
            assert_eq!(error.kind(), io::ErrorKind::Interrupted, "{error}");
        }
    }
}

/// Has events of a source come to another bed from here on, one at once if there is something. If that fails all is as
/// it was.
pub(crate) fn lend<S: Source + AsRawFd>(
    source: &mut S,
    from: &Registry,
    to: &Registry,
    token: Token,
) -> io::Result<()> {
    // Not by way of the source, which knows of one registry at a time.
    to.register(&mut SourceFd(&source.as_raw_fd()), token, Interest::READABLE)?;
    from.deregister(source)
}

/// Has events of a source that was lent come where they came before. Fails when the system cannot watch one more, and
/// then none come.
pub(crate) fn take_back<S: Source + AsRawFd>(
    source: &mut S,
    from: &Registry,
    home: &Registry,
    token: Token,
) -> io::Result<()> {
    from.deregister(&mut SourceFd(&source.as_raw_fd()))?;
    home.register(source, token, Interest::READABLE)
}

#[cfg(test)]
mod tests;
