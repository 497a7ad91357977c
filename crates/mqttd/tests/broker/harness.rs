//! Owns a broker of its own for each test, and the sockets to it. What is said over them is the test's
//! business.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::bytes;

/// Longer than anything takes; reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running broker with a data directory of its own, killed when it is dropped.
pub(crate) struct Broker {
    process: Child,
    _data_dir: tempfile::TempDir,
    pub(crate) address: SocketAddr,
}

impl Broker {
    /// Starts a broker at a free port of this machine.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_mqttd")), arguments)
    }

    /// Starts a broker that may have so many file descriptors open.
    pub(crate) fn start_with_descriptors(descriptors: u32, arguments: &[&str]) -> Self {
        let mut shell = Command::new("/bin/sh");
        let script = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_mqttd")]);
        Self::start_by(shell, arguments)
    }

    fn start_by(mut command: Command, arguments: &[&str]) -> Self {
        let data_dir = tempfile::tempdir().expect("a directory");
        let mut process = command
            .arg("--data-dir")
            .arg(data_dir.path())
            .args(["--listen", "127.0.0.1:0", "--log-level", "warn"])
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the daemon starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("the daemon says where it listens");
        let address = line
            .trim_end()
            .strip_prefix("mqttd listening on ")
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("{line:?} names no address"));
        Self { process, _data_dir: data_dir, address }
    }

    /// A new connection that has said nothing.
    pub(crate) fn open(&self) -> Peer {
        let socket = TcpStream::connect(self.address).expect("the broker accepts");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        socket.set_write_timeout(Some(PATIENCE)).expect("a socket");
        socket.set_nodelay(true).expect("a socket");
        Peer { socket }
    }

    /// A 3.1.1 client that has connected.
    pub(crate) fn connect(&self, client_id: &str) -> Peer {
        let mut peer = self.open();
        peer.send(&bytes::connect_v311(client_id));
        peer.expect(bytes::CONNACK_V311);
        peer
    }

    /// A 3.1.1 client that has connected and subscribed to one filter.
    pub(crate) fn subscriber(&self, client_id: &str, filter: &str, qos: u8) -> Peer {
        let mut peer = self.connect(client_id);
        peer.send(&bytes::subscribe_v311(1, filter, qos));
        peer.expect(&[0x90, 3, 0, 1, qos]);
        peer
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let outcome = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(outcome.is_ok_and(|status| status.success()), "the broker takes a signal");
    }

    /// Waits until the broker has ended by itself.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.process.wait().expect("the broker ends")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One end of a connection to the broker.
pub(crate) struct Peer {
    pub(crate) socket: TcpStream,
}

impl Peer {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).expect("the broker reads");
    }

    /// Receives exactly these bytes next.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &[u8]) {
        let mut received = vec![0; expected.len()];
        let mut count = 0;
        while count < expected.len() {
            match self.socket.read(&mut received[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) => {
                    let missing = start(&expected[count..]);
                    panic!("{error} after {count} of {} bytes, expected {missing:02x?}", expected.len());
                }
            }
        }
        let same =
            received.iter().zip(expected).take(count).take_while(|(got, wanted)| got == wanted).count();
        assert!(
            same == expected.len(),
            "received {:02x?}, expected {:02x?}, after {same} of {} bytes as expected",
            start(&received[same..count]),
            start(&expected[same..]),
            expected.len(),
        );
    }

    /// Receives one packet: its first byte and what follows its length.
    #[track_caller]
    pub(crate) fn receive(&mut self) -> (u8, Vec<u8>) {
        let [first] = self.read();
        let (mut length, mut shift) = (0, 0);
        loop {
            let [byte] = self.read();
            length |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body).expect("the rest of a packet");
        (first, body)
    }

    /// Receives the end of the connection, in order and not as a reset, and nothing before it.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let mut more = [0; 16];
        match self.socket.read(&mut more) {
            Ok(0) => {}
            Ok(count) => panic!("received {:02x?}, not the end", &more[..count]),
            Err(error) => panic!("{error}, not the end"),
        }
    }

    /// Receives the end of the connection in whatever way.
    #[track_caller]
    pub(crate) fn expect_gone(&mut self) {
        let mut more = [0; 16];
        match self.socket.read(&mut more) {
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            outcome => panic!("{outcome:?}, not the end"),
        }
    }

    /// Exchanges a ping: whatever was sent before has been handled then.
    #[track_caller]
    pub(crate) fn ping(&mut self) {
        self.send(bytes::PINGREQ);
        self.expect(bytes::PINGRESP);
    }

    #[track_caller]
    fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.socket.read_exact(&mut bytes).expect("another packet");
        bytes
    }
}

/// As much of some bytes as a person reads.
fn start(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(40)]
}
