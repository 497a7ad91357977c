#![doc = include_str!("../README.md")]

pub mod config;
mod effect;
mod handshake;
mod held;
mod ids;
mod input;
pub mod journal;
mod message;
mod node;
mod outgoing;
mod peers;
mod recorder;
pub mod retained;
mod retaining;
mod session;
mod shard;
mod stats;
pub mod subscriptions;
mod sys;
mod text;
mod time;
pub mod timers;

#[cfg(test)]
mod testing;

pub use effect::{CloseCause, Contents, Effect, Effects, Frame, OtherEffect};
pub use handshake::refuse_connect;
pub use held::AcknowledgementToken;
pub use ids::{ConnectionId, GroupId, SessionId, ShardId};
pub use input::Input;
pub use message::{Message, MessageRef};
pub use node::Node;
pub use peers::{
    Form, Forwarded, ForwardedRun, HandedOver, PeerBatch, PeerMail, PeerMessage, PeerMessages, ReceivedFrame,
    Recipient, Recipients, Recorded,
};
pub use shard::Shard;
pub use stats::{Counter, ShardStats, Stats, Totals};
pub use time::Timestamp;
