//! Owns which signals the process listens to. What it does about them is the daemon's business.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

/// Bytes of address space for the thread's stack; memory is used only as far as it is touched.
const STACK_BYTES: usize = 128 * 1024;

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: a supervisor.
    Terminate,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// A file that has reached the limit of its size (`ulimit -f`) makes the write to it fail, as a full disk does,
/// instead of ending the process.
pub(crate) fn outlive_file_size_limit() -> io::Result<()> {
    // That it came is all that is remembered of it, and nobody asks.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(drop)
}

/// Tells of every request to end from now on, from a thread of its own, until `tell` says that nobody
/// listens. SIGHUP, which a closing terminal sends, is taken and left without effect: settings are read
/// once, at the start.
pub(crate) fn watch(mut tell: impl FnMut(Signal) -> bool + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let watch = move || {
        for number in signals.forever() {
            let signal = match number {
                SIGINT => Signal::Interrupt,
                SIGTERM => Signal::Terminate,
                _ => continue,
            };
            if !tell(signal) {
                return;
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).stack_size(STACK_BYTES).spawn(watch)?;
    Ok(())
}
