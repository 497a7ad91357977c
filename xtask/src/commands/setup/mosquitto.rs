//! Owns finding and installing the mosquitto broker and its clients. It starts no broker.

use std::path::PathBuf;

use super::apt::{self, Apt};
use super::{State, find};
use crate::error::Error;
use crate::workspace::Workspace;

pub(super) fn ensure(workspace: &Workspace) -> Result<State, Error> {
    if let Some(broker) = find_all() {
        return Ok(State::Present(broker.display().to_string()));
    }
    Ok(match apt::ensure(&["mosquitto", "mosquitto-clients"], workspace)? {
        Apt::Unusable(why) => State::Impossible(why.to_owned()),
        Apt::Failed(output) => State::Failed(output),
        Apt::Done => match find_all() {
            Some(broker) => State::Installed(broker.display().to_string()),
            None => State::Failed("    apt succeeded, but not all of its programs can be found".to_owned()),
        },
    })
}

/// The broker, if its clients are there too.
fn find_all() -> Option<PathBuf> {
    let broker = find(BROKER)?;
    CLIENTS.iter().all(|client| find(client).is_some()).then_some(broker)
}

const BROKER: &str = "mosquitto";
const CLIENTS: [&str; 3] = ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"];
