//! Owns what a person reads on standard error while a command runs: warnings, and with `-d` each step. Errors that
//! end the command are told by `main`.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, OnceLock},
};

/// Tells of one command's progress. Clones speak with one voice.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// `-d`: tell each step.
    debug: bool,
    /// `--quiet`: keep warnings back.
    quiet: bool,
    client_id: Arc<OnceLock<String>>,
}

impl Report {
    /// For the options `-d` and `--quiet`.
    pub(crate) fn new(debug: bool, quiet: bool) -> Self {
        Self { debug, quiet, client_id: Arc::default() }
    }

    /// Whether errors may be told.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// From now on the client is known by this Client Identifier.
    pub(crate) fn name_client(&self, client_id: &str) {
        if !client_id.is_empty() {
            // The name of the first connection stays: reconnecting keeps it.
            let _ = self.client_id.set(client_id.to_owned());
        }
    }

    /// A step that `-d` shows, such as a packet that was sent or received.
    pub(crate) fn step(&self, what: fmt::Arguments<'_>) {
        if self.debug {
            let client_id = self.client_id.get().map_or("(null)", String::as_str);
            tell(format_args!("Client {client_id} {what}"));
        }
    }

    /// Something that went wrong but does not end the command.
    pub(crate) fn warn(&self, what: fmt::Arguments<'_>) {
        if !self.quiet {
            tell(format_args!("warning: {what}"));
        }
    }
}

fn tell(line: fmt::Arguments<'_>) {
    // Nobody is left to be told that standard error was closed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
