//! Owns how a byte stream to the server is made. What flows over it is not known here.

use crate::{error::ConnectionError, options::Options};
use std::{future::Future, io, net::SocketAddr};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream, lookup_host},
};

/// A way to the server.
pub(crate) trait Transport: Clone + Send + Sync + 'static {
    /// An ordered, lossless stream of bytes in both directions `[MQTT5-4.2-1]` `[MQTT311-7.1.2-1]`.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin;

    /// Makes a stream to the server that the options name.
    fn connect(
        &self,
        options: &Options,
    ) -> impl Future<Output = Result<Self::Stream, ConnectionError>> + Send;
}

/// TCP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp;

impl Transport for Tcp {
    type Stream = TcpStream;

    /// Tries each address of the host until one answers.
    async fn connect(&self, options: &Options) -> Result<TcpStream, ConnectionError> {
        let place = format!("{}:{}", options.host, options.port);
        let addresses = resolve(&options.host, options.port).await;
        let addresses = addresses.map_err(|error| ConnectionError::network(&place, &error))?;
        let local = match &options.bind_address {
            None => Vec::new(),
            Some(host) => resolve(host, 0).await.map_err(|error| ConnectionError::network(host, &error))?,
        };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match connect(address, &local, options).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(ConnectionError::network(&place, &last))
    }
}

async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    lookup_host((host, port)).await.map(Iterator::collect)
}

async fn connect(address: SocketAddr, local: &[SocketAddr], options: &Options) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if options.bind_address.is_some() {
        let same_family = local.iter().find(|local| local.is_ipv4() == address.is_ipv4());
        let Some(&local) = same_family else {
            return Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "the local address is of another family",
            ));
        };
        socket.bind(local)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(options.tcp_no_delay)?;
    Ok(stream)
}
