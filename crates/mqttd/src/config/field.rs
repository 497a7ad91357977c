//! Owns how a Rust value becomes a setting's value and back. What a setting accepts is its kind's
//! business.

use std::path::PathBuf;

use broker_core::config::{Durability, DurabilityRule, QueuePolicy, ShareStrategy};
use mqtt_codec::QoS;

use super::Storage;
use super::listen::ListenAddress;
use super::value::Value;
use crate::log::Level;

/// A type that a setting can be stored in.
pub(super) trait Field: Sized {
    /// `None` when the value is of another type or too large: the catalogue must not let it come to
    /// that.
    fn from_value(value: Value) -> Option<Self>;

    fn to_value(&self) -> Value;
}

macro_rules! unsigned {
    ($($integer:ty),+) => {$(
        impl Field for $integer {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Integer(integer) => Self::try_from(integer).ok(),
                    Value::Boolean(_) | Value::Text(_) | Value::Addresses(_) | Value::Rules(_) => None,
                }
            }

            fn to_value(&self) -> Value {
                Value::Integer(*self as u64)
            }
        }
    )+};
}

unsigned!(u16, u32, u64, usize);

/// A type with a few values, each with a name. The match is total: a new variant does not compile
/// without one.
macro_rules! choice {
    ($choice:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl Choice for $choice {
            const NAMES: &'static [&'static str] = &[$($name),+];
        }

        impl Field for $choice {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Text(text) => match text.as_str() {
                        $($name => Some(Self::$variant),)+
                        _ => None,
                    },
                    Value::Integer(_) | Value::Boolean(_) | Value::Addresses(_) | Value::Rules(_) => None,
                }
            }

            fn to_value(&self) -> Value {
                Value::Text(match self { $(Self::$variant => $name),+ }.to_owned())
            }
        }
    };
}

/// The names that a setting of this type takes.
pub(super) trait Choice {
    const NAMES: &'static [&'static str];
}

choice!(QueuePolicy {
    DropOldest = "drop_oldest",
    DropNewest = "drop_newest",
    HoldPublisher = "hold_publisher",
});

choice!(ShareStrategy {
    RoundRobin = "round_robin",
    LeastInFlight = "least_in_flight",
    StickyTopic = "sticky_topic",
    StickyPublisher = "sticky_publisher",
});

choice!(Storage { Disk = "disk", Memory = "memory" });

choice!(Durability { Disk = "disk", Memory = "memory", None = "none" });

choice!(Level { Error = "error", Warn = "warn", Info = "info", Debug = "debug" });

impl Field for QoS {
    fn from_value(value: Value) -> Option<Self> {
        u16::from_value(value).and_then(|bits| Self::from_bits(u8::try_from(bits).ok()?))
    }

    fn to_value(&self) -> Value {
        Value::Integer(u64::from(self.bits()))
    }
}

impl Field for bool {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Boolean(boolean) => Some(boolean),
            Value::Integer(_) | Value::Text(_) | Value::Addresses(_) | Value::Rules(_) => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Boolean(*self)
    }
}

impl Field for String {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            Value::Integer(_) | Value::Boolean(_) | Value::Addresses(_) | Value::Rules(_) => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Field for PathBuf {
    fn from_value(value: Value) -> Option<Self> {
        String::from_value(value).map(Self::from)
    }

    fn to_value(&self) -> Value {
        Value::Text(self.display().to_string())
    }
}

impl Field for Vec<ListenAddress> {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Addresses(addresses) => Some(addresses),
            Value::Integer(_) | Value::Boolean(_) | Value::Text(_) | Value::Rules(_) => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Addresses(self.clone())
    }
}

impl Field for Vec<DurabilityRule> {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Rules(rules) => Some(rules),
            Value::Integer(_) | Value::Boolean(_) | Value::Text(_) | Value::Addresses(_) => None,
        }
    }

    fn to_value(&self) -> Value {
        Value::Rules(self.clone())
    }
}
