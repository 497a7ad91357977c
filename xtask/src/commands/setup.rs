//! Owns `cargo xtask setup`: the list of tools and what is said about each. How a tool is installed is in the tool's
//! own file.

mod apt;
mod brokers;
mod fuzzing;
mod mosquitto;
mod mqtt_js;
mod paho;

use crate::Verdict;
use crate::error::Error;
use crate::process::{self, Echo, End};
use crate::workspace::Workspace;

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Install the tools that tests want and a Rust toolchain does not bring.
///
/// mosquitto and its clients come from apt; the Python client paho-mqtt and the Node client MQTT.js come from pip and
/// npm, in fixed versions, into target/interop of the workspace, where nothing else sees them. Tools for fuzzing are
/// only looked for. What is already there is left alone. The exit code is 1 if an installation that should have
/// worked did not; a machine without apt, pip or npm is not a failure.
///
/// No test wants what `--bench` installs: nats-server and strace come from apt, rumqttd is built by cargo, in a fixed
/// version, in target/peers of the workspace, where `cargo xtask bench brokers` finds it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Install the brokers that ours is compared with, too, and what counts system calls.
    #[arg(long)]
    bench: bool,
}

/// What became of one tool.
#[derive(Debug)]
enum State {
    Present(String),
    Installed(String),
    /// This machine lacks what installs it; the text says what that is.
    Impossible(String),
    /// The installer ran and failed; the text is its output.
    Failed(String),
}

/// A tool, and the function that makes sure of it.
type Tool = (&'static str, fn(&Workspace) -> Result<State, Error>);

const TOOLS: [Tool; 5] = [
    ("mosquitto", mosquitto::ensure),
    ("paho-mqtt", paho::ensure),
    ("MQTT.js", mqtt_js::ensure),
    ("nightly Rust", fuzzing::nightly),
    ("cargo-fuzz", fuzzing::cargo_fuzz),
];

/// What `--bench` adds.
const BENCH_TOOLS: [Tool; 4] = [
    ("nats-server", brokers::nats),
    ("rumqttd", brokers::rumqttd),
    ("FlashMQ", brokers::flashmq),
    ("strace", brokers::strace),
];

pub(crate) fn run(args: &Args) -> Result<Verdict, Error> {
    let workspace = Workspace::load()?;
    let mut verdict = Verdict::Good;
    let more: &[Tool] = if args.bench { &BENCH_TOOLS } else { &[] };
    for &(name, ensure) in TOOLS.iter().chain(more) {
        match ensure(&workspace)? {
            State::Present(what) => println!("{name}: already there, {what}"),
            State::Installed(what) => println!("{name}: installed, {what}"),
            State::Impossible(why) => println!("{name}: not installed, {why}"),
            State::Failed(output) => {
                println!("{name}: FAILED to install\n{output}");
                verdict = Verdict::Bad;
            }
        }
    }
    Ok(verdict)
}

/// Runs an installer and gives its output if it failed.
fn install(command: &mut Command) -> Result<Result<(), String>, Error> {
    println!("running {}", process::shown(command));
    let finished = process::run(command, INSTALL_TIME_MAX, Echo::Silent)?;
    match finished.end {
        End::Success => Ok(Ok(())),
        End::Failure(_) | End::TimeLimit(_) => {
            let lines: Vec<String> = finished.lines.iter().map(|line| format!("    {}", line.text)).collect();
            Ok(Err(lines.join("\n")))
        }
    }
}

/// A program on the PATH, or where Debian puts daemons: a user's PATH often lacks those.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let daemons = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(daemons).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether the command can be started and succeeds.
fn succeeds(program: &str, arguments: &[&str], workspace: &Workspace) -> bool {
    let mut command = process::command(program, &workspace.root);
    command.args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Building a broker takes the longest.
const INSTALL_TIME_MAX: Duration = Duration::from_secs(30 * 60);
