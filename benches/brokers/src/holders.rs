//! Owns the processes that hold many connections open: as many as it takes, each this program once more. What goes
//! on within them is in `hold`.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::broker::Running;
use crate::error::Error;
use crate::hold::{COMMAND, CONNECTED, PREPARED};
use crate::scale::{Crowd, Scale};

/// A crowd of clients, in several processes; dropped, they are gone.
#[derive(Debug)]
pub(crate) struct Holders(Vec<Holder>);

#[derive(Debug)]
struct Holder {
    child: Child,
    orders: Option<ChildStdin>,
    told: BufReader<ChildStdout>,
}

impl Holders {
    /// Starts the processes; no client is connected yet.
    pub(crate) fn start(running: &Running, crowd: Crowd, scale: Scale) -> Result<Self, Error> {
        let sources: Vec<_> = scale.sources().iter().map(ToString::to_string).collect();
        let mut holders = Self(Vec::new());
        for (first, count) in scale.shares() {
            let mut command = Command::new(env::current_exe().map_err(Error::machine("find this program"))?);
            command.args([COMMAND, &running.address.to_string(), "--crowd", &crowd.name()]);
            command.args(["--first", &first.to_string(), "--count", &count.to_string()]);
            command.args(["--keep-alive", &running.keep_alive_seconds.to_string()]);
            if !sources.is_empty() {
                command.args(["--source", &sources.join(",")]);
            }
            holders.0.push(Holder::start(&mut command)?);
        }
        holders.await_all(PREPARED)?;
        Ok(holders)
    }

    /// Connects all clients, and comes back when all are accepted and their subscriptions acknowledged.
    pub(crate) fn connect(&mut self) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(Holder::order)?;
        self.await_all(CONNECTED)
    }

    /// Resets the connections, as a power cut does.
    pub(crate) fn cut(mut self) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(Holder::order)?;
        for holder in &mut self.0 {
            holder.child.wait().map_err(Error::machine("wait for the clients"))?;
        }
        Ok(())
    }

    fn await_all(&mut self, told: &'static str) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|holder| holder.await_line(told))
    }
}

impl Holder {
    fn start(command: &mut Command) -> Result<Self, Error> {
        let machine = Error::machine("start a process for the clients");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(machine)?;
        let told = child.stdout.take().expect("it is piped");
        Ok(Self { orders: child.stdin.take(), told: BufReader::new(told), child })
    }

    fn order(&mut self) -> Result<(), Error> {
        let orders = self.orders.as_mut().expect("it is there until the end");
        orders.write_all(b"\n").map_err(Error::machine("give an order to the clients"))
    }

    /// What went wrong instead, the process has said on standard error.
    fn await_line(&mut self, expected: &str) -> Result<(), Error> {
        let mut line = String::new();
        self.told.read_line(&mut line).map_err(Error::machine("hear of the clients"))?;
        if line.trim_end() == expected {
            return Ok(());
        }
        Err(Error::Broker("not all of the clients could be connected".to_owned()))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It ends when nobody can give it an order any more.
        self.orders = None;
        // It may have been waited for.
        let _ = self.child.wait();
    }
}
