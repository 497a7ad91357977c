#![doc = include_str!("../README.md")]

mod client;
mod connection;
mod error;
mod frame;
mod heard;
mod ledger;
mod load;
mod mark;
mod pace;
mod process;
mod receipts;
mod routes;
mod tally;
mod target;
mod traffic;

pub use client::{Publisher, Subscriber};
pub use error::{Error, Invalid};
pub use hdrhistogram::Histogram;
pub use ledger::Loss;
pub use load::Load;
pub use mark::MARK_BYTES;
pub use mqtt_codec::{ProtocolVersion, QoS, ReasonCode};
pub use process::{Process, Usage};
pub use tally::{Recording, Tally};
pub use target::{Lifetime, Target};
pub use traffic::{Topology, Traffic};
