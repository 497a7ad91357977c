//! Owns the broker's process: starting it, where it listens, killing it. Its load is made elsewhere.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use dunlin_load::{Process, Usage};

use crate::error::Error;

/// How a broker is started.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub(crate) program: PathBuf,
    /// Holds the data directory and the log.
    pub(crate) folder: PathBuf,
    pub(crate) storage: Storage,
    pub(crate) settings: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    Disk,
    Memory,
}

impl Storage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Memory => "memory",
        }
    }
}

/// A running broker; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the line that tells the address.
    pub(crate) started_in: Duration,
}

const ANNOUNCEMENT: &str = "mqttd listening on ";
const START_PATIENCE: Duration = Duration::from_secs(120);

impl Installation {
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Removes what another broker left, so that the next one begins with nothing.
    pub(crate) fn clear(&self) -> Result<(), Error> {
        match std::fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::machine("remove the data directory")(error))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn start(&self) -> Result<Daemon, Error> {
        let machine = Error::machine("start the broker");
        std::fs::create_dir_all(&self.folder).map_err(&machine)?;
        let log = File::options().create(true).append(true).open(self.log()).map_err(&machine)?;
        let mut command = Command::new(&self.program);
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(self.data());
        command.args(["--set", &format!("storage={}", self.storage.name())]);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::from(log));
        let begin = Instant::now();
        let child = command.spawn().map_err(&machine)?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        // From here on an error kills the process.
        let mut daemon = Daemon { child, address: unknown, started_in: Duration::ZERO };
        daemon.address = daemon.announced(&self.log())?;
        daemon.started_in = begin.elapsed();
        Ok(daemon)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("mqttd.log")
    }
}

impl Daemon {
    fn announced(&mut self, log: &Path) -> Result<SocketAddr, Error> {
        let output = self.child.stdout.take();
        let (sender, line) = sync_channel(1);
        thread::spawn(move || {
            let mut lines = output.into_iter().flat_map(|output| BufReader::new(output).lines());
            if let Some(Ok(line)) = lines.next() {
                // Nobody waits any more for a broker that took too long.
                let _ = sender.send(line);
            }
            // The pipe is read to its end, or the broker would wait for us.
            for _ in lines {}
        });
        let silent = |_| Error::Broker(format!("the broker does not listen; its log is {}", log.display()));
        let line = line.recv_timeout(START_PATIENCE).map_err(silent)?;
        let address = line.strip_prefix(ANNOUNCEMENT).and_then(|address| address.parse().ok());
        address.ok_or_else(|| Error::Broker(format!("the broker does not say where it listens: {line}")))
    }

    pub(crate) fn usage(&self) -> Result<Usage, Error> {
        Ok(Process::of(self.child.id()).usage()?)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
