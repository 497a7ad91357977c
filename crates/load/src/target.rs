//! Owns which broker a load is for, and as whom its clients come. What they do there is their business.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use mqtt_codec::ProtocolVersion;

/// The broker, and what all clients of a load have in common.
#[derive(Clone)]
pub struct Target {
    /// Where the broker listens.
    pub address: SocketAddr,
    /// Local addresses to connect from, in turn; empty: the system chooses. One address has some 28,000 ports
    /// for one address of a broker.
    pub sources: Vec<IpAddr>,
    /// What the clients speak.
    pub version: ProtocolVersion,
    /// The User Name of every client.
    pub user_name: Option<String>,
    /// The Password of every client. Before MQTT 5.0 it needs a user name.
    pub password: Option<Vec<u8>>,
    /// The Keep Alive of every client; 0: none, which some brokers refuse. Clients ping twice in that time, busy or
    /// not.
    pub keep_alive_seconds: u16,
    /// Stands before the name of each client: two loads at once need prefixes of their own.
    pub client_id_prefix: String,
}

impl Target {
    /// A broker that asks for no password, spoken to in 3.1.1.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            sources: Vec::new(),
            version: ProtocolVersion::V311,
            user_name: None,
            password: None,
            keep_alive_seconds: 0,
            client_id_prefix: String::new(),
        }
    }
}

/// Without the password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("address", &self.address)
            .field("sources", &self.sources)
            .field("version", &self.version)
            .field("user_name", &self.user_name)
            .field("keep_alive_seconds", &self.keep_alive_seconds)
            .field("client_id_prefix", &self.client_id_prefix)
            .finish_non_exhaustive()
    }
}

/// Whether a session outlives its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// It begins and ends with the connection.
    Connection,
    /// It is resumed if the broker has it, and kept: in 5.0 for a day after the connection ends, before 5.0 as
    /// long as the broker likes.
    Persistent,
}
