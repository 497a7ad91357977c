//! Owns what a setting is: its name, kind, meaning and place in [`Settings`]. Which settings there
//! are is in the catalogue.

use super::catalogue::SETTINGS;
use super::field::Field;
use super::nearest::nearest;
use super::value::{Kind, Value};
use super::{Entry, Settings};

/// One line of the catalogue.
pub(super) struct Setting {
    /// The dotted key: the same in the file, in `--set` and, in capitals, in the environment.
    pub(super) name: &'static str,
    /// What values it takes.
    pub(super) kind: Kind,
    /// For the operator: what it means, its unit, what happens at the limit.
    pub(super) doc: &'static str,
    /// Reads it.
    pub(super) get: fn(&Settings) -> Value,
    /// Writes it; the value is of this setting's kind.
    pub(super) put: fn(&mut Settings, Value),
}

impl Setting {
    /// Its value as TOML.
    pub(super) fn written(&self, settings: &Settings) -> String {
        self.kind.write(&(self.get)(settings))
    }

    pub(super) fn set(&self, settings: &mut Settings, value: Value) {
        (self.put)(settings, value);
    }

    /// The table that it stands in (empty at the top of the file) and its name there.
    pub(super) fn table_and_key(&self) -> (&'static str, &'static str) {
        self.name.rsplit_once('.').unwrap_or(("", self.name))
    }
}

/// Writes a value that has passed its setting's kind into the field that the setting names.
pub(super) fn put<F: Field>(field: &mut F, value: Value) {
    *field = F::from_value(value).expect("a setting's kind allows only what its field can hold");
}

pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

pub(super) fn is_table(name: &str) -> bool {
    !name.is_empty() && SETTINGS.iter().any(|setting| setting.table_and_key().0 == name)
}

/// What is wrong with an entry whose key is no setting.
pub(super) fn unknown(entry: &Entry) -> String {
    let key = &entry.key;
    if is_table(key) {
        return format!("{key} is {}; it must be a table, [{key}]", entry.raw);
    }
    let settings = SETTINGS.iter().map(|setting| setting.name);
    let tables = SETTINGS.iter().map(|setting| setting.table_and_key().0);
    let known = settings.chain(tables.filter(|table| !table.is_empty()));
    match nearest(key, known) {
        Some(near) => format!("unknown key {key:?}; did you mean {near:?}?"),
        None => format!("unknown key {key:?}"),
    }
}
