//! Owns the proof that the catalogue, the engine, the environment and the reference file agree.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::catalogue::SETTINGS;
use super::super::value::Kind;
use super::*;

#[test]
fn every_field_of_the_engine_has_a_key() {
    // The pretty form of the configuration holds each field on a line of its own, indented by its
    // depth.
    let mut table = String::new();
    let mut fields = BTreeSet::new();
    for line in format!("{:#?}", broker_core::config::Config::default()).lines() {
        let Some((field, value)) = line.trim_start().split_once(": ") else {
            continue;
        };
        let depth = (line.len() - line.trim_start().len()) / 4;
        if value.ends_with('{') {
            table = format!("{field}.");
        } else {
            fields.insert(if depth == 1 { field.to_owned() } else { format!("{table}{field}") });
        }
    }
    let ours = [
        "listen",
        "storage",
        "data_dir",
        "workers",
        "allow_anonymous",
        "journal.segment_bytes",
        "journal.checkpoint_bytes",
        "log.level",
    ];
    fields.extend(ours.map(str::to_owned));
    let keys: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.name.to_owned()).collect();
    assert_eq!(keys, fields);
    assert_eq!(keys.len(), SETTINGS.len(), "a key stands twice");
}

#[test]
fn limits_are_accepted_at_their_ends_and_refused_one_past_them() {
    for setting in SETTINGS {
        let (Kind::Integer { minimum, maximum } | Kind::Bytes { minimum, maximum }) = setting.kind else {
            continue;
        };
        for (value, accepted) in [
            (i128::from(minimum) - 1, false),
            (i128::from(minimum), true),
            (i128::from(maximum), true),
            (i128::from(maximum) + 1, false),
        ] {
            let outcome = setting.kind.accept(&Raw::Integer(value));
            assert_eq!(outcome.is_ok(), accepted, "{} = {value}", setting.name);
            if let Ok(value) = outcome {
                let mut settings = Settings::default();
                setting.set(&mut settings, value.clone());
                assert_eq!((setting.get)(&settings), value, "{}", setting.name);
            }
        }
    }
}

#[test]
fn every_choice_has_a_field_value() {
    for setting in SETTINGS {
        let Kind::Choice(names) = setting.kind else {
            continue;
        };
        for name in names {
            let mut settings = Settings::default();
            let value = setting.kind.accept(&Raw::Text((*name).to_owned())).expect("a listed name");
            setting.set(&mut settings, value);
            assert_eq!(setting.written(&settings), format!("\"{name}\""));
        }
    }
}

#[test]
fn every_key_has_a_variable_of_its_own() {
    let names: BTreeSet<String> =
        SETTINGS.iter().map(|setting| environment::variable(setting.name)).collect();
    assert_eq!(names.len(), SETTINGS.len());
    for setting in SETTINGS {
        let name = environment::variable(setting.name);
        let given = environment::entries([(name.clone().into(), "x".into())]);
        let keys: Vec<&str> = given.iter().flatten().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, [setting.name], "{name}");
    }
}

#[test]
fn the_reference_file_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mqttd.reference.toml");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, reference()).expect("the reference file can be written");
    }
    let file = std::fs::read_to_string(&path).expect("the reference file can be read");
    assert!(
        file == reference(),
        "mqttd.reference.toml differs from the code; UPDATE_REFERENCE=1 cargo test -p mqttd \
         writes it anew"
    );
}

#[test]
fn the_reference_changes_nothing_and_uncommented_it_is_the_defaults() {
    let defaults = settings("", &[], &[]);
    assert_eq!(settings(&reference(), &[], &[]), defaults);

    let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && *line != "#";
    let count = reference().lines().filter(is_setting).count();
    assert_eq!(count, SETTINGS.len());
    let uncommented: Vec<String> = reference()
        .lines()
        .map(|line| if is_setting(&line) { line[1..].to_owned() } else { line.to_owned() })
        .collect();
    let loaded = load(&uncommented.join("\n"), &[], &[]).expect("defaults are good values");
    assert_eq!(loaded.settings, defaults);
    assert_eq!(loaded.origins.len(), SETTINGS.len());
}
