//! Owns installing the Node client MQTT.js where the tests look for it. It does not install Node.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{State, install, succeeds};
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

pub(super) fn ensure(workspace: &Workspace) -> Result<State, Error> {
    let folder = workspace.interop().join("node");
    let shown = format!("{VERSION} in target/interop/node");
    if installed_version(&folder).as_deref() == Some(VERSION) {
        return Ok(State::Present(shown));
    }
    if !succeeds("npm", &["--version"], workspace) {
        return Ok(State::Impossible("it needs Node and npm on the PATH".to_owned()));
    }
    let mut command = process::command("npm", &workspace.root);
    command.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]);
    command.arg(&folder).arg(format!("mqtt@{VERSION}"));
    Ok(match install(&mut command)? {
        Ok(()) => State::Installed(shown),
        Err(output) => State::Failed(output),
    })
}

fn installed_version(folder: &Path) -> Option<String> {
    let description = fs::read(folder.join("node_modules/mqtt/package.json")).ok()?;
    let description: Value = serde_json::from_slice(&description).ok()?;
    description["version"].as_str().map(str::to_owned)
}

const VERSION: &str = "5.16.0";
