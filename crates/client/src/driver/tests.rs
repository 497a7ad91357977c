//! Owns a scripted server in memory for tests of whole clients. Time is paused: it passes only when all wait.

mod connecting;
mod delivering;
mod leaving;
mod publishing;

use super::Start;
use crate::{
    error::ConnectionError,
    event::{Event, Events},
    handle::{Client, Connector},
    options::{Backoff, Options, Reconnect},
    testing::{connack, describe},
    transport::Transport,
};
use bytes::{Buf, Bytes, BytesMut};
use mqtt_codec::{Packet, Property, ProtocolVersion};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// A transport whose other ends a test takes. Without anybody to take them, connecting fails.
#[derive(Clone)]
struct Pipes(mpsc::Sender<DuplexStream>);

impl Transport for Pipes {
    type Stream = DuplexStream;

    async fn connect(&self, _options: &Options) -> Result<DuplexStream, ConnectionError> {
        let (client, server) = duplex(4 << 10);
        let refused = || ConnectionError::network("memory", &io::ErrorKind::ConnectionRefused.into());
        self.0.try_send(server).map_err(|_| refused())?;
        Ok(client)
    }
}

/// A client with the servers it connects to.
struct World {
    servers: mpsc::Receiver<DuplexStream>,
    version: ProtocolVersion,
    events: Events,
    driver: JoinHandle<()>,
}

/// The server's end of one connection.
struct Server {
    stream: DuplexStream,
    input: BytesMut,
    version: ProtocolVersion,
}

/// Options of a client called "c" that does not ping and reconnects after a second at most.
fn options() -> Options {
    let backoff =
        Backoff { initial: Duration::from_secs(1), maximum: Duration::from_secs(1), attempts_max: None };
    Options::to("localhost", 1883).client_id("c").keep_alive_seconds(0).reconnect(Reconnect::Backoff(backoff))
}

/// A client that connects in the background.
fn start(options: Options) -> (Client, World) {
    let version = options.version;
    start_connector(Connector::new(options), version, Start::Background)
}

/// A client that connects once, and how that went.
fn connect(options: Options) -> (Client, World, oneshot::Receiver<Result<(), ConnectionError>>) {
    let (sender, first) = oneshot::channel();
    let version = options.version;
    let (client, world) = start_connector(Connector::new(options), version, Start::Once(sender));
    (client, world, first)
}

fn start_connector(connector: Connector, version: ProtocolVersion, start: Start) -> (Client, World) {
    let (sender, servers) = mpsc::channel(8);
    let events = connector.events();
    let (client, run) = connector.prepare(Pipes(sender), start);
    (client, World { servers, version, events, driver: tokio::spawn(run) })
}

/// Waits an hour at most. As time passes only when all wait, a test that would hang fails at once.
async fn patiently<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(3_600), future).await.expect("something happens within an hour")
}

impl World {
    /// The next connection, before CONNECT.
    async fn connection(&mut self) -> Server {
        let stream = patiently(self.servers.recv()).await.expect("the client connects");
        Server { stream, input: BytesMut::new(), version: self.version }
    }

    /// The next connection, accepted with this CONNACK.
    async fn accept<const N: usize>(
        &mut self,
        session_present: bool,
        properties: [Property<'_>; N],
    ) -> Server {
        let mut server = self.connection().await;
        let connect = server.line().await;
        assert!(connect.starts_with("CONNECT"), "{connect}");
        server.send(connack(session_present, properties)).await;
        server
    }

    /// Events as lines until one begins like this.
    async fn events_until(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(event) = patiently(self.events.next()).await {
            lines.push(describe_event(event));
            if lines.last().is_some_and(|line| line.starts_with(last)) {
                return lines;
            }
        }
        panic!("no event {last:?} after {lines:?}");
    }
}

fn describe_event(event: Event) -> String {
    match event {
        Event::Connected(connected) => format!("connected, session present: {}", connected.session_present),
        Event::Disconnected(error) => format!("disconnected: {error}"),
        Event::Reconnecting { attempt, .. } => format!("reconnecting: {attempt}"),
        Event::Resubscribed(filters) => format!("resubscribed: {filters:?}"),
        Event::Unmatched(message) => format!("unmatched: {}", message.topic),
        Event::Missed(count) => format!("missed: {count}"),
        Event::Closed(None) => "closed".to_owned(),
        Event::Closed(Some(error)) => format!("closed: {error}"),
    }
}

impl Server {
    /// The next packet as a line; "end" when the client has closed.
    async fn line(&mut self) -> String {
        loop {
            let bytes = Bytes::copy_from_slice(&self.input);
            if let Some((packet, bytes)) = Packet::decode_first(&bytes, self.version, u32::MAX).unwrap() {
                self.input.advance(bytes);
                return describe(&packet);
            }
            match patiently(self.stream.read_buf(&mut self.input)).await {
                Ok(bytes) if bytes > 0 => {}
                Ok(_) | Err(_) => return "end".to_owned(),
            }
        }
    }

    #[track_caller]
    fn expect<const N: usize>(&mut self, expected: [&str; N]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            for expected in expected {
                assert_eq!(self.line().await, expected, "{place}");
            }
        }
    }

    async fn send(&mut self, packet: Packet) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }
}
