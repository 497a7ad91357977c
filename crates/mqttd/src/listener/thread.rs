//! Owns the thread that accepts connections and receives their first packets. How is the listener's and
//! the handshake's business.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::Duration;

use broker_core::{Node, Timestamp};
use mio::{Events, Interest, Poll, Token, Waker};

use super::{Door, Listener};
use crate::clock::Clock;
use crate::handshake::Reception;
use crate::log::Log;
use crate::worker::Mailbox;

/// Bytes of the thread's stack.
const STACK_BYTES: usize = 512 * 1024;

/// Strangers heard before others are accepted.
const EVENTS_MAX: usize = 256;

/// What events call the request to stop.
const STOP: Token = Token(usize::MAX);

/// The running thread.
#[derive(Debug)]
pub(crate) struct Acceptor {
    thread: JoinHandle<()>,
    is_stopped: Arc<AtomicBool>,
    waker: Waker,
}

impl Acceptor {
    /// Starts accepting for these workers. `guard` is dropped when the thread ends, however it ends.
    pub(crate) fn start(
        listeners: Vec<Listener>,
        workers: (Arc<Node>, Arc<[Mailbox]>),
        clock: Clock,
        log: Log,
        guard: impl Send + 'static,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), STOP)?;
        let mut doors = listeners.into_iter().map(Door::new).collect::<io::Result<Vec<_>>>()?;
        for (door, place) in doors.iter_mut().zip(0..) {
            poll.registry().register(&mut door.listener, Token(place), Interest::READABLE)?;
        }
        let reception = Reception::new(poll.registry().try_clone()?, doors.len(), workers, log.clone());
        let is_stopped = Arc::new(AtomicBool::new(false));
        let entrance = Entrance { poll, doors, reception, is_stopped: Arc::clone(&is_stopped), clock, log };
        let body = move || {
            let _guard = guard;
            entrance.run();
        };
        let thread =
            std::thread::Builder::new().name("listener".to_owned()).stack_size(STACK_BYTES).spawn(body)?;
        Ok(Self { thread, is_stopped, waker })
    }

    /// Stops accepting: from here on nobody can connect, and who has not sent a CONNECT is cut off.
    pub(crate) fn stop(self) {
        self.is_stopped.store(true, SeqCst);
        self.waker.wake().expect("a counter of the system's that exists can be counted up");
        // A panic has ended the process.
        let _ = self.thread.join();
    }
}

/// All that the thread works on.
struct Entrance {
    poll: Poll,
    doors: Vec<Door>,
    reception: Reception,
    is_stopped: Arc<AtomicBool>,
    clock: Clock,
    log: Log,
}

impl Entrance {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS_MAX);
        while !self.is_stopped.load(SeqCst) {
            let patience = self.patience(self.clock.now());
            if let Err(error) = self.poll.poll(&mut events, patience) {
                // No other error can come of a poll that exists.
                assert_eq!(error.kind(), io::ErrorKind::Interrupted, "{error}");
            }
            let now = self.clock.now();
            for event in &events {
                match event.token() {
                    STOP => {}
                    Token(place) if place < self.doors.len() => self.doors[place].is_ready = true,
                    stranger => self.reception.attend(stranger, now),
                }
            }
            for door in &mut self.doors {
                door.accept(&mut self.reception, now, &self.log);
            }
            self.reception.sweep(now);
        }
    }

    /// How long there is nothing to do by itself; none for ever.
    fn patience(&self, now: Timestamp) -> Option<Duration> {
        let doors = self.doors.iter().filter_map(|door| door.patience_ms(&self.reception, now));
        doors.chain(self.reception.patience_ms(now)).min().map(Duration::from_millis)
    }
}
