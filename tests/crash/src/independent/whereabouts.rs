//! Owns what threads of other people's clients wait for: a broker to connect to, the load, the end of the round.
//! It starts nothing.

use std::{
    net::SocketAddr,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a client waits for another broker before it tries the same once more.
const RETRY: Duration = Duration::from_millis(200);

/// Where the broker is and what is wanted.
#[derive(Debug, Default)]
pub(crate) struct Whereabouts {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct Now {
    place: Option<Place>,
    load: bool,
    over: bool,
}

/// Where the broker is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) port: u16,
    /// Which process it is.
    pub(super) process: u32,
}

impl Whereabouts {
    /// The broker listens here, or is down.
    pub(crate) fn set_broker(&self, address: Option<SocketAddr>, process: u32) {
        self.change(|now| now.place = address.map(|address| Place { port: address.port(), process }));
    }

    /// The load begins.
    pub(crate) fn begin_load(&self) {
        self.change(|now| now.load = true);
    }

    /// The load is over.
    pub(crate) fn end_load(&self) {
        self.change(|now| now.load = false);
    }

    /// The round is over.
    pub(crate) fn end_round(&self) {
        self.change(|now| (now.load, now.over) = (false, true));
    }

    /// A broker, another than the one that was lost if there soon is one; none when the round is over.
    pub(super) fn next(&self, lost: u32) -> Option<Place> {
        let mut now = self.lock();
        let mut tried = false;
        loop {
            match now.place {
                _ if now.over => return None,
                Some(place) if tried || place.process != lost => return Some(place),
                Some(_) | None => {
                    let (guard, waited) =
                        self.changed.wait_timeout(now, RETRY).unwrap_or_else(PoisonError::into_inner);
                    now = guard;
                    tried = waited.timed_out();
                }
            }
        }
    }

    /// Waits for the time of the next message; false once no more are wanted.
    pub(super) fn is_wanted(&self, interval: Duration) -> bool {
        let now = self.lock();
        let begun = self.changed.wait_while(now, |now| !now.load && !now.over);
        let now = begun.unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(now, interval, |now| now.load);
        waited.unwrap_or_else(PoisonError::into_inner).0.load
    }

    /// Waits for the end of the round.
    pub(super) fn over(&self) {
        drop(self.changed.wait_while(self.lock(), |now| !now.over));
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
