//! Owns what the build left behind: which program belongs to which test target, and where the binaries are.
//! It does not start the build.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::workspace::{Package, Target};

/// The programs that one `cargo build` made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Build {
    tests: BTreeMap<TargetId, PathBuf>,
    /// The folder of `mqttd` and `mqttctl`.
    pub(crate) binaries: Option<PathBuf>,
}

/// Package id, kind and name: a package may hold a library and a binary of one name.
type TargetId = (String, String, String);

impl Build {
    /// Takes one line of `cargo build --message-format=json`; lines about anything but a program change nothing.
    pub(crate) fn message(&mut self, line: &str) {
        let Ok(message) = serde_json::from_str::<Value>(line) else { return };
        let Some(program) = message["executable"].as_str().map(PathBuf::from) else { return };
        if message["profile"]["test"].as_bool() == Some(true) {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let target = &message["target"];
            let id = (word(&message["package_id"]), word(&target["kind"][0]), word(&target["name"]));
            self.tests.insert(id, program);
        } else {
            self.binaries = program.parent().map(Path::to_owned);
        }
    }

    /// The test program of the target, unless it did not compile.
    pub(crate) fn test(&self, package: &Package, target: &Target) -> Option<&Path> {
        let id = (package.id.clone(), target.kind.clone(), target.name.clone());
        self.tests.get(&id).map(PathBuf::as_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Publication;

    const MESSAGES: [&str; 5] = [
        r#"{"reason":"compiler-artifact","package_id":"p#1","target":{"kind":["lib"],"name":"codec"},"profile":{"test":false},"executable":null}"#,
        r#"{"reason":"compiler-artifact","package_id":"p#1","target":{"kind":["lib"],"name":"codec"},"profile":{"test":true},"executable":"/t/deps/codec-1"}"#,
        r#"{"reason":"compiler-artifact","package_id":"p#1","target":{"kind":["bin"],"name":"codec"},"profile":{"test":true},"executable":"/t/deps/codec-2"}"#,
        r#"{"reason":"compiler-artifact","package_id":"d#1","target":{"kind":["bin"],"name":"mqttd"},"profile":{"test":false},"executable":"/t/mqttd"}"#,
        r#"{"reason":"build-finished","success":true}"#,
    ];

    #[test]
    fn programs_are_found_by_package_kind_and_name() {
        let mut build = Build::default();
        MESSAGES.iter().for_each(|line| build.message(line));
        let package = Package {
            id: "p#1".to_owned(),
            name: "dunlin-codec".to_owned(),
            folder: "/w".into(),
            publication: Publication::Published,
            binaries: Vec::new(),
            tested: Vec::new(),
        };
        let check = |kind: &str, name: &str, expected: Option<&str>| {
            let target = Target { name: name.to_owned(), kind: kind.to_owned() };
            assert_eq!(build.test(&package, &target), expected.map(Path::new), "{kind} {name}");
        };
        check("lib", "codec", Some("/t/deps/codec-1"));
        check("bin", "codec", Some("/t/deps/codec-2"));
        check("test", "codec", None);
        assert_eq!(build.binaries, Some("/t".into()));
    }

    #[test]
    fn lines_about_anything_else_are_passed_over() {
        let mut build = Build::default();
        ["", "warning: x", "{}", r#"{"reason":"build-finished","success":false}"#]
            .iter()
            .for_each(|line| build.message(line));
        assert_eq!(build, Build::default());
    }
}
