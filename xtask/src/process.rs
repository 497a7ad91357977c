//! Owns running child processes: a clean environment, their output line by line, a limit on their time.
//! It does not judge what they print.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Verdict;
use crate::error::Error;

/// How a child process ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) end: End,
    /// In the order in which the lines arrived.
    pub(crate) lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    /// The process said that it failed, or died by a signal.
    Failure(ExitStatus),
    /// The process was killed because it took longer than this.
    TimeLimit(Duration),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) source: Source,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    StandardOutput,
    StandardError,
}

/// Whether the lines of a child are also shown as they arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    Silent,
    Live,
    /// Only standard error, where standard output is meant for a program.
    Diagnostics,
}

/// The `cargo` that started us (or the one on the PATH), at the root of the workspace.
pub(crate) fn cargo(root: &Path) -> Command {
    command(&env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), root)
}

/// A command that does not inherit what `cargo run` told us about our own package.
pub(crate) fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Runs the command to its end and collects its output, at most for `limit`.
///
/// The end is that of the process itself: a grandchild that outlives it and keeps the pipes open is not waited for.
pub(crate) fn run(command: &mut Command, limit: Duration, echo: Echo) -> Result<Finished, Error> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| Error::Start { program: program(command), source })?;
    let (sender, receiver) = sync_channel(LINES_PENDING_MAX);
    forward(child.stdout.take(), Source::StandardOutput, sender.clone());
    forward(child.stderr.take(), Source::StandardError, sender);

    let lost = |source| Error::Wait { program: program(command), source };
    let deadline = Instant::now() + limit;
    let mut lines = Vec::new();
    loop {
        match receiver.recv_timeout(QUIET) {
            Ok(line) => {
                show(echo, &line);
                lines.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                if child.try_wait().map_err(lost)?.is_some() {
                    break;
                }
            }
        }
        if Instant::now() >= deadline {
            kill(&mut child);
            return Ok(Finished { end: End::TimeLimit(limit), lines });
        }
    }
    let status = child.wait().map_err(lost)?;
    let end = if status.success() { End::Success } else { End::Failure(status) };
    Ok(Finished { end, lines })
}

/// Runs the command with our own terminal, for output that is meant to be watched.
pub(crate) fn run_in_view(command: &mut Command) -> Result<Verdict, Error> {
    let status = command.status().map_err(|source| Error::Start { program: program(command), source })?;
    Ok(if status.success() { Verdict::Good } else { Verdict::Bad })
}

/// The command as a person would type it: bare program name, arguments that hold spaces in quotes.
pub(crate) fn shown(command: &Command) -> String {
    let mut words = vec![program(command)];
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let plain = !argument.is_empty() && !argument.contains([' ', '*', '"', '\'']);
        words.push(if plain { argument.into_owned() } else { format!("'{argument}'") });
    }
    words.join(" ")
}

fn program(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned()
}

fn forward(pipe: Option<impl Read + Send + 'static>, source: Source, sender: SyncSender<Line>) {
    let Some(pipe) = pipe else { return };
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            bytes.clear();
            if sender.send(Line { source, text }).is_err() {
                return;
            }
        }
    });
}

fn show(echo: Echo, line: &Line) {
    match (echo, line.source) {
        (Echo::Live, _) | (Echo::Diagnostics, Source::StandardError) => println!("    {}", line.text),
        (Echo::Silent, _) | (Echo::Diagnostics, Source::StandardOutput) => {}
    }
}

fn kill(child: &mut Child) {
    // Both can only fail when the process has ended by itself meanwhile, which is what is wanted.
    drop(child.kill());
    drop(child.wait());
}

/// A full pipe holds the child back until we have read on.
const LINES_PENDING_MAX: usize = 1024;

/// How long both pipes must stay silent before we look whether the process is still there.
const QUIET: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Finished {
        let mut command = command("sh", Path::new("."));
        command.args(["-c", script]);
        run(&mut command, limit, Echo::Silent).expect("a shell starts")
    }

    #[test]
    fn the_output_of_both_pipes_is_collected_with_its_source() {
        let mut finished = shell("echo one; echo two >&2; printf three", Duration::from_secs(60));
        finished.lines.sort_by_key(|line| line.text.clone());
        let line = |source, text: &str| Line { source, text: text.to_owned() };
        let expected = [
            line(Source::StandardOutput, "one"),
            line(Source::StandardOutput, "three"),
            line(Source::StandardError, "two"),
        ];
        assert_eq!(finished.lines, expected);
        assert_eq!(finished.end, End::Success);
    }

    #[test]
    fn a_bad_exit_code_is_a_failure() {
        assert!(
            matches!(shell("exit 3", Duration::from_secs(60)).end, End::Failure(status) if status.code() == Some(3))
        );
    }

    #[test]
    fn a_process_over_its_time_is_killed_and_keeps_what_it_printed() {
        let limit = Duration::from_millis(1);
        let finished = shell("echo started; exec cat /dev/zero > /dev/null", limit);
        assert_eq!(finished.end, End::TimeLimit(limit));
    }

    #[test]
    fn a_grandchild_that_keeps_the_pipe_open_is_not_waited_for() {
        let finished = shell("sleep 20 & echo $!", Duration::from_secs(15));
        assert_eq!(finished.end, End::Success);
        let [grandchild] = finished.lines.as_slice() else { panic!("{:?}", finished.lines) };
        // Fails if it is gone already, and then it was waited for.
        assert_eq!(shell(&format!("kill {}", grandchild.text), Duration::from_secs(15)).end, End::Success);
    }

    #[test]
    fn a_missing_program_is_named() {
        let mut command = command("no-such-program-here", Path::new("."));
        let error = run(&mut command, Duration::from_secs(60), Echo::Silent).expect_err("it does not exist");
        assert!(error.to_string().starts_with("cannot start `no-such-program-here`: "), "{error}");
    }
}
