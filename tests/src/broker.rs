//! Owns a running mqttd: started on a free port in a directory of its own, killed at the end, its log shown when a
//! test fails. What it does is for the tests to say.

use crate::{
    program::{Finished, Program},
    tools::{binary, external},
    wire::Wire,
};
use mqtt_codec::ProtocolVersion;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
};
use tempfile::TempDir;

/// Settings as `--set` takes them.
pub type Settings<'a> = &'a [(&'a str, &'a str)];

/// A running mqttd.
#[derive(Debug)]
pub struct Broker {
    program: Option<Program>,
    address: SocketAddr,
    home: Option<Home>,
}

/// The directory that a broker works in and keeps its data in. It outlives the broker, to be looked at or to be given
/// to another.
#[derive(Debug)]
pub struct Home(TempDir);

impl Home {
    /// An empty one.
    ///
    /// # Panics
    /// If the system has no room for it.
    #[must_use]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where a broker keeps its data that is not told otherwise.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.path().join("mqttd-data")
    }

    /// mqttd, to be run here.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary("mqttd"));
        command.current_dir(self.path());
        command
    }

    /// Starts a broker that is expected to refuse.
    ///
    /// # Panics
    /// If it does not end.
    #[must_use]
    pub fn start_refused(&self, settings: Settings<'_>) -> Finished {
        Finished::from(serve(&mut self.command(), 1, settings))
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Broker {
    /// A broker with the defaults and one worker.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::with(1, &[])
    }

    /// A broker with so many workers and these settings.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with(workers: usize, settings: Settings<'_>) -> Self {
        Self::at(Home::new(), workers, settings)
    }

    /// The same with what an earlier broker has left behind.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn at(home: Home, workers: usize, settings: Settings<'_>) -> Self {
        let mut command = home.command();
        serve(&mut command, workers, settings);
        Self::run(home, &mut command)
    }

    /// The same whose files may have at most so many kibibytes, until somebody raises the limit.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with_small_files(kibibytes: u32, workers: usize, settings: Settings<'_>) -> Self {
        let home = Home::new();
        let mut command = Command::new("sh");
        // In units of 512 bytes.
        let script = format!("ulimit -S -f {}; exec \"$0\" \"$@\"", kibibytes * 2);
        command.args(["-c", &script]).arg(binary("mqttd")).current_dir(home.path());
        serve(&mut command, workers, settings);
        Self::run(home, &mut command)
    }

    /// The same whose data is on a file system of its own, in memory, that has room for so many mebibytes and goes with
    /// the broker. None where this user may mount nothing, not even in a name space of its own.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn on_small_disk(mebibytes: u32, workers: usize, settings: Settings<'_>) -> Option<Self> {
        let home = Home::new();
        std::fs::create_dir(home.data_dir()).expect("room");
        let script = format!("mount -t tmpfs -o size={mebibytes}m tmpfs mqttd-data && exec \"$0\" \"$@\"");
        let within = |name_space: &str, program: &Path| {
            let mut command = Command::new("unshare");
            command.args([name_space, "sh", "-c", &script]).arg(program).current_dir(home.path());
            command
        };
        // As the root of a name space of users, which most systems let anybody be, or as the real one.
        let may_mount =
            |name_space: &&str| Finished::from(&mut within(name_space, Path::new("true"))).code == Some(0);
        external("unshare")?;
        let name_space = ["--map-root-user", "--mount"].into_iter().find(may_mount)?;
        let mut command = within(name_space, &binary("mqttd"));
        serve(&mut command, workers, settings);
        Some(Self::run(home, &mut command))
    }

    fn run(home: Home, command: &mut Command) -> Self {
        let mut program = Program::start(command);
        let line = program.line();
        let address = line.strip_prefix("mqttd listening on ").and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("mqttd does not say where it listens: {line:?}"));
        Self { program: Some(program), address, home: Some(home) }
    }

    /// The next line of standard output behind the one that names the address.
    ///
    /// # Panics
    /// If there is none.
    pub fn line(&mut self) -> String {
        self.program.as_mut().expect("the broker runs").line()
    }

    /// Where its data is.
    ///
    /// # Panics
    /// Never while it runs.
    #[must_use]
    pub fn home(&self) -> &Home {
        self.home.as_ref().expect("it is given away at the end alone")
    }

    /// Kills it without a warning and gives its data.
    ///
    /// # Panics
    /// If it has ended before.
    #[must_use]
    pub fn kill(mut self) -> Home {
        let program = self.program.take().expect("the broker runs");
        program.signal("KILL");
        let finished = program.finish();
        assert_eq!(finished.code, None, "it had ended by itself: {finished:#?}");
        self.home.take().expect("it is given away at the end alone")
    }

    /// Has it end and gives its data.
    ///
    /// # Panics
    /// If it does not end well.
    #[must_use]
    pub fn stop(self) -> Home {
        self.program().signal("TERM");
        self.stopped()
    }

    /// Awaits the end of a broker that was told to end, and gives its data.
    ///
    /// # Panics
    /// If it does not end well.
    #[must_use]
    pub fn stopped(mut self) -> Home {
        let program = self.program.take().expect("the broker runs");
        let finished = program.finish();
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        self.home.take().expect("it is given away at the end alone")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on, as command lines take it.
    #[must_use]
    pub fn port(&self) -> String {
        self.address.port().to_string()
    }

    /// The process.
    ///
    /// # Panics
    /// If it has ended.
    #[must_use]
    pub fn program(&self) -> &Program {
        self.program.as_ref().expect("the broker runs")
    }

    /// A peer whose CONNECT is still to be sent.
    ///
    /// # Panics
    /// If the broker does not accept the connection.
    #[must_use]
    pub fn open(&self, version: ProtocolVersion) -> Wire {
        Wire::open(self.address, version)
    }

    /// A peer that is connected with a session of its own, which ends with the connection.
    ///
    /// # Panics
    /// If the broker refuses.
    #[must_use]
    pub fn connect(&self, version: ProtocolVersion, client_id: &str) -> Wire {
        let mut wire = self.open(version);
        let connack = wire.connect(&format!("10 # vv 02 0000 () '{client_id}'"));
        assert!(!connack.session_present && !connack.reason.is_error(), "{connack:?}");
        wire
    }

    /// A peer that is connected with a new session that outlives the connection.
    ///
    /// # Panics
    /// If there was such a session.
    #[track_caller]
    #[must_use]
    pub fn connect_lasting(&self, version: ProtocolVersion, client_id: &str) -> Wire {
        let (wire, session_present) = self.connect_unclean(version, client_id);
        assert!(!session_present, "{client_id} had a session before");
        wire
    }

    /// A peer that continues its session of before.
    ///
    /// # Panics
    /// If there was no such session.
    #[track_caller]
    #[must_use]
    pub fn resume(&self, version: ProtocolVersion, client_id: &str) -> Wire {
        let (wire, session_present) = self.connect_unclean(version, client_id);
        // MQTT 3.1 cannot tell.
        assert!(session_present || version == ProtocolVersion::V31, "{client_id} had no session before");
        wire
    }

    #[track_caller]
    fn connect_unclean(&self, version: ProtocolVersion, client_id: &str) -> (Wire, bool) {
        let mut wire = self.open(version);
        let connack = wire.connect(&format!("10 # vv 00 0000 (11 ffffffff) '{client_id}'"));
        assert!(!connack.reason.is_error(), "{connack:?}");
        (wire, connack.session_present)
    }

    /// Awaits the end of a broker that was told to end.
    ///
    /// # Panics
    /// If it does not come in time.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        self.program.take().expect("the broker runs").finish()
    }
}

/// The arguments of a broker that serves at a free port.
fn serve<'a>(command: &'a mut Command, workers: usize, settings: Settings<'_>) -> &'a mut Command {
    command.args(["--listen", "127.0.0.1:0", "--workers", &workers.to_string()]);
    for (key, value) in settings {
        command.args(["--set", &format!("{key}={value}")]);
    }
    command
}

impl Drop for Broker {
    fn drop(&mut self) {
        let Some(mut program) = self.program.take() else { return };
        if thread::panicking() {
            return;
        }
        let errors = program.errors();
        assert!(!errors.contains("panicked at"), "the broker panicked:\n{errors}");
        if let Some(status) = program.status() {
            panic!("the broker ended by itself ({status}):\n{errors}");
        }
    }
}
