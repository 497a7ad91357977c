//! Owns the figures of a run and how a person reads them. What is right and wrong is `verify`'s business.

use crate::history::History;
use mqtt_codec::QoS;
use std::{collections::BTreeSet, fmt, time::Duration};

/// The figures of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rounds: u64,
    kills: usize,
    published: usize,
    acknowledged: usize,
    delivered: usize,
    duplicates: usize,
    redelivered: usize,
    slowest_start: Duration,
    latencies: Vec<Duration>,
}

impl Report {
    /// Takes a round's figures.
    pub(crate) fn add(&mut self, history: &History) {
        let sent = history.publications.iter().filter(|publication| publication.sent_at.is_some());
        self.rounds += 1;
        self.kills += history.outages.len();
        self.published += sent.clone().count();
        self.acknowledged += sent.filter(|publication| publication.acknowledged_at.is_some()).count();
        self.delivered += history.deliveries.len();
        self.duplicates += duplicates(history);
        self.redelivered += history.deliveries.iter().filter(|delivery| delivery.dup).count();
        let slowest = history.outages.iter().map(|outage| outage.start_took).max();
        self.slowest_start = self.slowest_start.max(slowest.unwrap_or_default());
        self.latencies.extend(&history.latencies);
    }

    /// One round in a line.
    pub(crate) fn line(&self, number: u64, history: &History, violations: usize) -> String {
        let verdict = match violations {
            0 => "passed".to_owned(),
            count => format!("FAILED ({count})"),
        };
        let kills = history.outages.len();
        let published =
            history.publications.iter().filter(|publication| publication.sent_at.is_some()).count();
        let delivered = history.deliveries.len();
        format!("round {number} {verdict}: {kills} kills, {published} messages, {delivered} deliveries")
    }

    /// How many times a broker was killed.
    #[must_use]
    pub fn kills(&self) -> usize {
        self.kills
    }

    /// The latency that so many of a hundred acknowledgements do not exceed.
    fn percentile(sorted: &[Duration], percent: usize) -> Duration {
        let last = sorted.len().saturating_sub(1);
        sorted.get(last * percent / 100).copied().unwrap_or_default()
    }
}

/// Second arrivals of the same message in a session at QoS 1.
fn duplicates(history: &History) -> usize {
    let mut seen = BTreeSet::new();
    let repeats = history.deliveries.iter().filter(|it| !seen.insert((it.session, it.publication)));
    repeats.filter(|delivery| delivery.qos == QoS::AtLeastOnce).count()
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, kills, published, acknowledged, delivered, duplicates, redelivered, .. } = self;
        let mut latencies = self.latencies.clone();
        latencies.sort_unstable();
        let ms = |percent| Self::percentile(&latencies, percent).as_secs_f64() * 1000.0;
        writeln!(formatter, "rounds           {rounds} with {kills} kills")?;
        writeln!(
            formatter,
            "messages         {published} published, {acknowledged} acknowledged, {delivered} delivered"
        )?;
        writeln!(formatter, "duplicates       {duplicates} at QoS 1")?;
        writeln!(formatter, "redelivered      {redelivered} with DUP")?;
        writeln!(formatter, "slowest restart  {:.3} s", self.slowest_start.as_secs_f64())?;
        let (p50, p99, slowest) = (ms(50), ms(99), ms(100));
        write!(formatter, "acknowledgement  p50 {p50:.2} ms, p99 {p99:.2} ms, slowest {slowest:.2} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_the_figures_of_a_run() {
        let report = Report {
            rounds: 2,
            kills: 3,
            published: 40,
            acknowledged: 39,
            delivered: 120,
            duplicates: 4,
            redelivered: 5,
            slowest_start: Duration::from_millis(31),
            latencies: (1..=200).rev().map(Duration::from_millis).collect(),
        };
        insta::assert_snapshot!(report, @r"
        rounds           2 with 3 kills
        messages         40 published, 39 acknowledged, 120 delivered
        duplicates       4 at QoS 1
        redelivered      5 with DUP
        slowest restart  0.031 s
        acknowledgement  p50 100.00 ms, p99 198.00 ms, slowest 200.00 ms
        ");
    }
}
