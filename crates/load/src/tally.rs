//! Owns what a load counts and the times it notes. What is made of them is the caller's business.

use std::fmt;

use hdrhistogram::Histogram;

/// What a load has counted since it began. Messages are counted once for each receiver that gets them.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Clients whose CONNECT was accepted.
    pub connected: u64,
    /// Of these, clients whose subscriptions are acknowledged too, as far as they have some.
    pub ready: u64,
    /// PUBLISH packets handed to the sockets.
    pub published: u64,
    /// Of these, messages whose PUBACK or PUBCOMP came; at QoS 0 all.
    pub acknowledged: u64,
    /// Of these, messages that the broker answered with an error; they count as acknowledged too.
    pub refused: u64,
    /// Deliveries that are due for what was published: one for each subscriber with a matching filter and one
    /// for each group of a shared subscription. What was refused is not due.
    pub expected: u64,
    /// Deliveries that came, each once.
    pub delivered: u64,
    /// Of these, deliveries to [collectors](crate::Load::collector), which are not among the expected.
    pub collected: u64,
    /// Deliveries that came again to who had them.
    pub duplicated: u64,
    /// Deliveries behind a later one of the same publisher and topic.
    pub reordered: u64,
    /// Deliveries of what no publisher of this load sent to their receiver: those of others, and retained ones.
    pub foreign: u64,
    /// From the begin of a connection to its CONNACK; nanoseconds. Noted always.
    pub handshake: Histogram<u64>,
    /// From the time a PUBLISH was due to its PUBACK or PUBCOMP; nanoseconds. Due is when the rate wants it, or
    /// when it was written if there is none. Empty at QoS 0.
    pub acknowledgement: Histogram<u64>,
    /// From the same time to each delivery; nanoseconds. Collectors have none.
    pub delivery: Histogram<u64>,
    recording: Recording,
}

/// Whether the times of messages are noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// From now on; those of before are forgotten.
    On,
    /// No more; those noted stay.
    Off,
}

/// A minute: what takes longer counts as that.
const LATENCY_NS_MAX: u64 = 60_000_000_000;
/// Digits of a latency that are right.
const DIGITS: u8 = 3;

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            connected: 0,
            ready: 0,
            published: 0,
            acknowledged: 0,
            refused: 0,
            expected: 0,
            delivered: 0,
            collected: 0,
            duplicated: 0,
            reordered: 0,
            foreign: 0,
            handshake: histogram(),
            acknowledgement: histogram(),
            delivery: histogram(),
            recording: Recording::Off,
        }
    }

    pub(crate) fn record(&mut self, recording: Recording) {
        self.recording = recording;
        if recording == Recording::On {
            self.acknowledgement.reset();
            self.delivery.reset();
        }
    }

    #[inline]
    pub(crate) fn acknowledged(&mut self, sent_at: u64, now: u64) {
        self.acknowledged += 1;
        if self.recording == Recording::On {
            self.acknowledgement.saturating_record(now.saturating_sub(sent_at));
        }
    }

    #[inline]
    pub(crate) fn delivered(&mut self, sent_at: u64, now: u64) {
        self.delivered += 1;
        if self.recording == Recording::On {
            self.delivery.saturating_record(now.saturating_sub(sent_at));
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_NS_MAX, DIGITS).expect("bounds and digits that are allowed")
}

/// The counts in one line.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connected, ready, published, acknowledged, expected, delivered, collected, .. } = self;
        write!(
            f,
            "{connected} clients connected, {ready} ready, {published} messages published, {acknowledged} \
             acknowledged, {} of {expected} delivered",
            delivered - collected
        )?;
        if *collected > 0 {
            write!(f, ", {collected} collected")?;
        }
        Ok(())
    }
}
