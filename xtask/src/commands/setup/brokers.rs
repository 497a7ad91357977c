//! Owns finding and installing the brokers that ours is compared with, and what looks into them. mosquitto is a tool
//! of the tests, too, and has a file of its own.

use super::apt::{self, Apt};
use super::{State, find, install};
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

pub(super) fn nats(workspace: &Workspace) -> Result<State, Error> {
    from_apt("nats-server", workspace)
}

pub(super) fn strace(workspace: &Workspace) -> Result<State, Error> {
    from_apt("strace", workspace)
}

/// A package that is called as its program is.
fn from_apt(name: &str, workspace: &Workspace) -> Result<State, Error> {
    if let Some(program) = find(name) {
        return Ok(State::Present(program.display().to_string()));
    }
    Ok(match apt::ensure(&[name], workspace)? {
        Apt::Unusable(why) => State::Impossible(why.to_owned()),
        Apt::Failed(output) => State::Failed(output),
        Apt::Done => match find(name) {
            Some(program) => State::Installed(program.display().to_string()),
            None => State::Failed("    apt succeeded, but the program cannot be found".to_owned()),
        },
    })
}

/// Built from the registry, as no distribution has it.
pub(super) fn rumqttd(workspace: &Workspace) -> Result<State, Error> {
    let folder = workspace.peers();
    let built = folder.join("bin").join(RUMQTTD);
    if let Some(program) = find(RUMQTTD).or_else(|| built.is_file().then(|| built.clone())) {
        return Ok(State::Present(program.display().to_string()));
    }
    let mut command = process::cargo(&workspace.root);
    // Not as its makers locked it: that holds a `metrics` that compilers of today refuse.
    command.args(["install", RUMQTTD, "--version", RUMQTTD_VERSION, "--root"]).arg(&folder);
    Ok(match install(&mut command)? {
        Ok(()) => State::Installed(built.display().to_string()),
        Err(output) => State::Failed(output),
    })
}

/// Neither Debian nor a registry has it.
pub(super) fn flashmq(_: &Workspace) -> Result<State, Error> {
    Ok(match find("flashmq") {
        Some(program) => State::Present(program.display().to_string()),
        None => State::Impossible("its makers have packages: https://www.flashmq.org".to_owned()),
    })
}

const RUMQTTD: &str = "rumqttd";
const RUMQTTD_VERSION: &str = "0.20.0";
