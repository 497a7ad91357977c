//! Owns when PINGREQ is due and when its answer is overdue. Sending it is the parent's.

use std::time::{Duration, Instant};

/// The idle time of one connection in both directions.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeepAlive {
    /// After how much silence PINGREQ is sent; none switches it off.
    interval: Option<Duration>,
    ping_timeout: Duration,
    /// When a packet was last sent, and when one was last received.
    idle_since: Option<(Instant, Instant)>,
    /// When a PINGREQ was sent that has no answer yet.
    pinged_at: Option<Instant>,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// PINGREQ.
    Ping,
    /// The server is gone.
    Dead,
}

impl KeepAlive {
    pub(super) const fn off() -> Self {
        Self { interval: None, ping_timeout: Duration::ZERO, idle_since: None, pinged_at: None }
    }

    /// A connection of this Keep Alive begins. PINGREQ is sent a tenth early, so that it arrives in time.
    pub(super) fn start(keep_alive_seconds: u16, ping_timeout: Duration, now: Instant) -> Self {
        let interval = match keep_alive_seconds {
            0 => None,
            seconds => Some(Duration::from_secs(seconds.into()) * 9 / 10),
        };
        Self { interval, ping_timeout, idle_since: Some((now, now)), pinged_at: None }
    }

    pub(super) fn sent(&mut self, now: Instant) {
        if let Some((sent, _)) = &mut self.idle_since {
            *sent = now;
        }
    }

    pub(super) fn received(&mut self, now: Instant) {
        if let Some((_, received)) = &mut self.idle_since {
            *received = now;
        }
    }

    /// PINGRESP was received.
    pub(super) fn answered(&mut self) {
        self.pinged_at = None;
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let (sent, received) = self.idle_since?;
        match self.pinged_at {
            // Whatever arrives shows that the server lives; its PINGRESP may be behind much else.
            Some(pinged) => Some(pinged.max(received) + self.ping_timeout),
            // Silence of the server counts too: QoS 0 into a dead connection would keep us busy without an answer.
            None => Some(sent.min(received) + self.interval?),
        }
    }

    /// What is due now; a PINGREQ counts as sent.
    pub(super) fn check(&mut self, now: Instant) -> Due {
        match self.next_deadline() {
            Some(deadline) if deadline <= now => {}
            Some(_) | None => return Due::Nothing,
        }
        if self.pinged_at.is_some() {
            return Due::Dead;
        }
        self.pinged_at = Some(now);
        Due::Ping
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, KeepAlive};
    use std::time::{Duration, Instant};

    #[test]
    fn silence_in_either_direction_is_asked_about_and_an_answer_is_awaited() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut keep_alive = KeepAlive::start(10, Duration::from_secs(5), start);
        assert_eq!(keep_alive.check(at(8)), Due::Nothing);
        keep_alive.sent(at(8));
        // Nothing was received for nine seconds.
        assert_eq!(keep_alive.next_deadline(), Some(at(9)));
        assert_eq!(keep_alive.check(at(9)), Due::Ping);
        keep_alive.received(at(10));
        assert_eq!(keep_alive.next_deadline(), Some(at(15)));
        keep_alive.answered();
        // Nothing was sent since the eighth second, not counting the PINGREQ the parent reports.
        assert_eq!(keep_alive.next_deadline(), Some(at(17)));
        assert_eq!(keep_alive.check(at(17)), Due::Ping);
        assert_eq!(keep_alive.check(at(21)), Due::Nothing);
        assert_eq!(keep_alive.check(at(22)), Due::Dead);
    }

    #[test]
    fn keep_alive_zero_never_pings() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::start(0, Duration::from_secs(5), start);
        assert_eq!(keep_alive.next_deadline(), None);
        assert_eq!(keep_alive.check(start + Duration::from_secs(1_000_000)), Due::Nothing);
    }
}
