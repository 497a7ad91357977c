//! Owns what the operator hears of a disk that is full or failing: when it begins, now and then while it
//! lasts, and when it is over. What is refused meanwhile is the engine's business.

use std::fmt::Display;
use std::time::Instant;

use crate::log::{Level, Log, Throttle};

/// Seconds between two lines while it lasts.
const LOG_INTERVAL_SECONDS: u64 = 300;

/// What the engine does until the disk takes what it is given.
const MEANWHILE: &str = "what must be stored is refused (0x97, 3.x: closed), the rest is served";

/// A disk that does not take what it is given, if it does not.
pub(super) struct Trouble {
    log: Log,
    place: String,
    since: Option<Instant>,
    lasting: Throttle,
}

impl Trouble {
    /// None so far, at this place.
    pub(super) fn new(place: String, log: Log) -> Self {
        Self { log, place, since: None, lasting: Throttle::new(LOG_INTERVAL_SECONDS) }
    }

    /// Whether there is some.
    pub(super) fn is_there(&self) -> bool {
        self.since.is_some()
    }

    /// What had to be written could not be.
    pub(super) fn has_come(&mut self, error: &dyn Display, pending_bytes: u64) {
        let is_new = self.since.is_none();
        self.since.get_or_insert_with(Instant::now);
        let fields: [(&str, &dyn Display); 4] = [
            ("data_dir", &self.place),
            ("error", error),
            ("waiting_bytes", &pending_bytes),
            ("meanwhile", &MEANWHILE),
        ];
        if is_new {
            self.lasting = Throttle::new(LOG_INTERVAL_SECONDS);
        }
        self.log.event_throttled(&self.lasting, Level::Warn, "the disk is full or failing", &fields);
    }

    /// Everything that had to be written has been.
    pub(super) fn is_over(&mut self) {
        let Some(since) = self.since.take() else { return };
        let fields: [(&str, &dyn Display); 2] =
            [("data_dir", &self.place), ("after_seconds", &since.elapsed().as_secs())];
        self.log.info("the disk is written again", &fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_said_once_and_its_end_too() {
        let (log, lines) = Log::to_memory();
        let mut trouble = Trouble::new("./mqttd-data".to_owned(), log);
        trouble.is_over();
        for _ in 0..3 {
            trouble.has_come(&"no room", 4_096);
            assert!(trouble.is_there());
        }
        trouble.is_over();
        trouble.is_over();
        assert!(!trouble.is_there());
        trouble.has_come(&"no room again", 1);
        insta::assert_snapshot!(lines.text(), @r#"
        2026-11-22T00:00:00Z WARN the disk is full or failing data_dir=./mqttd-data error="no room" waiting_bytes=4096 meanwhile="what must be stored is refused (0x97, 3.x: closed), the rest is served"
        2026-11-22T00:00:00Z INFO the disk is written again data_dir=./mqttd-data after_seconds=0
        2026-11-22T00:00:00Z WARN the disk is full or failing data_dir=./mqttd-data error="no room again" waiting_bytes=1 meanwhile="what must be stored is refused (0x97, 3.x: closed), the rest is served"
        "#);
    }
}
