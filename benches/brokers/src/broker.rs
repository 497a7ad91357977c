//! Owns what a broker is to the measurement: a program that may be installed, started with nothing kept, with so
//! many workers, on a free port. What each needs for that is in a file of its own.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dunlin_load::Target;

use crate::error::Error;

/// How a broker is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// Threads that serve clients, where the broker can be told.
    pub(crate) workers: usize,
    /// Connections that it has to take, where it has a limit of its own.
    pub(crate) connections: u64,
    pub(crate) backlog: Backlog,
}

/// What waits for clients that are slow or away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backlog {
    /// As little as the broker sees to without losing any: one that would drop may keep all.
    Lossless,
    /// All that a mode sends.
    Everything,
}

/// One kind of broker.
pub(crate) trait Broker {
    /// As the report and the command line name it.
    fn name(&self) -> &'static str;

    /// The program, if it is installed.
    fn program(&self) -> Option<PathBuf> {
        installed(self.name())
    }

    /// Its version, as it tells it.
    fn version(&self) -> String {
        version_of(self.program(), "--version")
    }

    /// Whether it can do what a mode needs.
    fn can(&self, need: Need) -> bool;

    /// The Keep Alive that its clients ask for: none, as pings are not what is measured.
    fn keep_alive_seconds(&self) -> u16 {
        0
    }

    /// What its program is told so that it listens on `address` and keeps what it writes below `folder`.
    ///
    /// # Errors
    /// Its configuration cannot be written.
    fn tell(
        &self,
        command: &mut Command,
        conditions: Conditions,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<(), Error>;
}

/// What not every broker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Mqtt311,
    Mqtt5,
    QoS2,
    /// Packet identifiers of its own: several publishers to one receiver at QoS 1 or 2.
    PacketIds,
    /// Wildcards, retained messages, sessions that last: more than forwarding.
    Sessions,
    SharedSubscriptions,
    /// More than one thread.
    Workers,
}

/// A broker that runs; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) keep_alive_seconds: u16,
    folder: tempfile::TempDir,
}

const START_PATIENCE: Duration = Duration::from_secs(20);

impl Running {
    /// Starts a broker and waits until it accepts a connection.
    pub(crate) fn start(broker: &dyn Broker, conditions: Conditions, folder: &Path) -> Result<Self, Error> {
        let machine = Error::machine("start a broker");
        fs::create_dir_all(folder).map_err(&machine)?;
        let folder = tempfile::TempDir::new_in(folder).map_err(&machine)?;
        let address = free_address().map_err(&machine)?;
        let mut command = Command::new(broker.program().unwrap_or_else(|| broker.name().into()));
        broker.tell(&mut command, conditions, address, folder.path())?;
        let log = File::create(folder.path().join("log")).map_err(&machine)?;
        let errors = log.try_clone().map_err(&machine)?;
        command.stdin(Stdio::null()).stdout(Stdio::from(log)).stderr(Stdio::from(errors));
        let child = command.spawn().map_err(&machine)?;
        let mut running = Self { child, address, keep_alive_seconds: broker.keep_alive_seconds(), folder };
        running.wait_listening(broker.name())?;
        Ok(running)
    }

    /// What a load is told of it.
    pub(crate) fn target(&self) -> Target {
        Target { keep_alive_seconds: self.keep_alive_seconds, ..Target::new(self.address) }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Where it keeps what it writes.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    #[expect(clippy::disallowed_methods, reason = "that a port is open is no event that can be waited for")]
    fn wait_listening(&mut self, name: &str) -> Result<(), Error> {
        let deadline = Instant::now() + START_PATIENCE;
        while TcpStream::connect(self.address).is_err() {
            let has_ended = self.child.try_wait().map_err(Error::machine("look after a broker"))?.is_some();
            if has_ended || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(Error::Broker(format!("{name} does not listen on {}:\n{log}", self.address)));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An address that nobody listens on now.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

/// Writes what a broker is told by a file, and gives its path.
pub(crate) fn configuration(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(Error::machine("write a configuration"))?;
    Ok(path)
}

/// A program on the path, or where Debian keeps servers.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(servers).map(|folder| folder.join(name)).find(|it| it.is_file())
}

/// The first line that a program prints of its version.
pub(crate) fn version_of(program: Option<PathBuf>, argument: &str) -> String {
    let output = program.and_then(|program| Command::new(program).arg(argument).output().ok());
    let text = output.map(|it| String::from_utf8_lossy(&[it.stdout, it.stderr].concat()).into_owned());
    let line = text.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
    line.unwrap_or("version unknown").trim().to_owned()
}
