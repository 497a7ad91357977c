//! Owns the tests of `mqttd journal`: what it says of a journal that nobody has open.

use super::damage::{left_by_a_kill, spoil};
use dunlin_tests::{Broker, Finished, Home};
use std::{fs, path::Path};

fn journal(home: &Home, arguments: &[&str]) -> Finished {
    Finished::from(home.command().arg("journal").args(arguments))
}

/// Everything in a directory, to see that nothing was changed.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a file").path();
            (path.display().to_string(), fs::read(&path).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_journal_that_is_whole_is_said_to_be() {
    let (home, _) = left_by_a_kill();
    let before = contents(&home.data_dir());
    let lines = journal(&home, &["verify", "mqttd-data"]).success();
    assert_eq!(lines.last().map(String::as_str), Some("sound"), "{lines:#?}");
    assert_eq!(contents(&home.data_dir()), before, "it was changed");
}

#[test]
fn damage_is_listed_and_told_by_the_exit_code() {
    let (home, file) = left_by_a_kill();
    spoil(&file, "the first message");
    let found = journal(&home, &["verify", "mqttd-data"]);
    assert_eq!(found.code, Some(1));
    let name = file.file_name().expect("a name").display().to_string();
    let line = found.lines.iter().find(|line| line.contains(&name) && line.contains("offset"));
    assert!(line.is_some_and(|line| line.contains("checksum of the record")), "{found:#?}");
    assert!(found.errors.starts_with("error: mqttd-data is damaged\nhint: "), "{found:#?}");
}

#[test]
fn records_are_shown_to_people_and_to_programs() {
    let (home, _) = left_by_a_kill();
    let lines = journal(&home, &["dump", "mqttd-data"]).success();
    let objects = journal(&home, &["dump", "--json", "mqttd-data"]).success();
    assert!(
        objects.iter().all(|object| object.starts_with("{\"kind\":") && object.ends_with('}')),
        "{objects:#?}"
    );
    for payload in ["the first message", "the second message", "the third message"] {
        for shown in [&lines, &objects] {
            assert_eq!(shown.iter().filter(|line| line.contains(payload)).count(), 1, "{shown:#?}");
        }
    }
}

#[test]
fn a_journal_that_is_written_is_not_looked_at() {
    let broker = Broker::start();
    for command in ["verify", "dump"] {
        let refused = journal(broker.home(), &[command, "mqttd-data"]);
        assert_eq!(refused.code, Some(1), "{refused:#?}");
        assert_eq!(refused.errors, "error: cannot look at mqttd-data: another mqttd uses it\n");
    }
}

#[test]
fn what_cannot_be_looked_at_is_told_from_what_is_damaged() {
    let home = Home::new();
    for arguments in
        [&["verify", "absent"][..], &["dump", "absent"], &["verify"], &["dump", "--jsno", "absent"], &[]]
    {
        let refused = journal(&home, arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {refused:#?}");
        assert!(!home.path().join("absent").exists());
    }
}
