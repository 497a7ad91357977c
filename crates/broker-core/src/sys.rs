//! Owns the `$SYS` tree: the names mosquitto uses where the meaning is the same, and the averages some of
//! them need. Publishing it is `shard/tick`'s business.

use crate::{node::Node, stats::Totals, time::Timestamp};
use std::{fmt::Write as _, sync::atomic::Ordering::Relaxed};

/// What must be remembered from one report to the next.
#[derive(Debug)]
pub(crate) struct Sys {
    started: Timestamp,
    last: Timestamp,
    totals: Totals,
    clients_maximum: u64,
    loads: [Load; LOADS.len()],
}

/// Moving averages per minute over 1, 5 and 15 minutes.
type Load = [f64; 3];

const WINDOWS_MS: [(f64, &str); 3] = [(60_000.0, "1min"), (300_000.0, "5min"), (900_000.0, "15min")];

/// A counter that has averages, under its name.
type Counted = (&'static str, fn(&Totals) -> u64);

const LOADS: [Counted; 9] = [
    ("messages/received", |totals| totals.messages_received),
    ("messages/sent", |totals| totals.messages_sent),
    ("bytes/received", |totals| totals.bytes_received),
    ("bytes/sent", |totals| totals.bytes_sent),
    ("publish/received", |totals| totals.publishes_received),
    ("publish/sent", |totals| totals.publishes_sent),
    ("publish/dropped", |totals| totals.publishes_dropped),
    ("sockets", |totals| totals.sockets_opened),
    ("connections", |totals| totals.connects_received),
];

impl Sys {
    /// A tree of a broker that starts now.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            started: now,
            last: now,
            totals: Totals::default(),
            clients_maximum: 0,
            loads: [[0.0; 3]; LOADS.len()],
        }
    }

    /// Topics and values as they are now.
    pub(crate) fn report(&mut self, node: &Node, now: Timestamp) -> Vec<(String, String)> {
        let totals = node.stats.totals();
        self.average(&totals, now);
        self.clients_maximum = self.clients_maximum.max(totals.clients_connected);
        let mut report = Vec::new();
        let mut put = |name: &str, value: String| report.push((format!("$SYS/broker/{name}"), value));
        put("version", format!("mqttd {}", env!("CARGO_PKG_VERSION")));
        put("uptime", format!("{} seconds", now.millis_since(self.started) / 1000));
        self.report_clients(&totals, node, &mut put);
        report_messages(&totals, &mut put);
        report_stores(&totals, node, &mut put);
        self.report_loads(&mut put);
        report
    }

    fn report_clients(&self, totals: &Totals, node: &Node, put: &mut impl FnMut(&str, String)) {
        let sessions = node.sessions.load(Relaxed) as u64;
        put("clients/total", sessions.to_string());
        put("clients/connected", totals.clients_connected.to_string());
        put("clients/active", totals.clients_connected.to_string());
        put("clients/disconnected", sessions.saturating_sub(totals.clients_connected).to_string());
        put("clients/inactive", sessions.saturating_sub(totals.clients_connected).to_string());
        put("clients/maximum", self.clients_maximum.to_string());
        put("clients/expired", totals.sessions_expired.to_string());
    }

    fn report_loads(&self, put: &mut impl FnMut(&str, String)) {
        for ((name, _), load) in LOADS.iter().zip(&self.loads) {
            for ((_, window), value) in WINDOWS_MS.iter().zip(load) {
                let mut text = String::new();
                // Writing to a String cannot fail.
                let _ = write!(text, "{value:.2}");
                put(&format!("load/{name}/{window}"), text);
            }
        }
    }

    /// Exponential averages: what has happened since the last report weighs by its share of the window.
    fn average(&mut self, totals: &Totals, now: Timestamp) {
        #[expect(clippy::cast_precision_loss, reason = "averages of two decimals")]
        let elapsed_ms = now.millis_since(self.last) as f64;
        if elapsed_ms > 0.0 {
            for ((_, counter), load) in LOADS.iter().zip(&mut self.loads) {
                #[expect(clippy::cast_precision_loss, reason = "averages of two decimals")]
                let counted = counter(totals).wrapping_sub(counter(&self.totals)) as f64;
                let per_minute = counted * 60_000.0 / elapsed_ms;
                for ((window_ms, _), value) in WINDOWS_MS.iter().zip(load) {
                    *value = per_minute + (*value - per_minute) * (-elapsed_ms / window_ms).exp();
                }
            }
        }
        self.last = now;
        self.totals = *totals;
    }
}

fn report_messages(totals: &Totals, put: &mut impl FnMut(&str, String)) {
    put("messages/received", totals.messages_received.to_string());
    put("messages/sent", totals.messages_sent.to_string());
    put("bytes/received", totals.bytes_received.to_string());
    put("bytes/sent", totals.bytes_sent.to_string());
    put("publish/messages/received", totals.publishes_received.to_string());
    put("publish/messages/sent", totals.publishes_sent.to_string());
    put("publish/messages/dropped", totals.publishes_dropped.to_string());
    put("publish/messages/expired", totals.publishes_expired.to_string());
    put("publish/bytes/received", totals.publish_bytes_received.to_string());
    put("publish/bytes/sent", totals.publish_bytes_sent.to_string());
}

fn report_stores(totals: &Totals, node: &Node, put: &mut impl FnMut(&str, String)) {
    let (subscriptions, retained) = (node.subscriptions.counts(), node.retained.counts());
    put("subscriptions/count", subscriptions.subscriptions.to_string());
    put("shared_subscriptions/count", subscriptions.shared_subscriptions.to_string());
    put("retained messages/count", retained.messages.to_string());
    put("retained messages/bytes", retained.bytes.to_string());
    put("store/messages/count", totals.queued_messages.to_string());
    put("store/messages/bytes", totals.queued_bytes.to_string());
    put("subscriptions/bytes", node.subscriptions.memory_bytes().to_string());
}
