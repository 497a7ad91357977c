//! Owns installing Debian packages. It does not know what they are for.

use crate::commands::setup::{install, succeeds};
use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// What came of asking apt for packages.
pub(super) enum Apt {
    Done,
    Failed(String),
    /// There is no apt, or we may not use it; the text says which.
    Unusable(&'static str),
}

/// Installs the packages, as root or through a `sudo` that asks nothing.
pub(super) fn ensure(packages: &[&str], workspace: &Workspace) -> Result<Apt, Error> {
    if !succeeds("apt-get", &["--version"], workspace) {
        return Ok(Apt::Unusable("there is no apt on this machine"));
    }
    let mut command = if is_root(workspace) {
        process::command("sh", &workspace.root)
    } else if succeeds("sudo", &["-n", "true"], workspace) {
        let mut command = process::command("sudo", &workspace.root);
        command.args(["-n", "sh"]);
        command
    } else {
        return Ok(Apt::Unusable("apt needs root, and sudo is not there or asks for a password"));
    };
    command.args(["xtask/src/commands/setup/apt-install.sh"]).args(packages);
    Ok(match install(&mut command)? {
        Ok(()) => Apt::Done,
        Err(output) => Apt::Failed(output),
    })
}

fn is_root(workspace: &Workspace) -> bool {
    let mut command = process::command("id", &workspace.root);
    command.arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}
