//! Owns the life of a command's connection: made, given up when a signal comes or the time is up, and closed in good
//! order. What is done with it is the command's affair.

mod failure;
mod options;
mod subscribing;
mod watch;

use crate::{
    error::{Error, ErrorKind},
    interrupt::{Interrupt, Signal},
    report::Report,
};
use dunlin_client::{
    Acknowledging, Client, Connector, Deliveries, Disconnect, DisconnectError, Options, Overflow, Properties,
    ReasonCode,
};
use std::time::Duration;
use tokio::{runtime, time};
use watch::Watch;

/// How to connect, and how long the command may take.
#[derive(Debug)]
pub(crate) struct Plan {
    /// How the client connects and behaves.
    pub(crate) options: Options,
    /// For the DISCONNECT at the end.
    pub(crate) disconnect_properties: Properties,
    /// What becomes of messages for subscriptions of an earlier connection.
    pub(crate) earlier: Earlier,
    /// `-W`: how long it may take in all.
    pub(crate) timeout: Option<Duration>,
    /// Where progress is told.
    pub(crate) report: Report,
}

/// What becomes of messages that a resumed session has waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// They are acknowledged and dropped.
    Dropped,
    /// They are received, acknowledged by the command.
    Received,
}

/// How the work ended, if it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// A signal came first.
    Interrupted(Signal),
}

/// A connection to work with.
#[derive(Debug)]
pub(crate) struct Session {
    /// The connection itself.
    pub(crate) client: Client,
    /// Where progress is told.
    pub(crate) report: Report,
    watch: Watch,
    earlier: Option<Deliveries>,
}

/// How long what is in flight may take to be acknowledged after a signal. Whoever pressed Ctrl-C waits.
const INTERRUPTED_DRAIN: Duration = Duration::from_secs(2);

impl Plan {
    /// Connects, works until `work` is done, a signal comes or the time is up, and disconnects.
    ///
    /// # Errors
    /// There was no connection, `work` failed, or the time was up.
    pub(crate) fn run(
        self,
        work: impl AsyncFnOnce(&mut Session) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        let failed = |error| Error::local(format!("cannot start: {error}"));
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let outcome = runtime.block_on(self.carry_out(work));
        // The lookup of a name may hang in a thread of the runtime; nobody waits for it any more.
        runtime.shutdown_background();
        outcome
    }

    async fn carry_out(
        self,
        work: impl AsyncFnOnce(&mut Session) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        let failed = |error| Error::local(format!("cannot listen to signals: {error}"));
        let mut interrupt = Interrupt::listen().map_err(failed)?;
        let (has_will, disconnect_properties) = (self.options.will.is_some(), self.disconnect_properties);
        let mut deadline = std::pin::pin!(deadline(self.timeout));
        let mut session = tokio::select! {
            biased;
            signal = interrupt.next() => return Ok(Outcome::Interrupted(signal)),
            error = &mut deadline => return Err(error),
            session = Session::open(self.options, self.earlier, self.report) => session?,
        };
        let outcome = tokio::select! {
            biased;
            signal = interrupt.next() => Ok(Outcome::Interrupted(signal)),
            error = &mut deadline => Err(error),
            outcome = work(&mut session) => outcome.map(|()| Outcome::Done),
        };
        let reason = match outcome {
            // As mosquitto_sub has it: who is interrupted or late vanishes as far as its Will is concerned.
            Ok(Outcome::Interrupted(_)) | Err(_) if has_will => ReasonCode::DisconnectWithWill,
            Ok(_) | Err(_) => ReasonCode::Success,
        };
        let drain_timeout = match outcome {
            Ok(Outcome::Done) => None,
            Ok(Outcome::Interrupted(_)) | Err(_) => Some(INTERRUPTED_DRAIN),
        };
        session.close(Disconnect { reason, properties: disconnect_properties, drain_timeout }).await;
        outcome
    }
}

/// Resolves when the time is up.
async fn deadline(timeout: Option<Duration>) -> Error {
    match timeout {
        Some(timeout) => {
            time::sleep(timeout).await;
            Error::remote(ErrorKind::TimedOut, format!("timed out after {} s", timeout.as_secs()))
        }
        None => std::future::pending().await,
    }
}

impl Session {
    async fn open(options: Options, earlier: Earlier, report: Report) -> Result<Self, Error> {
        report.name_client(&options.client_id);
        let version = options.version;
        let place = format!("{}:{}", options.host, options.port);
        let mut connector = Connector::new(options);
        let events = connector.events();
        let earlier = match earlier {
            Earlier::Dropped => None,
            Earlier::Received => Some(connector.unmatched(Acknowledging::Manual, Overflow::PauseReading)),
        };
        report.step(format_args!("sending CONNECT"));
        let client = connector.connect().await.map_err(|error| failure::opening(&error, &place, version))?;
        let connected = client.connected();
        if let Some(connected) = &connected {
            report.name_client(&connected.client_id);
        }
        report.step(format_args!("received CONNACK (0)"));
        let watch = Watch::start(events, version, report.clone());
        Ok(Self { client, report, watch, earlier })
    }

    /// The stream of messages that no subscription of this connection asked for, if the plan wants it; once.
    pub(crate) fn take_earlier(&mut self) -> Option<Deliveries> {
        self.earlier.take()
    }

    /// Waits until there is a connection.
    ///
    /// # Errors
    /// There will be none.
    pub(crate) async fn reconnected(&self) -> Result<(), Error> {
        self.watch.connected(&self.client).await
    }

    /// Why the client has ended. Only to be asked when it has, or is about to.
    pub(crate) async fn ended(&self) -> Error {
        self.watch.ended().await
    }

    async fn close(self, disconnect: Disconnect) {
        if self.client.connected().is_some() {
            self.report.step(format_args!("sending DISCONNECT"));
        }
        match self.client.disconnect_with(disconnect).await {
            Ok(()) | Err(DisconnectError::Closed) => {}
            Err(error @ DisconnectError::Undelivered { .. }) => self.report.warn(format_args!("{error}")),
            Err(error @ (DisconnectError::SessionExpiry | DisconnectError::Encode(_))) => {
                self.report.warn(format_args!("-D disconnect: {error}; disconnecting without properties"));
                // It leaves all the same; there is nobody to tell how.
                let _ = self.client.disconnect().await;
            }
        }
    }
}
