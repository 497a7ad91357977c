//! Owns finding the address of a server by its name: the first one that answers. Who connects to it is not its
//! business.

use crate::error::{Error, ErrorKind};
use std::{
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// The address of `host`. Several are tried, in the order of the system: `localhost` may be `::1` first, where nobody
/// listens.
pub(super) fn address(host: &str, port: u16) -> Result<SocketAddr, Error> {
    let unreachable = |what| Error::remote(ErrorKind::Unreachable, format!("cannot connect: {what}"));
    let addresses = (host, port).to_socket_addrs();
    let addresses: Vec<_> = addresses.map_err(|error| unreachable(format!("{host}: {error}")))?.collect();
    let answers = |address: &&SocketAddr| TcpStream::connect_timeout(address, PATIENCE).is_ok();
    let found = match &addresses[..] {
        [only] => Some(only),
        several => several.iter().find(answers).or(several.first()),
    };
    found.copied().ok_or_else(|| unreachable(format!("{host} has no address")))
}
