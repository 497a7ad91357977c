//! Owns running `mqttctl` as a process and what it leaves behind. What it talks to is not known here.

use std::{
    io::{Read, Write},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long a process may take that should have ended; only a broken one takes it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `mqttctl`.
pub(crate) struct Process {
    child: Child,
}

/// What a process that has ended leaves.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Runs `mqttctl` with these words, separated by blanks.
    pub(crate) fn start(words: &str) -> Self {
        Self::start_with(&words.split(' ').collect::<Vec<_>>())
    }

    /// Runs `mqttctl` with these arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_mqttctl"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Writes all of its standard input.
    pub(crate) fn input(&mut self, text: &str) -> &mut Self {
        self.stdin().write_all(text.as_bytes()).unwrap();
        self.child.stdin = None;
        self
    }

    /// Its standard input.
    pub(crate) fn stdin(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().unwrap()
    }

    /// Its standard output; dropping it closes the pipe.
    pub(crate) fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    /// Its standard error.
    pub(crate) fn take_stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    /// Sends a signal by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.child.id().to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        let stdout = read(self.child.stdout.take());
        let stderr = read(self.child.stderr.take());
        let texts = stdout
            .recv_timeout(PATIENCE)
            .and_then(|stdout| stderr.recv_timeout(PATIENCE).map(|stderr| (stdout, stderr)));
        let Ok((stdout, stderr)) = texts else {
            panic!("mqttctl did not end");
        };
        Finished { code: self.child.wait().unwrap().code(), stdout, stderr }
    }
}

/// A test that fails leaves nothing running behind.
impl Drop for Process {
    fn drop(&mut self) {
        // It has ended, as a rule.
        let _ = self.child.kill();
    }
}

/// Reads to the end beside the caller.
fn read(source: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut source) = source {
            source.read_to_end(&mut text).unwrap();
        }
        // The test may have given up.
        let _ = sender.send(String::from_utf8(text).unwrap());
    });
    receiver
}

/// The outcome of a command that did all it was asked, and said this on standard output.
pub(crate) fn success(stdout: &str) -> Finished {
    Finished { code: Some(0), stdout: stdout.to_owned(), stderr: String::new() }
}

/// The outcome of a command that printed nothing but this on standard error.
pub(crate) fn failure(code: i32, stderr: &str) -> Finished {
    Finished { code: Some(code), stdout: String::new(), stderr: stderr.to_owned() }
}
