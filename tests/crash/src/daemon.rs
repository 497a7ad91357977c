//! Owns the broker's process: starting it, reading where it listens, killing it, ending it, its log. When it is
//! killed is the round's business.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

/// How a broker is started.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub(crate) program: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) settings: Vec<String>,
}

/// A running broker; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    first_line: Receiver<String>,
    started: Instant,
    address: Option<(SocketAddr, Duration)>,
}

/// What the announcement begins with.
const ANNOUNCEMENT: &str = "mqttd listening on ";

impl Installation {
    /// Starts a process; its log goes behind that of the one before.
    pub(crate) fn start(&self, workers: usize) -> io::Result<Daemon> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command.args(["--listen", "127.0.0.1:0", "--workers", &workers.to_string(), "--data-dir"]);
        command.arg(&self.data);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        let started = Instant::now();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::from(log)).spawn()?;
        let output = child.stdout.take();
        let (sender, first_line) = sync_channel(1);
        thread::spawn(move || {
            let mut lines = output.into_iter().flat_map(|output| BufReader::new(output).lines());
            if let Some(Ok(line)) = lines.next() {
                // Nobody waits for the line of a process that was killed before it came.
                let _ = sender.send(line);
            }
            // The pipe is read to its end, or the broker would wait for us.
            for _ in lines {}
        });
        Ok(Daemon { child, first_line, started, address: None })
    }

    /// The lines of the log that tell of an error or a panic.
    pub(crate) fn errors(&self) -> io::Result<Vec<String>> {
        let mut errors = Vec::new();
        for line in BufReader::new(File::open(&self.log)?).lines() {
            let line = line?;
            if line.contains(" ERROR ") || line.contains("panicked at") {
                errors.push(line);
            }
        }
        Ok(errors)
    }

    /// What `mqttd journal verify` says of a data directory it does not accept.
    pub(crate) fn verify(&self) -> io::Result<Option<String>> {
        let output = Command::new(&self.program).args(["journal", "verify"]).arg(&self.data).output()?;
        if output.status.success() {
            return Ok(None);
        }
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        Ok(Some(format!("{}: {}", output.status, String::from_utf8_lossy(&text).trim())))
    }
}

impl Daemon {
    /// Where it listens, and how long it took to say so.
    pub(crate) fn address(&mut self, patience: Duration) -> Result<(SocketAddr, Duration), String> {
        if let Some(known) = self.address {
            return Ok(known);
        }
        let line = match self.first_line.recv_timeout(patience) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                return Err(format!("the broker does not listen after {} s", patience.as_secs()));
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait().map_or_else(|error| error.to_string(), |it| it.to_string());
                return Err(format!("the broker ended instead of listening: {status}"));
            }
        };
        let address = line.strip_prefix(ANNOUNCEMENT).and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| format!("the broker does not say where it listens: {line:?}"))?;
        Ok(*self.address.insert((address, self.started.elapsed())))
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Asks it to end and waits until it has; none if it does not in time.
    pub(crate) fn end(mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        if !asked.success() {
            return Err(io::Error::other(format!("kill -TERM: {asked}")));
        }
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            // The pipe closes when the process ends, which ends the wait early.
            let _ = self.first_line.recv_timeout(Duration::from_millis(100));
            thread::yield_now();
        }
        Ok(None)
    }

    /// How it ended, if it has by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
