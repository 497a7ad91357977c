//! Real `mqttd` processes killed at random instants under load of real clients, restarted on their data, and held
//! to everything they had acknowledged. The story of a round is in `round`, what must hold of it in `verify`;
//! nothing here knows how the broker keeps its data.

mod client;
mod clock;
mod connection;
mod daemon;
mod history;
mod independent;
mod options;
mod payload;
mod plan;
mod probe;
mod random;
mod report;
mod round;
mod run;
mod stage;
mod verify;

pub use options::{Inspection, Interruption, Options};
pub use report::Report;
pub use run::{Failure, run};
