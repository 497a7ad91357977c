//! Owns what cargo keeps of our own packages after it has verified those that depend on them: the copies it unpacked
//! and what it built of them. What is packaged, and how, is the step's business.
//!
//! Cargo keeps both by name and version, for a release never changes. Ours change from run to run under the same
//! version: without this a run would build today's `mqttctl` against last week's client.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::workspace::Workspace;

/// Removes what is left of earlier runs that built in `target`.
pub(super) fn forget(workspace: &Workspace, target: &Path) -> io::Result<()> {
    let names: Vec<&str> = workspace.published().map(|package| package.name.as_str()).collect();
    // Without its fingerprint a package is built again.
    remove(&target.join("debug").join(".fingerprint"), &names)?;
    let Some(home) = cargo_home() else { return Ok(()) };
    forget_in(&home.join("registry").join("src"), &names)
}

fn cargo_home() -> Option<PathBuf> {
    let default = || Some(env::home_dir()?.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(default)
}

/// The folder of a registry is named by its host and a hash; one that cargo makes in a target folder has no host.
fn forget_in(sources: &Path, names: &[&str]) -> io::Result<()> {
    for registry in entries(sources)? {
        if file_name(&registry).starts_with('-') {
            remove(&registry, names)?;
        }
    }
    Ok(())
}

/// Removes the folders that are named by one of our packages and a version or a hash.
fn remove(folder: &Path, names: &[&str]) -> io::Result<()> {
    for entry in entries(folder)? {
        let is_ours = |name: &&str| {
            let rest = file_name(&entry).strip_prefix(*name).and_then(|rest| rest.strip_prefix('-'));
            rest.is_some_and(|rest| !rest.contains('-'))
        };
        if names.iter().any(is_ours) {
            fs::remove_dir_all(&entry)?;
        }
    }
    Ok(())
}

/// What is in a folder; nothing if there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
    }
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_packages_in_registries_of_target_folders_are_forgotten() {
        let sources = env::temp_dir().join(format!("xtask-unpacked-{}", std::process::id()));
        let all = [
            "-0123/dunlin-client-0.1.0",
            "-0123/dunlin-client-tools-0.1.0",
            "-0123/other-1.0.0",
            "registry-0123/dunlin-client-0.1.0",
        ];
        for copy in all {
            fs::create_dir_all(sources.join(copy)).expect("a folder");
        }
        forget_in(&sources, &["dunlin-client"]).expect("removed");
        let left: Vec<&str> = all.into_iter().filter(|copy| sources.join(copy).exists()).collect();
        fs::remove_dir_all(&sources).expect("removed");
        assert_eq!(left, all[1..]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_empty() {
        assert!(forget_in(Path::new("no such folder"), &["a"]).is_ok());
    }
}
