//! Owns how settings are named in the environment: `MQTTD_` and the key in capitals, its dots as
//! underscores. What the values must be is the catalogue's business.

use std::ffi::OsString;

use super::catalogue::SETTINGS;
use super::nearest::nearest;
use super::{Entry, Origin, Problem, Raw};

const PREFIX: &str = "MQTTD_";

/// The variable that names the file. It is no setting: a file cannot name itself.
pub(super) const FILE: &str = "MQTTD_CONFIG";

/// The variable of a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

/// The settings of an environment, by name. A variable of ours that stands for no key is a problem,
/// as in the file.
pub(super) fn entries(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<Result<Entry, Problem>> {
    let mut ours: Vec<(String, OsString)> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX) && name != FILE && !is_service_link(name))
        .collect();
    ours.sort();
    ours.into_iter().map(|(name, value)| entry(name, value)).collect()
}

/// Kubernetes gives every container addresses of the services beside it. With a service called
/// `mqttd` they begin like our own, and the operator did not write them.
fn is_service_link(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_")
}

fn entry(name: String, value: OsString) -> Result<Entry, Problem> {
    let problem = |text| Problem { origin: Origin::Environment(name.clone()), text };
    let Some(setting) = SETTINGS.iter().find(|setting| variable(setting.name) == name) else {
        let known: Vec<String> = SETTINGS.iter().map(|setting| variable(setting.name)).collect();
        let known = known.iter().map(String::as_str).chain([FILE]);
        return Err(problem(match nearest(&name, known) {
            Some(near) => format!("stands for no setting; did you mean {near}?"),
            None => "stands for no setting".to_owned(),
        }));
    };
    let value = value.into_string().map_err(|_| problem("is not UTF-8".to_owned()))?;
    Ok(Entry { origin: Origin::Environment(name), key: setting.name.to_owned(), raw: Raw::Untyped(value) })
}
