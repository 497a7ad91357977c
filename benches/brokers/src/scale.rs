//! Owns how many connections the modes open that want many, from where, and in how many processes.

use std::net::{IpAddr, Ipv4Addr};

use clap::ValueEnum as _;

/// How much a broker is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) connections: u64,
    /// What one process of the load opens at most.
    pub(crate) connections_per_process: u64,
}

/// Nobody has asked for more, and it is what a large machine has memory for.
const CONNECTIONS_MAX: u64 = 1_000_000;
/// Files that a broker or a load has open besides its connections, and what brokers keep back for themselves; of a
/// low limit a quarter.
const RESERVE: u64 = 5_000;
/// The system lends some 28,000 ports of one address to connections with one address of a broker.
const ONE_SOURCE_MAX: u64 = 25_000;
/// Less than these, where ports are taken before it is known for which broker.
const PER_SOURCE: u64 = 20_000;

impl Scale {
    /// As much as the limit of open files, which a broker and each process of the load have, lets them.
    pub(crate) fn of_open_files(open_files_max: u64) -> Self {
        let connections = open_files_max - RESERVE.min(open_files_max / 4);
        Self { connections: connections.min(CONNECTIONS_MAX), connections_per_process: connections }
    }

    /// Local addresses to connect from; none: one address will do, which the system chooses.
    pub(crate) fn sources(self) -> Vec<IpAddr> {
        if self.connections <= ONE_SOURCE_MAX {
            return Vec::new();
        }
        let first = u32::from(Ipv4Addr::LOCALHOST);
        let addresses = u32::try_from(self.connections.div_ceil(PER_SOURCE)).unwrap_or(u32::MAX);
        (0..addresses).map(|number| IpAddr::V4(Ipv4Addr::from(first + number))).collect()
    }

    /// The first client of each process, and how many there are in it.
    pub(crate) fn shares(self) -> Vec<(u64, u64)> {
        let processes = self.connections.div_ceil(self.connections_per_process.max(1)).max(1);
        let border = |process| self.connections * process / processes;
        (0..processes).map(|it| (border(it), border(it + 1) - border(it))).collect()
    }
}

/// What the clients are that one process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Crowd {
    /// They connect, with sessions that end with their connections.
    Idle,
    /// They have lasting sessions with a subscription each.
    Subscribing,
    /// They come back to those.
    Returning,
}

impl Crowd {
    /// As the command line spells it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_opened_as_files_may_be() {
        let check = |open_files_max, connections| {
            assert_eq!(Scale::of_open_files(open_files_max).connections, connections);
        };
        check(1_024, 768);
        check(20_000, 15_000);
        check(1_048_576, 1_000_000);
        check(u64::MAX, 1_000_000);
    }

    #[test]
    fn many_come_from_several_addresses() {
        let check = |connections, addresses, last: Option<&str>| {
            let scale = Scale { connections, connections_per_process: connections };
            let sources = scale.sources();
            assert_eq!(sources.len(), addresses);
            assert_eq!(sources.last().map(ToString::to_string).as_deref(), last);
        };
        check(25_000, 0, None);
        check(25_001, 2, Some("127.0.0.2"));
        check(1_000_000, 50, Some("127.0.0.50"));
    }

    #[test]
    fn more_than_one_process_can_open_are_spread_evenly() {
        let check = |connections, connections_per_process, shares: &[(u64, u64)]| {
            assert_eq!(Scale { connections, connections_per_process }.shares(), shares);
        };
        check(15_000, 15_000, &[(0, 15_000)]);
        check(15_001, 15_000, &[(0, 7_500), (7_500, 7_501)]);
        check(10, 4, &[(0, 3), (3, 3), (6, 4)]);
    }
}
