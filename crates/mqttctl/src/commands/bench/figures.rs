//! Owns what a measurement came to, in numbers. How they are printed is the report's business.

use super::latency::Latency;
use dunlin_load::{Loss, Tally};
use std::time::Duration;

/// What was measured.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    pub(super) clients: u64,
    /// Until all were ready.
    pub(super) connecting: Duration,
    pub(super) handshake: Latency,
    /// The time in which what follows was counted.
    pub(super) elapsed: Duration,
    pub(super) published: u64,
    pub(super) acknowledged: u64,
    pub(super) delivered: u64,
    pub(super) delivery: Latency,
    pub(super) acknowledgement: Latency,
    /// What this process used meanwhile; none where the system does not tell.
    pub(super) own_cpu: Option<Duration>,
    /// From here on of the whole load, warm-up included.
    pub(super) loss: Loss,
    pub(super) refused: u64,
    pub(super) duplicated: u64,
    pub(super) reordered: u64,
    pub(super) foreign: u64,
}

impl Figures {
    pub(super) fn new(
        connecting: Duration,
        elapsed: Duration,
        own_cpu: Option<Duration>,
        (before, measured): (&Tally, &Tally),
        all: &Tally,
        loss: Loss,
    ) -> Self {
        Self {
            clients: all.ready,
            connecting,
            handshake: Latency::new(&all.handshake),
            elapsed,
            published: measured.published - before.published,
            acknowledged: measured.acknowledged - before.acknowledged,
            delivered: measured.delivered - before.delivered,
            delivery: Latency::new(&measured.delivery),
            acknowledgement: Latency::new(&measured.acknowledgement),
            own_cpu,
            loss,
            refused: all.refused,
            duplicated: all.duplicated,
            reordered: all.reordered,
            foreign: all.foreign,
        }
    }

    /// Whether the server did all that it was asked.
    pub(super) fn is_complete(&self) -> bool {
        self.loss.is_none() && self.refused == 0
    }

    /// A count as a rate per second of the measured time.
    #[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
    pub(super) fn rate(&self, count: u64) -> f64 {
        count as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}
