//! Owns the kinds of values: what each accepts, how it refuses the rest and how it is written.
//! Which setting is of which kind is in the catalogue.

use std::fmt;

use broker_core::config::DurabilityRule;

use super::byte_size;
use super::durability;
use super::listen::ListenAddress;

/// A value as somebody gave it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    /// An integer of the file.
    Integer(i128),
    /// A boolean of the file.
    Boolean(bool),
    /// A string of the file.
    Text(String),
    /// An array of the file, or a flag that was repeated.
    List(Vec<Raw>),
    /// Anything else a file can hold, as a person would call it. No setting takes it.
    Other(String),
    /// What the environment or a flag said: the setting's kind decides what it is.
    Untyped(String),
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => integer.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
            Self::Text(text) | Self::Untyped(text) => write!(f, "{text:?}"),
            Self::List(list) => {
                let items: Vec<String> = list.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Other(text) => text.fmt(f),
        }
    }
}

/// A value that has passed its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A count, a number of bytes or a duration in the unit that its key names.
    Integer(u64),
    /// A switch.
    Boolean(bool),
    /// Text, a path or the name of a choice.
    Text(String),
    /// Where to listen.
    Addresses(Vec<ListenAddress>),
    /// Which topics are how durable.
    Rules(Vec<DurabilityRule>),
}

/// What a setting accepts. Bounds are inclusive.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A whole number.
    Integer { minimum: u64, maximum: u64 },
    /// A number of bytes, plain or with a unit.
    Bytes { minimum: u64, maximum: u64 },
    /// A switch.
    Boolean,
    /// A path of a directory.
    Path,
    /// The beginning of a Topic Name.
    TopicPrefix,
    /// One of these names.
    Choice(&'static [&'static str]),
    /// IP addresses with ports.
    Addresses,
    /// Rules of durability, strongest first.
    Rules,
}

/// Leaves room for the client identifier in a Topic Name of 65,535 bytes.
const TOPIC_PREFIX_BYTES_MAX: usize = 1024;

impl Kind {
    /// The value, or what is wrong with it and what would be right, for a sentence that begins with
    /// the key.
    pub(super) fn accept(self, raw: &Raw) -> Result<Value, String> {
        let typed = match raw {
            Raw::Untyped(text) => &self.typed(text),
            raw => raw,
        };
        let value = match self {
            Self::Integer { minimum, maximum } => {
                whole(typed).filter(|integer| (minimum..=maximum).contains(integer)).map(Value::Integer)
            }
            Self::Bytes { minimum, maximum } => whole(typed)
                .or_else(|| text(typed).and_then(byte_size::parse))
                .filter(|bytes| (minimum..=maximum).contains(bytes))
                .map(Value::Integer),
            Self::Boolean => match typed {
                Raw::Boolean(boolean) => Some(Value::Boolean(*boolean)),
                _ => None,
            },
            Self::Path => text(typed).filter(|path| is_path(path)).map(owned),
            Self::TopicPrefix => text(typed).filter(|prefix| is_topic_prefix(prefix)).map(owned),
            Self::Choice(names) => text(typed).filter(|name| names.contains(name)).map(owned),
            Self::Addresses => return addresses(typed).map(Value::Addresses),
            Self::Rules => return rules(typed).map(Value::Rules),
        };
        value.ok_or_else(|| format!("is {typed}; it must be {}", self.requirement(typed)))
    }

    /// A value of this kind as TOML, shortest where there is a choice.
    pub(super) fn write(self, value: &Value) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        match value {
            Value::Integer(integer) => match self {
                Self::Bytes { .. } => byte_size::with_unit(*integer).map(|text| quoted(&text)),
                _ => None,
            }
            .unwrap_or_else(|| integer.to_string()),
            Value::Boolean(boolean) => boolean.to_string(),
            Value::Text(text) => quoted(text),
            Value::Addresses(addresses) => list(addresses.iter().map(|address| quoted(&address.to_string()))),
            Value::Rules(rules) => list(rules.iter().map(|rule| quoted(&durability::written(rule)))),
        }
    }

    fn typed(self, text: &str) -> Raw {
        let text = text.to_owned();
        match self {
            Self::Integer { .. } | Self::Bytes { .. } => text.parse().map_or(Raw::Text(text), Raw::Integer),
            Self::Boolean => text.parse().map_or(Raw::Text(text), Raw::Boolean),
            Self::Path | Self::TopicPrefix | Self::Choice(_) => Raw::Text(text),
            Self::Addresses => items_of(&text),
            // Unlike a broker that listens nowhere, one without rules makes sense.
            Self::Rules if text.trim().is_empty() => Raw::List(Vec::new()),
            Self::Rules => items_of(&text),
        }
    }

    /// What would have been right instead of this value: only the range where the type was right
    /// already.
    fn requirement(self, given: &Raw) -> String {
        match (self, given) {
            (Self::Integer { minimum, maximum }, Raw::Integer(_)) => {
                format!("{minimum} to {maximum}")
            }
            _ => self.to_string(),
        }
    }
}

/// What a setting of this kind must be.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { minimum, maximum } => {
                write!(f, "an integer from {minimum} to {maximum}")
            }
            Self::Bytes { minimum, maximum } => {
                let size = |bytes| byte_size::with_unit(bytes).unwrap_or_else(|| format!("{bytes}"));
                let (minimum, maximum) = (size(*minimum), size(*maximum));
                write!(f, "a number of bytes from {minimum} to {maximum}, as an integer or as \"64 KiB\"")
            }
            Self::Boolean => f.write_str("true or false"),
            Self::Path => f.write_str("the path of a directory"),
            Self::TopicPrefix => write!(
                f,
                "the beginning of a topic name: at most {TOPIC_PREFIX_BYTES_MAX} bytes, without +, # and NUL"
            ),
            Self::Choice(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
                match names.split_last() {
                    Some((last, [])) => f.write_str(last),
                    Some((last, rest)) => write!(f, "{} or {last}", rest.join(", ")),
                    None => Ok(()),
                }
            }
            Self::Addresses => f.write_str("a list of addresses such as [\"127.0.0.1:1883\"]"),
            Self::Rules => write!(f, "a list of rules such as [{:?}]", durability::EXAMPLE),
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn items_of(text: &str) -> Raw {
    Raw::List(text.split(',').map(|item| Raw::Text(item.trim().to_owned())).collect())
}

fn whole(raw: &Raw) -> Option<u64> {
    match raw {
        Raw::Integer(integer) => u64::try_from(*integer).ok(),
        _ => None,
    }
}

fn text(raw: &Raw) -> Option<&str> {
    match raw {
        Raw::Text(text) => Some(text),
        _ => None,
    }
}

fn owned(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0')
}

fn is_topic_prefix(text: &str) -> bool {
    text.len() <= TOPIC_PREFIX_BYTES_MAX && !text.contains(['+', '#', '\0'])
}

fn addresses(raw: &Raw) -> Result<Vec<ListenAddress>, String> {
    let Raw::List(items) = raw else {
        return Err(format!("is {raw}; it must be {}", Kind::Addresses));
    };
    let mut addresses: Vec<ListenAddress> = Vec::with_capacity(items.len());
    for item in items {
        let address: ListenAddress = text(item)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| format!("holds {item}; an address is IP:PORT, as 127.0.0.1:1883 or [::1]:1883"))?;
        if address.is_exclusive() && addresses.contains(&address) {
            return Err(format!("holds {address} twice; each address must be listed once"));
        }
        addresses.push(address);
    }
    if addresses.is_empty() {
        return Err("is empty; it must hold an address such as \"127.0.0.1:1883\"".to_owned());
    }
    Ok(addresses)
}

fn rules(raw: &Raw) -> Result<Vec<DurabilityRule>, String> {
    let Raw::List(items) = raw else {
        return Err(format!("is {raw}; it must be {}", Kind::Rules));
    };
    let rule = |item| {
        let text = text(item).ok_or_else(|| format!("holds {item}; it must be {}", Kind::Rules))?;
        durability::parse(text).map_err(|wrong| format!("holds {item}: {wrong}"))
    };
    items.iter().map(rule).collect()
}
