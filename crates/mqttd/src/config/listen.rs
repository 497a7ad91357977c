//! Owns what a listen address is. Opening it is the listener's business.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::str::FromStr;

/// Where clients are accepted: an IP address and a port; port 0 lets the system pick one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenAddress(pub(crate) SocketAddr);

impl ListenAddress {
    /// The port that is registered for MQTT, for this machine only.
    pub(super) const DEFAULT: Self = Self(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1883)));

    /// Whether only this machine can reach it.
    pub(crate) fn is_loopback(self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }

    /// Whether two listeners on this address would be in each other's way.
    pub(super) fn is_exclusive(self) -> bool {
        self.0.port() != 0
    }
}

/// The text is no IP address with a port. Names are refused: what they resolve to would decide who
/// can reach us.
#[derive(Debug)]
pub(crate) struct NotAnAddress;

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        text.parse().map(Self).map_err(|_| NotAnAddress)
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_loopback() {
        for (text, loopback) in [
            ("127.0.0.1:1883", true),
            ("127.9.9.9:0", true),
            ("[::1]:1883", true),
            ("[::ffff:127.0.0.1]:1883", true),
            ("0.0.0.0:1883", false),
            ("[::]:1883", false),
            ("192.0.2.1:1883", false),
            ("[::ffff:192.0.2.1]:1883", false),
        ] {
            let address: ListenAddress = text.parse().expect("an address");
            assert_eq!(address.is_loopback(), loopback, "{text}");
        }
    }

    #[test]
    fn anything_but_an_ip_address_with_a_port_is_refused() {
        for text in [
            "",
            "1883",
            ":1883",
            "127.0.0.1",
            "::1:1883",
            "localhost:1883",
            "127.0.0.1:65536",
            "127.0.0.1:1883 ",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text:?}");
        }
    }
}
