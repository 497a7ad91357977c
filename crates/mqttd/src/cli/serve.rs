//! Owns what `mqttd` does without a command: load the configuration, serve, and say where. Serving
//! itself is the daemon's business.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use super::flags::SettingFlags;
use super::print;
use crate::config::{ListenAddress, Settings};
use crate::daemon::Daemon;
use crate::error::Error;
use crate::log::Log;
use crate::storage::Recollection;

pub(super) fn run(flags: &SettingFlags) -> Result<(), Error> {
    let settings = flags.load()?.settings;
    let log = Log::to_standard_error(settings.log.level);
    let daemon = Daemon::start(&settings, log)?;
    print(&announcement(&settings, daemon.addresses(), daemon.recollection()))?;
    daemon.serve()
}

/// What is said on standard output. Scripts read the first line, which names the first address.
fn announcement(
    settings: &Settings,
    addresses: &[SocketAddr],
    found: Option<(Recollection, Duration)>,
) -> String {
    let mut text = String::new();
    for address in addresses {
        writeln!(text, "mqttd listening on {address}").expect("a String takes every write");
    }
    match found {
        Some((Recollection { sessions, queued_messages, retained_messages }, took)) => {
            let counts = [
                counted(sessions, "session"),
                counted(queued_messages, "queued message"),
                counted(retained_messages, "retained message"),
            ];
            let data_dir = settings.data_dir.display();
            let took = took.as_millis();
            writeln!(text, "durable: {data_dir} ({} recovered in {took} ms)", counts.join(", "))
        }
        None => writeln!(text, "in memory: nothing survives the process (storage = \"memory\")"),
    }
    .expect("a String takes every write");
    if settings.listen.iter().copied().all(ListenAddress::is_loopback) {
        text.push_str("only this machine is served; to serve others set listen and allow_anonymous = true\n");
    }
    text
}

/// A number of things, as a person writes it.
fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(count))
}

/// A number with its digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: (Recollection, Duration) = (
        Recollection { sessions: 12, queued_messages: 3_456, retained_messages: 1 },
        Duration::from_micros(45_678),
    );

    fn announced(listen: &[&str], bound: &[&str], found: Option<(Recollection, Duration)>) -> String {
        let listen = listen.iter().map(|text| text.parse().expect("an address")).collect();
        let bound: Vec<SocketAddr> = bound.iter().map(|text| text.parse().expect("an address")).collect();
        announcement(&Settings { listen, ..Settings::default() }, &bound, found)
    }

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345, "12,345"),
            (123_456, "123,456"),
            (1_000_000, "1,000,000"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn the_first_lines_name_the_addresses_that_are_really_listened_on() {
        insta::assert_snapshot!(announced(&["127.0.0.1:0", "[::1]:1883"], &["127.0.0.1:40123", "[::1]:1883"], Some(FOUND)), @r"
        mqttd listening on 127.0.0.1:40123
        mqttd listening on [::1]:1883
        durable: ./mqttd-data (12 sessions, 3,456 queued messages, 1 retained message recovered in 45 ms)
        only this machine is served; to serve others set listen and allow_anonymous = true
        ");
    }

    #[test]
    fn who_serves_others_is_not_told_how_to() {
        insta::assert_snapshot!(announced(&["127.0.0.1:1883", "0.0.0.0:1884"], &["127.0.0.1:1883", "0.0.0.0:1884"], None), @r#"
        mqttd listening on 127.0.0.1:1883
        mqttd listening on 0.0.0.0:1884
        in memory: nothing survives the process (storage = "memory")
        "#);
    }
}
