//! Owns the lines that operators read on standard error: level, time, event and fields, one line
//! each. What is worth a line is decided where it happens.

mod throttle;
mod timestamp;

use std::fmt::{Display, Write as _};
use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;

pub(crate) use self::throttle::Throttle;
pub(crate) use self::timestamp::Timestamp as UtcTime;
use crate::clock;

/// How much a line matters. Ordered: a log at one level shows that level and those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Something is lost or refused that should not have been.
    Error,
    /// Something works, but not as the operator would want.
    Warn,
    /// What happens once: starting, listening, ending.
    #[default]
    Info,
    /// What happens per client.
    Debug,
}

impl Level {
    fn label(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }
}

/// Names and values that belong to an event.
pub(crate) type Fields<'a> = [(&'a str, &'a dyn Display)];

/// Writes events. Cheap to clone; every clone writes to the same place, whole lines only.
#[derive(Clone)]
pub(crate) struct Log(Arc<Shared>);

struct Shared {
    level: Level,
    unix_seconds: fn() -> u64,
    output: Mutex<Box<dyn Write + Send>>,
}

impl Log {
    /// A log on standard error. A line waits for whoever reads standard error.
    pub(crate) fn to_standard_error(level: Level) -> Self {
        Self::new(level, clock::unix_seconds, Box::new(std::io::stderr()))
    }

    fn new(level: Level, unix_seconds: fn() -> u64, output: Box<dyn Write + Send>) -> Self {
        Self(Arc::new(Shared { level, unix_seconds, output: Mutex::new(output) }))
    }

    /// Whether events of this level are written: what they need must not be gathered in vain.
    pub(crate) fn shows(&self, level: Level) -> bool {
        level <= self.0.level
    }

    pub(crate) fn error(&self, event: &str, fields: &Fields<'_>) {
        self.event(Level::Error, event, fields);
    }

    pub(crate) fn warn(&self, event: &str, fields: &Fields<'_>) {
        self.event(Level::Warn, event, fields);
    }

    pub(crate) fn info(&self, event: &str, fields: &Fields<'_>) {
        self.event(Level::Info, event, fields);
    }

    pub(crate) fn debug(&self, event: &str, fields: &Fields<'_>) {
        self.event(Level::Debug, event, fields);
    }

    /// Writes the event unless it was written less than the throttle's interval ago. The next line
    /// that is written says in `suppressed` how many were not.
    pub(crate) fn event_throttled(
        &self,
        throttle: &Throttle,
        level: Level,
        event: &str,
        fields: &Fields<'_>,
    ) {
        if !self.shows(level) {
            return;
        }
        match throttle.admit((self.0.unix_seconds)()) {
            None => {}
            Some(0) => self.event(level, event, fields),
            Some(suppressed) => {
                let mut fields = fields.to_vec();
                fields.push(("suppressed", &suppressed));
                self.event(level, event, &fields);
            }
        }
    }

    fn event(&self, level: Level, event: &str, fields: &Fields<'_>) {
        if !self.shows(level) {
            return;
        }
        let mut line = format!("{} {} {event}", UtcTime((self.0.unix_seconds)()), level.label());
        for (name, value) in fields {
            push_field(&mut line, name, &value.to_string());
        }
        line.push('\n');
        // A log that cannot be written has nowhere to say so, and is no reason to stop serving.
        let _ = self.0.output.lock().write_all(line.as_bytes());
    }
}

/// Values come from clients too: whatever could end a line or pass for another field is quoted and
/// escaped.
fn push_field(line: &mut String, name: &str, value: &str) {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '=');
    let written = if !value.is_empty() && value.chars().all(plain) {
        write!(line, " {name}={value}")
    } else {
        write!(line, " {name}={value:?}")
    };
    written.expect("a String takes every write");
}

/// What a log has written, for a test to read.
#[cfg(test)]
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

#[cfg(test)]
impl Memory {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).expect("lines are text")
    }
}

#[cfg(test)]
impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
impl Log {
    /// A log of one moment that a test can read, at the default level.
    pub(crate) fn to_memory() -> (Self, Memory) {
        let memory = Memory::default();
        (Self::new(Level::default(), || 1_795_305_600, Box::new(memory.clone())), memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(level: Level, write: impl FnOnce(&Log)) -> String {
        let memory = Memory::default();
        write(&Log::new(level, || 1_795_305_600, Box::new(memory.clone())));
        memory.text()
    }

    fn one_of_each(log: &Log) {
        log.error("cannot accept", &[("errno", &24)]);
        log.warn("nothing is stored", &[]);
        log.info("listening", &[("address", &"127.0.0.1:1883")]);
        log.debug("connected", &[("client_id", &"meter 7"), ("keep_alive", &60)]);
    }

    #[test]
    fn a_line_has_time_level_event_and_fields() {
        insta::assert_snapshot!(written(Level::Debug, one_of_each), @r#"
        2026-11-22T00:00:00Z ERROR cannot accept errno=24
        2026-11-22T00:00:00Z WARN nothing is stored
        2026-11-22T00:00:00Z INFO listening address=127.0.0.1:1883
        2026-11-22T00:00:00Z DEBUG connected client_id="meter 7" keep_alive=60
        "#);
    }

    #[test]
    fn a_level_shows_itself_and_what_matters_more() {
        for (level, lines) in [(Level::Error, 1), (Level::Warn, 2), (Level::Info, 3), (Level::Debug, 4)] {
            assert_eq!(written(level, one_of_each).lines().count(), lines, "{level:?}");
        }
    }

    #[test]
    fn a_client_cannot_forge_a_line_or_a_field() {
        for value in
            ["", "a b", "a=b", "a\nERROR forged", "say \"hi\"", "back\\slash", "\u{202e}x", "\u{1b}[2J"]
        {
            let text = written(Level::Info, |log| log.info("connected", &[("client_id", &value)]));
            assert_eq!(text, format!("2026-11-22T00:00:00Z INFO connected client_id={value:?}\n"));
            assert_eq!(text.matches('\n').count(), 1);
            assert!(!text.contains(['\u{202e}', '\u{1b}']), "{text:?}");
        }
    }

    #[test]
    fn a_throttled_event_is_written_once_per_interval_and_counts_the_rest() {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NOW: AtomicU64 = AtomicU64::new(0);
        let memory = Memory::default();
        let log = Log::new(Level::Info, || NOW.load(Ordering::Relaxed), Box::new(memory.clone()));
        let throttle = Throttle::new(60);
        for now in [0, 1, 59, 60, 61, 120] {
            NOW.store(now, Ordering::Relaxed);
            log.event_throttled(&throttle, Level::Warn, "dropped", &[("at", &now)]);
            log.event_throttled(&throttle, Level::Debug, "not shown, not counted", &[]);
        }
        insta::assert_snapshot!(memory.text(), @r"
        1970-01-01T00:00:00Z WARN dropped at=0
        1970-01-01T00:01:00Z WARN dropped at=60 suppressed=2
        1970-01-01T00:02:00Z WARN dropped at=120 suppressed=1
        ");
    }
}
