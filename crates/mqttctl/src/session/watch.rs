//! Owns what becomes of the connection while a command works: it tells of losses and knows the end. Reconnecting is
//! the client's affair.

use super::failure;
use crate::{
    error::{Error, ErrorKind},
    report::Report,
};
use dunlin_client::{Client, ConnectionError, Event, Events, ProtocolVersion};
use tokio::sync::watch;

/// The state of one client's connection.
#[derive(Debug)]
pub(super) struct Watch {
    state: watch::Receiver<State>,
    version: ProtocolVersion,
}

#[derive(Clone, Debug)]
enum State {
    /// There is a connection, or there may be one again.
    Going,
    /// The client has ended; none if it was told to.
    Ended(Option<ConnectionError>),
}

impl Watch {
    /// Watches in a task of its own until the client ends.
    pub(super) fn start(events: Events, version: ProtocolVersion, report: Report) -> Self {
        let (sender, state) = watch::channel(State::Going);
        tokio::spawn(watch(events, sender, report));
        Self { state, version }
    }

    /// Waits until `client` has a connection.
    ///
    /// # Errors
    /// The client has ended.
    pub(super) async fn connected(&self, client: &Client) -> Result<(), Error> {
        let mut state = self.state.clone();
        loop {
            // Marked as seen before the client is asked, so that no change is missed in between.
            let ended = matches!(*state.borrow_and_update(), State::Ended(_));
            if ended {
                return Err(self.ended().await);
            }
            if client.connected().is_some() {
                return Ok(());
            }
            if state.changed().await.is_err() {
                return Err(self.ended().await);
            }
        }
    }

    /// Why the client has ended, once it has.
    pub(super) async fn ended(&self) -> Error {
        let mut state = self.state.clone();
        let ended = state.wait_for(|state| matches!(state, State::Ended(_))).await;
        match ended.as_deref() {
            Ok(State::Ended(Some(error))) => failure::ended(error, self.version),
            Ok(State::Ended(None) | State::Going) | Err(_) => {
                Error::remote(ErrorKind::ConnectionLost, "the client has been disconnected")
            }
        }
    }
}

async fn watch(mut events: Events, state: watch::Sender<State>, report: Report) {
    let mut lost = None;
    while let Some(event) = events.next().await {
        match event {
            Event::Connected(_) => {
                if lost.take().is_some() {
                    report.warn(format_args!("connected again"));
                }
                state.send_replace(State::Going);
            }
            // Told together with what follows: another attempt, or the end.
            Event::Disconnected(error) => lost = Some(error),
            Event::Reconnecting { delay, .. } => {
                let seconds = delay.as_secs_f64();
                match &lost {
                    Some(error) => report.warn(format_args!("{error}; trying again in {seconds:.1} s")),
                    None => report.warn(format_args!("trying again in {seconds:.1} s")),
                }
            }
            Event::Resubscribed(filters) => {
                for (filter, reason) in filters.iter().filter(|(_, reason)| reason.is_error()) {
                    report.warn(format_args!("the subscription to {filter} was refused: {reason}"));
                }
            }
            Event::Unmatched(_) | Event::Missed(_) => {}
            Event::Closed(error) => {
                state.send_replace(State::Ended(error));
                return;
            }
        }
    }
    state.send_replace(State::Ended(None));
}
