//! Owns what cargo knows about the workspace: packages, targets, folders. It builds nothing.

use std::env;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::Error;
use crate::process;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Where cargo builds, which `CARGO_TARGET_DIR` may move out of the workspace.
    pub(crate) target: PathBuf,
    /// In the order of the workspace's member list.
    pub(crate) packages: Vec<Package>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) publication: Publication,
    pub(crate) binaries: Vec<String>,
    pub(crate) tested: Vec<Target>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Publication {
    Published,
    Internal,
}

/// Something that `cargo build --tests` makes a test program of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// As cargo calls it: lib, bin, test.
    pub(crate) kind: String,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self, Error> {
        let mut command = process::cargo(&here());
        command.args(["metadata", "--no-deps", "--format-version=1"]);
        let output =
            command.output().map_err(|source| Error::Start { program: "cargo".to_owned(), source })?;
        if !output.status.success() {
            return Err(Error::Metadata {
                detail: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        Self::from_metadata(&output.stdout)
    }

    fn from_metadata(json: &[u8]) -> Result<Self, Error> {
        let metadata: Value =
            serde_json::from_slice(json).map_err(|error| Error::Metadata { detail: error.to_string() })?;
        let root = PathBuf::from(text(&metadata, "workspace_root")?);
        let mut packages = Vec::new();
        for package in list(&metadata, "packages")? {
            packages.push(Package::from_metadata(package)?);
        }
        let members = list(&metadata, "workspace_members")?;
        packages.sort_by_key(|package| members.iter().position(|id| id.as_str() == Some(&package.id)));
        Ok(Self { root, target: PathBuf::from(text(&metadata, "target_directory")?), packages })
    }

    /// Where tests find other people's clients. Always inside the workspace, so that a test needs no variable for it.
    pub(crate) fn interop(&self) -> PathBuf {
        self.root.join("target").join("interop")
    }

    /// Where the other brokers are that `cargo xtask setup --bench` builds.
    pub(crate) fn peers(&self) -> PathBuf {
        self.root.join("target").join("peers")
    }

    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.publication == Publication::Published)
    }
}

impl Package {
    fn from_metadata(package: &Value) -> Result<Self, Error> {
        let manifest = PathBuf::from(text(package, "manifest_path")?);
        let mut binaries = Vec::new();
        let mut tested = Vec::new();
        for target in list(package, "targets")? {
            let name = text(target, "name")?;
            let kind = list(target, "kind")?.first().and_then(Value::as_str).unwrap_or_default().to_owned();
            if kind == "bin" {
                binaries.push(name.clone());
            }
            if target["test"].as_bool() == Some(true) {
                tested.push(Target { name, kind });
            }
        }
        Ok(Self {
            id: text(package, "id")?,
            name: text(package, "name")?,
            folder: manifest.parent().unwrap_or(Path::new("/")).to_owned(),
            publication: publication(&package["publish"]),
            binaries,
            tested,
        })
    }

    /// The name without the family's prefix.
    pub(crate) fn short_name(&self) -> &str {
        self.name.strip_prefix("dunlin-").unwrap_or(&self.name)
    }
}

/// Cargo writes `publish = false` as the empty list of registries, and no restriction as null.
fn publication(publish: &Value) -> Publication {
    match publish.as_array() {
        Some(registries) if registries.is_empty() => Publication::Internal,
        Some(_) | None => Publication::Published,
    }
}

fn text(value: &Value, key: &str) -> Result<String, Error> {
    let found = value[key].as_str().map(str::to_owned);
    found.ok_or_else(|| Error::Metadata { detail: format!("no text \"{key}\"") })
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, Error> {
    value[key].as_array().ok_or_else(|| Error::Metadata { detail: format!("no list \"{key}\"") })
}

/// The folder of xtask itself, so that the command works from any folder of the workspace.
fn here() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{
        "workspace_root": "/w", "target_directory": "/elsewhere",
        "workspace_members": ["path+file:///w/crates/codec#dunlin-codec@0.1.0", "path+file:///w/tests#dunlin-tests@0.1.0"],
        "packages": [
            {"id": "path+file:///w/tests#dunlin-tests@0.1.0", "name": "dunlin-tests", "publish": [],
             "manifest_path": "/w/tests/Cargo.toml",
             "targets": [{"name": "interop", "kind": ["test"], "test": true},
                         {"name": "load", "kind": ["bench"], "test": false}]},
            {"id": "path+file:///w/crates/codec#dunlin-codec@0.1.0", "name": "dunlin-codec", "publish": null,
             "manifest_path": "/w/crates/codec/Cargo.toml",
             "targets": [{"name": "codec", "kind": ["lib"], "test": true},
                         {"name": "decode", "kind": ["bin"], "test": false}]}
        ]}"#;

    #[test]
    fn metadata_becomes_packages_in_member_order() {
        let target = |name: &str, kind: &str| Target { name: name.to_owned(), kind: kind.to_owned() };
        let codec = Package {
            id: "path+file:///w/crates/codec#dunlin-codec@0.1.0".to_owned(),
            name: "dunlin-codec".to_owned(),
            folder: PathBuf::from("/w/crates/codec"),
            publication: Publication::Published,
            binaries: vec!["decode".to_owned()],
            tested: vec![target("codec", "lib")],
        };
        let tests = Package {
            id: "path+file:///w/tests#dunlin-tests@0.1.0".to_owned(),
            name: "dunlin-tests".to_owned(),
            folder: PathBuf::from("/w/tests"),
            publication: Publication::Internal,
            binaries: Vec::new(),
            tested: vec![target("interop", "test")],
        };
        let expected =
            Workspace { root: "/w".into(), target: "/elsewhere".into(), packages: vec![codec, tests] };
        assert_eq!(Workspace::from_metadata(METADATA.as_bytes()).expect("it is well formed"), expected);
    }

    #[test]
    fn only_packages_without_publish_false_are_published() {
        let workspace = Workspace::from_metadata(METADATA.as_bytes()).expect("it is well formed");
        let names: Vec<&str> = workspace.published().map(Package::short_name).collect();
        assert_eq!(names, ["codec"]);
    }

    #[test]
    fn metadata_that_is_something_else_is_refused() {
        let check = |json: &str, expected: &str| {
            let error = Workspace::from_metadata(json.as_bytes()).expect_err("it is not metadata");
            assert!(error.to_string().contains(expected), "{error}");
        };
        check("{}", "no text \"workspace_root\"");
        check(r#"{"workspace_root": "/w"}"#, "no list \"packages\"");
        check("warning: something", "expected value");
    }

    #[test]
    fn interop_tools_stay_in_the_workspace_when_the_target_directory_does_not() {
        let workspace = Workspace::from_metadata(METADATA.as_bytes()).expect("it is well formed");
        assert_eq!(workspace.interop(), Path::new("/w/target/interop"));
    }
}
