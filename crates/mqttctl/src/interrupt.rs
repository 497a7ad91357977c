//! Owns the signals that ask the process to end: Ctrl-C and SIGTERM. What ending means is the session's affair.

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::signal::unix::{self, SignalKind};

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// Waits for the first of the signals.
#[derive(Debug)]
pub(crate) struct Interrupt {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

/// Tells whether a signal has come, to who works without a runtime and looks now and then.
#[derive(Debug)]
pub(crate) struct InterruptFlag {
    came: [(Signal, Arc<AtomicBool>); 2],
}

impl Signal {
    /// Its number, the same on every system.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }
}

impl Interrupt {
    /// From now on the first signal is waited for, and the second ends the process on the spot: nothing that
    /// hangs, a server that does not answer or a reader of standard output that sleeps, holds up whoever insists.
    ///
    /// # Errors
    /// The operating system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        InterruptFlag::listen()?;
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
        })
    }

    /// The next signal.
    ///
    /// Cancel safe: a signal that has come is either returned or still there.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

impl InterruptFlag {
    /// The same as [`Interrupt::listen`].
    ///
    /// # Errors
    /// The operating system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        let listen = |number, signal: Signal| -> io::Result<_> {
            let asked_before = Arc::new(AtomicBool::new(false));
            let exit_code = i32::from(128 + signal.number());
            // In this order: the second signal finds what the first one has set.
            flag::register_conditional_shutdown(number, exit_code, Arc::clone(&asked_before))?;
            flag::register(number, Arc::clone(&asked_before))?;
            Ok((signal, asked_before))
        };
        Ok(Self { came: [listen(SIGINT, Signal::Interrupt)?, listen(SIGTERM, Signal::Terminate)?] })
    }

    /// The signal that has come, if one has.
    pub(crate) fn signal(&self) -> Option<Signal> {
        self.came.iter().find(|(_, came)| came.load(Ordering::Relaxed)).map(|&(signal, _)| signal)
    }
}
