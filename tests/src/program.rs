//! Owns running programs: their lines as they come, their end, and that none outlives its test. What they say is for
//! the tests to judge.

use crate::PATIENCE;
use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A running program. Dropped, it is killed; in a failing test its output is shown.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    /// Locked so that a test may share its broker between threads.
    lines: Mutex<Receiver<String>>,
    transcript: Arc<Mutex<String>>,
    /// Fills the transcript until the end of standard error.
    keeping: Option<JoinHandle<()>>,
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The lines of standard output that were not taken before.
    pub lines: Vec<String>,
    /// Standard error.
    pub errors: String,
}

/// Lines of standard output that wait for the test; more hold the program back.
const LINES_WAITING_MAX: usize = 300_000;

impl Program {
    /// Starts a program with pipes for standard input, output and error.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let transcript = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = sync_channel(LINES_WAITING_MAX);
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        thread::spawn(move || forward_lines(output, &sender));
        let kept = Arc::clone(&transcript);
        let keeping = Some(thread::spawn(move || keep(errors, &kept)));
        Self { name, child, lines: Mutex::new(lines), transcript, keeping }
    }

    /// The process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output.
    ///
    /// # Panics
    /// If none comes.
    #[track_caller]
    pub fn line(&mut self) -> String {
        match self.next_line(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("{} printed nothing in time", self.name),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("{} ended without another line: {}", self.name, self.errors())
            }
        }
    }

    fn next_line(&mut self, patience: Duration) -> Result<String, RecvTimeoutError> {
        self.lines.get_mut().expect("nobody panics while holding it").recv_timeout(patience)
    }

    /// Takes lines until one holds `text`, and returns that one.
    ///
    /// # Panics
    /// If none comes.
    #[track_caller]
    pub fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// What standard error held so far.
    ///
    /// # Panics
    /// Never: no thread panics while it holds the lock.
    #[must_use]
    pub fn errors(&self) -> String {
        self.transcript.lock().expect("nobody panics while holding it").clone()
    }

    /// Waits until standard error holds `text`.
    ///
    /// # Panics
    /// If it does not in time.
    #[track_caller]
    pub fn await_error(&self, text: &str) {
        until(&format!("{text:?} on standard error of {}", self.name), || {
            self.errors().contains(text).then_some(())
        });
    }

    /// Writes to standard input.
    ///
    /// # Panics
    /// If the program no longer reads.
    #[track_caller]
    pub fn write(&mut self, input: &[u8]) {
        let pipe = self.child.stdin.as_mut().expect("standard input is open");
        pipe.write_all(input).and_then(|()| pipe.flush()).expect("the program reads");
    }

    /// The writing end of standard input, to be written to from elsewhere; closed when dropped.
    ///
    /// # Panics
    /// If it was taken before.
    #[track_caller]
    pub fn take_input(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("standard input is open")
    }

    /// Sends a signal by name, such as `TERM` or `INT`.
    ///
    /// # Panics
    /// If there is no such signal, or the program has ended.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.id());
        let status = Command::new("sh").args(["-c", &script]).status().expect("a shell");
        assert!(status.success(), "{script}: {status}");
    }

    /// The exit status if the program has ended.
    ///
    /// # Panics
    /// If the system does not know.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    /// Closes standard input and awaits the end.
    ///
    /// # Panics
    /// If it does not come in time.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        drop(self.child.stdin.take());
        self.ended()
    }

    /// Waits for the end of a program that ends though its input goes on.
    ///
    /// # Panics
    /// If it does not come in time.
    #[track_caller]
    pub fn ended(mut self) -> Finished {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = Vec::new();
        loop {
            match self.next_line(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{} did not end in time; it printed {lines:#?} and {}", self.name, self.errors())
                }
            }
        }
        let status = self.child.wait().expect("a child of ours");
        if let Some(keeping) = self.keeping.take() {
            keeping.join().expect("it only copies");
        }
        Finished { code: status.code(), lines, errors: self.errors() }
    }

    /// The most memory the program has had resident so far, in bytes.
    ///
    /// # Panics
    /// If the program has ended.
    #[must_use]
    pub fn peak_memory_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.id());
        let status = std::fs::read_to_string(&path).expect("the program runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes * 1024
    }
}

impl Finished {
    /// The lines, if the program ended well.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn success(self) -> Vec<String> {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.lines
    }
}

fn forward_lines(output: Option<impl Read>, sender: &SyncSender<String>) {
    let Some(output) = output else { return };
    let mut reader = BufReader::new(output);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
        let line = String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned();
        bytes.clear();
        if sender.send(line).is_err() {
            return;
        }
    }
}

fn keep(errors: Option<impl Read>, transcript: &Mutex<String>) {
    let Some(errors) = errors else { return };
    for line in BufReader::new(errors).lines().map_while(Result::ok) {
        let mut transcript = transcript.lock().expect("nobody panics while holding it");
        // Writing to a String cannot fail.
        let _ = writeln!(transcript, "{line}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- standard error of {}:\n{}---", self.name, self.errors());
        }
    }
}

/// A program that ran to its end, without standard input.
impl From<&mut Command> for Finished {
    #[track_caller]
    fn from(command: &mut Command) -> Self {
        Program::start(command).finish()
    }
}

/// Waits until `condition` holds, asking again and again.
///
/// # Panics
/// If it does not come to hold in time.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what} did not happen in time");
        thread::park_timeout(Duration::from_millis(5));
    }
}
