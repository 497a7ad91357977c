//! Owns installing the Python client paho-mqtt where the tests look for it. It does not touch the system's Python.

use std::fs;

use super::apt::{self, Apt};
use super::{State, install, succeeds};
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Puts the package into a folder of its own: that works where the system's Python is closed to pip, and needs no
/// virtual environment (which Debian's Python cannot make without one more package).
pub(super) fn ensure(workspace: &Workspace) -> Result<State, Error> {
    let folder = workspace.interop().join("python");
    let shown = format!("{VERSION} in target/interop/python");
    if folder.join(format!("paho_mqtt-{VERSION}.dist-info")).is_dir() {
        return Ok(State::Present(shown));
    }
    if let Some(state) = ensure_pip(workspace)? {
        return Ok(state);
    }
    if folder.exists() {
        // pip leaves an older version's description behind.
        drop(fs::remove_dir_all(&folder));
    }
    let mut command = process::command("python3", &workspace.root);
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
    command.arg(&folder).arg(format!("paho-mqtt=={VERSION}"));
    Ok(match install(&mut command)? {
        Ok(()) => State::Installed(shown),
        Err(output) => State::Failed(output),
    })
}

/// Gives the state that ends the attempt, or nothing if pip is there.
fn ensure_pip(workspace: &Workspace) -> Result<Option<State>, Error> {
    if succeeds("python3", PIP_VERSION, workspace) {
        return Ok(None);
    }
    Ok(match apt::ensure(&["python3", "python3-pip"], workspace)? {
        Apt::Unusable(why) => Some(State::Impossible(format!("it needs python3 with pip, and {why}"))),
        Apt::Failed(output) => Some(State::Failed(output)),
        Apt::Done if succeeds("python3", PIP_VERSION, workspace) => None,
        Apt::Done => {
            Some(State::Impossible("the python3 on the PATH has no pip, even though apt's has".to_owned()))
        }
    })
}

const VERSION: &str = "2.1.0";
const PIP_VERSION: &[&str] = &["-m", "pip", "--version"];
