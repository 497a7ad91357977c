//! Owns what `mqttd` does without a command: load the configuration, serve, and say where. Serving
//! itself is the daemon's business.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::flags::SettingFlags;
use super::print;
use crate::config::{ListenAddress, Settings};
use crate::daemon::Daemon;
use crate::error::Error;
use crate::log::Log;

pub(super) fn run(flags: &SettingFlags) -> Result<(), Error> {
    let settings = flags.load()?.settings;
    let log = Log::to_standard_error(settings.log.level);
    let daemon = Daemon::start(&settings, log)?;
    print(&announcement(&settings, daemon.addresses()))?;
    daemon.serve()
}

/// What is said on standard output. Scripts read the first line, which names the first address.
fn announcement(settings: &Settings, addresses: &[SocketAddr]) -> String {
    let mut text = String::new();
    for address in addresses {
        writeln!(text, "mqttd listening on {address}").expect("a String takes every write");
    }
    let data_dir = settings.data_dir.display();
    writeln!(text, "everything is kept in memory; this version stores nothing in {data_dir}")
        .expect("a String takes every write");
    if settings.listen.iter().copied().all(ListenAddress::is_loopback) {
        text.push_str("only this machine is served; to serve others set listen and allow_anonymous = true\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(listen: &[&str], bound: &[&str]) -> String {
        let listen = listen.iter().map(|text| text.parse().expect("an address")).collect();
        let bound: Vec<SocketAddr> = bound.iter().map(|text| text.parse().expect("an address")).collect();
        announcement(&Settings { listen, ..Settings::default() }, &bound)
    }

    #[test]
    fn the_first_lines_name_the_addresses_that_are_really_listened_on() {
        insta::assert_snapshot!(announced(&["127.0.0.1:0", "[::1]:1883"], &["127.0.0.1:40123", "[::1]:1883"]), @r"
        mqttd listening on 127.0.0.1:40123
        mqttd listening on [::1]:1883
        everything is kept in memory; this version stores nothing in ./mqttd-data
        only this machine is served; to serve others set listen and allow_anonymous = true
        ");
    }

    #[test]
    fn who_serves_others_is_not_told_how_to() {
        insta::assert_snapshot!(announced(&["127.0.0.1:1883", "0.0.0.0:1884"], &["127.0.0.1:1883", "0.0.0.0:1884"]), @r"
        mqttd listening on 127.0.0.1:1883
        mqttd listening on 0.0.0.0:1884
        everything is kept in memory; this version stores nothing in ./mqttd-data
        ");
    }
}
