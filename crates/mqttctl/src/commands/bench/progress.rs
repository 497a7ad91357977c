//! Owns the line on standard error that tells how it goes, for a person on a terminal only.

use dunlin_load::Tally;
use std::io::{self, IsTerminal, Write};

/// The line that is written over and over.
#[derive(Debug)]
pub(super) struct Progress {
    shown: Shown,
    delivered: u64,
    seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

/// To the beginning of the line, which is emptied.
const ANEW: &str = "\r\x1b[K";

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        let shown = if quiet || !io::stderr().is_terminal() { Shown::No } else { Shown::Yes };
        Self { shown, delivered: 0, seconds: 0.0 }
    }

    /// What is done now.
    pub(super) fn doing(&self, what: &str) {
        self.tell(&format!("{ANEW}{what} ..."));
    }

    /// How many messages there are after so many seconds.
    #[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
    pub(super) fn count(&mut self, seconds: f64, tally: &Tally) {
        // Without subscribers, what the server took is all there is.
        let delivered = if tally.expected > 0 { tally.delivered } else { tally.acknowledged };
        let rate = (delivered - self.delivered) as f64 / (seconds - self.seconds).max(0.001);
        let under_way = tally.expected.saturating_sub(tally.delivered);
        self.tell(&format!("{ANEW}{seconds:.0} s: {rate:.0} messages a second, {under_way} under way"));
        (self.delivered, self.seconds) = (delivered, seconds);
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        self.tell(ANEW);
    }

    fn tell(&self, text: &str) {
        if self.shown == Shown::Yes {
            // Nobody is left to be told that standard error was closed.
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}
