//! Owns how the figures are printed: a text for a person, JSON for a program.

use super::{
    Bench,
    figures::Figures,
    latency::{Latency, PERCENTILES},
};
use dunlin_load::{Topology, Traffic};
use serde_json::{Value, json};
use std::{fmt::Write as _, io::Write as _, time::Duration};

/// Characters of the longest bar.
const BAR: u64 = 40;

/// Appends the report for a person.
pub(super) fn print_text(bench: &Bench, figures: &Figures, out: &mut Vec<u8>) {
    let mut text = format!("{}\n\n", title(bench));
    connected(figures, &mut text);
    if let Some(traffic) = &bench.traffic {
        messages(traffic, figures, &mut text);
        latencies(figures, &mut text);
    }
    // A vector takes everything.
    let _ = out.write_all(text.as_bytes());
}

fn title(bench: &Bench) -> String {
    let server = &bench.server.server;
    let mut title = match &bench.traffic {
        Some(traffic) => format!("{}, ", shape(traffic)),
        None => String::new(),
    };
    if bench.idle > 0 {
        // Writing to a string does not fail, here and below.
        let _ = write!(title, "{} idle clients, ", bench.idle);
    }
    format!("{title}MQTT {}, {}:{}", bench.target.version, server.host, server.port)
}

fn shape(traffic: &Traffic) -> String {
    let clients = match &traffic.topology {
        Topology::Pairs(pairs) => format!("{pairs} pairs"),
        Topology::Topics { publishers, subscribers, topics } => {
            format!("{publishers} publishers to {subscribers} subscribers by {topics} topics")
        }
        Topology::FanOut { publishers, subscribers } => {
            format!("{publishers} publishers to each of {subscribers} subscribers")
        }
        Topology::Shared { publishers, subscribers, name } => {
            format!("{publishers} publishers to {subscribers} subscribers that share as {name}")
        }
    };
    let pace = match traffic.rate {
        Some(rate) => format!("{rate} messages a second"),
        None => format!("window {}", traffic.window),
    };
    format!("{clients}, QoS {}, {} bytes, {pace}", traffic.qos.bits(), traffic.payload_bytes)
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
fn connected(figures: &Figures, text: &mut String) {
    let Figures { clients, connecting, handshake, .. } = figures;
    let rate = *clients as f64 / connecting.as_secs_f64().max(1e-9);
    let [p50, _, p99, ..] = handshake.percentiles_ns.map(readable);
    let seconds = connecting.as_secs_f64();
    let _ = writeln!(
        text,
        "connected  {clients:>12}  clients in {seconds:.2} s, {rate:.0} a second; handshake p50 {p50}, p99 {p99}"
    );
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
fn messages(traffic: &Traffic, figures: &Figures, text: &mut String) {
    let seconds = figures.elapsed.as_secs_f64();
    let mut line = |name: &str, count: u64| {
        let rate = figures.rate(count);
        let megabytes = rate * traffic.payload_bytes as f64 / 1e6;
        let _ = writeln!(
            text,
            "{name:<9}  {count:>12}  in {seconds:.2} s, {rate:.0} a second, {megabytes:.2} MB/s of payload"
        );
    };
    line("published", figures.published);
    line("delivered", figures.delivered);
    let Figures { refused, duplicated, reordered, foreign, .. } = figures;
    let lost = figures.loss.undelivered;
    let unacknowledged = figures.loss.unacknowledged;
    let _ = writeln!(
        text,
        "lost       {lost:>12}  {unacknowledged} not acknowledged, {refused} refused, {duplicated} duplicated, \
         {reordered} out of order, {foreign} foreign"
    );
    if let Some(own) = figures.own_cpu {
        let messages = figures.published.max(figures.delivered).max(1);
        let each = own.as_secs_f64() * 1e6 / messages as f64;
        let share = own.as_secs_f64() / seconds.max(1e-9) * 100.0;
        let _ = writeln!(
            text,
            "own CPU    {:>12}  a message of this process, {share:.0} % of a core: near 100 it is the limit",
            format!("{each:.2} us")
        );
    }
}

fn latencies(figures: &Figures, text: &mut String) {
    let rows = [("delivery", &figures.delivery), ("acknowledgement", &figures.acknowledgement)];
    let rows = rows.into_iter().filter(|(_, latency)| latency.count > 0);
    let _ = write!(text, "\n{:<15}", "latency");
    for (name, _) in PERCENTILES {
        let _ = write!(text, "  {name:>8}");
    }
    text.push('\n');
    for (name, latency) in rows.clone() {
        let _ = write!(text, "{name:<15}");
        for ns in latency.percentiles_ns {
            let _ = write!(text, "  {:>8}", readable(ns));
        }
        text.push('\n');
    }
    for (name, latency) in rows {
        let _ = write!(text, "\n{name} from\n");
        bars(latency, text);
    }
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
fn bars(latency: &Latency, text: &mut String) {
    let most = latency.bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    for bar in &latency.bars {
        // What there is of it is seen.
        let length = (bar.count * BAR).div_ceil(most);
        let picture = "#".repeat(usize::try_from(length).unwrap_or(0));
        let share = bar.count as f64 * 100.0 / latency.count as f64;
        let line = format!("{:>10}  {share:>6.2} %  {picture}", readable(bar.from_us * 1_000));
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// A time with three digits that matter and its unit.
fn readable(ns: u64) -> String {
    let seconds = Duration::from_nanos(ns).as_secs_f64();
    let (value, unit) = match ns {
        0..1_000_000 => (seconds * 1e6, "us"),
        1_000_000..1_000_000_000 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    match value {
        10.0.. if value < 100.0 => format!("{value:.1} {unit}"),
        100.0.. => format!("{value:.0} {unit}"),
        _ if ns == 0 => format!("0 {unit}"),
        _ => format!("{value:.2} {unit}"),
    }
}

/// Appends the report for a program, on one line.
pub(super) fn print_json(bench: &Bench, figures: &Figures, out: &mut Vec<u8>) {
    let server = &bench.server.server;
    let report = json!({
        "server": format!("{}:{}", server.host, server.port),
        "version": bench.target.version.to_string(),
        "load": bench.traffic.as_ref().map(load),
        "idle": bench.idle,
        "clients": figures.clients,
        "connecting_seconds": figures.connecting.as_secs_f64(),
        "handshake_ns": percentiles(&figures.handshake),
        "seconds": figures.elapsed.as_secs_f64(),
        "published": figures.published,
        "acknowledged": figures.acknowledged,
        "delivered": figures.delivered,
        "delivered_per_second": figures.rate(figures.delivered),
        "delivery_ns": percentiles(&figures.delivery),
        "acknowledgement_ns": percentiles(&figures.acknowledgement),
        "delivery_histogram": histogram(&figures.delivery),
        "acknowledgement_histogram": histogram(&figures.acknowledgement),
        "lost": figures.loss.undelivered,
        "unacknowledged": figures.loss.unacknowledged,
        "refused": figures.refused,
        "duplicated": figures.duplicated,
        "reordered": figures.reordered,
        "foreign": figures.foreign,
        "own_cpu_seconds": figures.own_cpu.map(|own| own.as_secs_f64()),
    });
    // A vector takes everything.
    let _ = writeln!(out, "{report}");
}

fn load(traffic: &Traffic) -> Value {
    json!({
        "publishers": traffic.topology.publishers(),
        "subscribers": traffic.topology.subscribers(),
        "shape": shape(traffic),
        "qos": traffic.qos.bits(),
        "payload_bytes": traffic.payload_bytes,
        "window": traffic.window,
        "rate": traffic.rate,
        "messages": traffic.messages,
        "retain": traffic.retain,
    })
}

/// Null where nothing was noted.
fn percentiles(latency: &Latency) -> Value {
    if latency.count == 0 {
        return Value::Null;
    }
    let values = PERCENTILES.iter().zip(latency.percentiles_ns);
    values.map(|((name, _), ns)| ((*name).to_owned(), json!(ns))).collect::<serde_json::Map<_, _>>().into()
}

fn histogram(latency: &Latency) -> Value {
    latency.bars.iter().map(|bar| json!({ "from_us": bar.from_us, "count": bar.count })).collect()
}

#[cfg(test)]
mod tests {
    use super::{Figures, Latency, print_json, print_text, readable};
    use crate::cli::{Command, tests::parse_words};
    use dunlin_load::{Histogram, Loss};
    use std::time::Duration;

    fn latency(times_us: &[u64]) -> Latency {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        for us in times_us {
            histogram.record(us * 1_000).unwrap();
        }
        Latency::new(&histogram)
    }

    fn figures() -> Figures {
        Figures {
            clients: 4,
            connecting: Duration::from_millis(20),
            handshake: latency(&[100, 200, 300, 400]),
            elapsed: Duration::from_secs(2),
            published: 1_000,
            acknowledged: 1_000,
            delivered: 998,
            delivery: latency(&[70, 80, 90, 100, 500]),
            acknowledgement: latency(&[]),
            own_cpu: Some(Duration::from_millis(1)),
            loss: Loss { unacknowledged: 0, undelivered: 2 },
            refused: 0,
            duplicated: 0,
            reordered: 1,
            foreign: 0,
        }
    }

    fn print(words: &str) -> String {
        let Ok(Command::Bench(arguments)) = parse_words(words) else { panic!("it should parse") };
        let (json, bench, mut out) = (arguments.json, arguments.resolve().unwrap(), Vec::new());
        if json {
            print_json(&bench, &figures(), &mut out);
        } else {
            print_text(&bench, &figures(), &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_person_reads_a_table_and_a_picture() {
        insta::assert_snapshot!("bench_text", print("bench --pairs 2"));
        insta::assert_snapshot!("bench_text_idle", print("bench --idle 4 -V 5 -h broker"));
    }

    #[test]
    fn a_program_reads_everything_in_one_object() {
        let report: serde_json::Value = serde_json::from_str(&print("bench --json --pairs 2")).unwrap();
        insta::assert_snapshot!("bench_json", format!("{report:#}"));
    }

    #[test]
    fn a_time_has_three_digits_and_a_unit() {
        let times = [
            (0, "0 us"),
            (999, "1.00 us"),
            (12_340, "12.3 us"),
            (123_456, "123 us"),
            (1_234_567, "1.23 ms"),
            (2_000_000_000, "2.00 s"),
        ];
        for (ns, expected) in times {
            assert_eq!(readable(ns), expected);
        }
    }
}
