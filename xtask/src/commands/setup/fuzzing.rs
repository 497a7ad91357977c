//! Owns looking for what fuzzing needs. It installs nothing: a second toolchain is a choice of the machine's owner.

use super::{State, succeeds};
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

pub(super) fn nightly(workspace: &Workspace) -> Result<State, Error> {
    let mut command = process::command("rustup", &workspace.root);
    let toolchains = command.args(["toolchain", "list"]).output();
    let found = toolchains.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).lines().any(|toolchain| toolchain.starts_with("nightly"))
    });
    Ok(if found {
        State::Present("for fuzzing".to_owned())
    } else {
        State::Impossible("only fuzzing wants it: rustup toolchain install nightly".to_owned())
    })
}

pub(super) fn cargo_fuzz(workspace: &Workspace) -> Result<State, Error> {
    Ok(if succeeds("cargo-fuzz", &["--version"], workspace) {
        State::Present("for fuzzing".to_owned())
    } else {
        State::Impossible("only fuzzing wants it: cargo install cargo-fuzz".to_owned())
    })
}
