//! The harness of the integration and interoperability tests: brokers, programs and peers that speak raw bytes.
//! It knows the protocol only as far as telling packets apart takes; what is right is for each test to say.

mod address;
mod broker;
mod mosquitto;
mod normal;
pub mod notation;
mod program;
mod proxy;
mod scenario;
mod tools;
mod wire;

pub use broker::{Broker, Home, Settings};
pub use mosquitto::Mosquitto;
pub use program::{Finished, Program};
pub use proxy::Proxy;
pub use scenario::{
    Scenario, WORKERS, at_once, everywhere, everywhere_with, in_version, in_version_with, in_worlds,
};
pub use tools::{binary, external, interop_folder, script};
pub use wire::Wire;

use std::time::Duration;

/// How long a test waits for what must happen. It is generous because the machine may be busy: a test that passes
/// never waits this long.
pub const PATIENCE: Duration = Duration::from_secs(30);
