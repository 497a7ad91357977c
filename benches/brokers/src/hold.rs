//! Owns the process that holds many connections open, as this program starts itself again for. What is to happen is
//! told by lines on its standard input, that it has happened by lines on its standard output; whoever started it
//! speaks the other part, see `holders`.

use std::io::{self, BufRead as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use clap::Parser;
use dunlin_load::{Lifetime, Load, QoS, Subscriber, Target};

use crate::error::Error;
use crate::scale::Crowd;

/// Holds clients of a broker and takes its orders from standard input.
#[derive(Debug, Parser)]
pub(crate) struct CommandLine {
    #[arg(value_name = "ADDRESS:PORT")]
    address: SocketAddr,
    #[arg(long, value_enum)]
    crowd: Crowd,
    /// The number of the first client.
    #[arg(long, value_name = "N")]
    first: u64,
    #[arg(long, value_name = "N")]
    count: u64,
    /// The Keep Alive of each client.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    keep_alive: u16,
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    source: Vec<IpAddr>,
}

/// What this program is called with to be such a process.
pub(crate) const COMMAND: &str = "hold";
/// What it tells, each in a line of its own.
pub(crate) const PREPARED: &str = "prepared";
pub(crate) const CONNECTED: &str = "connected";

/// How late an order is seen at most.
const NAP: Duration = Duration::from_millis(100);

impl CommandLine {
    /// Prepares the clients, connects them with the first line that comes, and cuts them off with the second, or when
    /// there is nobody left to send one.
    pub(crate) fn run(&self) -> Result<(), Error> {
        let orders = orders();
        let mut load = self.load()?;
        tell(PREPARED)?;
        if orders.recv().is_err() {
            return Ok(());
        }
        load.wait_ready()?;
        tell(CONNECTED)?;
        while orders.try_recv() == Err(TryRecvError::Empty) {
            load.run(NAP)?;
        }
        // Without a goodbye no port is kept back from those who come next.
        load.cut();
        Ok(())
    }

    fn load(&self) -> Result<Load, Error> {
        let mut load = Load::new(Target {
            sources: self.source.clone(),
            keep_alive_seconds: self.keep_alive,
            client_id_prefix: "held-".to_owned(),
            ..Target::new(self.address)
        })?;
        for number in self.first..self.first + self.count {
            let name = number.to_string();
            let subscriber = |filters| Subscriber { filters, qos: QoS::AtLeastOnce };
            match self.crowd {
                Crowd::Idle => load.idle(&name, Lifetime::Connection)?,
                Crowd::Subscribing => {
                    let filters = vec![format!("bench/held/{number}")];
                    load.collector(Lifetime::Persistent, &name, subscriber(filters))?;
                }
                Crowd::Returning => load.collector(Lifetime::Persistent, &name, subscriber(Vec::new()))?,
            }
        }
        Ok(load)
    }
}

/// Something for each line of standard input.
fn orders() -> Receiver<()> {
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        for _ in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn tell(what: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    writeln!(out, "{what}").and_then(|()| out.flush()).map_err(Error::machine("tell how far the clients are"))
}
