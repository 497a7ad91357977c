//! Owns settings written out as TOML: the commented reference and the effective configuration.
//! Reading TOML is done elsewhere.

use std::fmt::Write as _;

use super::catalogue::SETTINGS;
use super::environment::variable;
use super::setting::Setting;
use super::{Loaded, Origin, Settings};

const WIDTH: usize = 100;

const INTRODUCTION: &str = "\
# Every setting of mqttd, commented out at its default.
#
# mqttd reads one file and only when told to: `mqttd --config FILE`, or MQTTD_CONFIG=FILE.
# A setting is taken from the first of these that has it:
#   1. a flag: --listen, --data-dir, --workers, --allow-anonymous and --log-level have their own,
#      --set KEY=VALUE sets any key, as --set limits.receive_maximum=20
#   2. the environment: the variable named below
#   3. the file
#   4. the default
#
# In the environment and with --set a list is separated by commas: 127.0.0.1:1883,[::1]:1883
# A number of bytes is an integer, or a string with one of the units B, KiB, MiB, GiB, TiB, PiB, kB,
# MB, GB and TB, as '64 KiB'.
# A duration is an integer in the unit that its key names.
# A limit is the last value that is allowed.
#
# `mqttd check FILE` reports everything that is wrong with a file; `mqttd config` prints the settings
# in effect and who set them.
";

/// The reference file.
pub(crate) fn reference() -> String {
    let defaults = Settings::default();
    let mut text = INTRODUCTION.to_owned();
    write_settings(&mut text, |setting| {
        let (_, key) = setting.table_and_key();
        let comment = format!("{} Environment: {}.", requirement(setting), variable(setting.name));
        let paragraphs = [setting.doc, &comment].map(commented);
        format!("\n{}#{key} = {}\n", paragraphs.concat(), setting.written(&defaults))
    });
    text
}

/// The settings in effect as a file that would bring them about, with who set what is not at its
/// default.
pub(crate) fn effective(loaded: &Loaded) -> String {
    let mut text = String::new();
    write_settings(&mut text, |setting| {
        let (_, key) = setting.table_and_key();
        let value = setting.written(&loaded.settings);
        match loaded.origin(setting.name) {
            Origin::Default => format!("{key} = {value}\n"),
            origin => format!("{key} = {value}  # {origin}\n"),
        }
    });
    text
}

fn write_settings(text: &mut String, write_setting: impl Fn(&Setting) -> String) {
    let mut current = "";
    for setting in SETTINGS {
        let (table, _) = setting.table_and_key();
        if table != current {
            write!(text, "\n[{table}]\n").expect("a String takes every write");
            current = table;
        }
        text.push_str(&write_setting(setting));
    }
}

/// The kind as a sentence.
fn requirement(setting: &Setting) -> String {
    let requirement = setting.kind.to_string();
    let mut characters = requirement.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

/// A paragraph as comment lines that fit the width; a word that is longer has a line to itself.
fn commented(paragraph: &str) -> String {
    let mut text = String::new();
    let mut line = "#".to_owned();
    for word in paragraph.split(' ') {
        if line != "#" && line.len() + 1 + word.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = "#".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    text + &line + "\n"
}
