//! The process that holds connections open, against the relay.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

/// Ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Either may fail if it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> Ended {
    Ended(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it is built"))
}

/// A relay, and where it listens.
fn relay() -> (Ended, String) {
    let mut relay = start(Command::new(env!("CARGO_BIN_EXE_relay")).arg("127.0.0.1:0"));
    let mut line = String::new();
    let mut told = BufReader::new(relay.0.stdout.take().expect("it is piped"));
    told.read_line(&mut line).expect("it tells where it listens");
    let address = line.split_whitespace().last().expect("an address").to_owned();
    (relay, address)
}

#[track_caller]
fn holds(crowd: &str, sources: &[&str]) {
    let (_relay, address) = relay();
    let mut command = Command::new(env!("CARGO_BIN_EXE_broker-bench"));
    command.args(["hold", &address, "--crowd", crowd, "--first", "10", "--count", "20"]);
    command.args(sources);
    let mut holder = start(&mut command);
    let mut orders = holder.0.stdin.take().expect("it is piped");
    let mut told = BufReader::new(holder.0.stdout.take().expect("it is piped")).lines();
    let mut next = || told.next().expect("a line").expect("text");
    assert_eq!(next(), "prepared");
    orders.write_all(b"\n").expect("it listens");
    assert_eq!(next(), "connected");
    // Nobody is left to tell it more.
    drop(orders);
    assert!(holder.0.wait().expect("it ends").success());
}

#[test]
fn clients_are_held_until_there_is_nobody_left_to_order() {
    holds("idle", &[]);
    holds("subscribing", &[]);
    holds("returning", &[]);
}

// Only Linux has all of 127.0.0.0/8.
#[cfg(target_os = "linux")]
#[test]
fn clients_come_from_several_addresses() {
    holds("idle", &["--source", "127.0.0.1,127.0.0.2,127.0.0.3"]);
}

#[test]
fn a_broker_that_is_not_there_ends_the_process() {
    let (relay, address) = relay();
    drop(relay);
    let mut command = Command::new(env!("CARGO_BIN_EXE_broker-bench"));
    command.args(["hold", &address, "--crowd", "idle", "--first", "0", "--count", "1"]);
    let mut holder = start(command.stderr(Stdio::null()));
    let orders = holder.0.stdin.as_mut().expect("it is piped");
    orders.write_all(b"\n").expect("it listens");
    assert_eq!(holder.0.wait().expect("it ends").code(), Some(2));
}
