#![doc = include_str!("../README.md")]
#![no_std]
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod error;
pub mod flow;
mod frame;
pub mod packet;
mod property;
mod qos;
mod read;
mod reason;
mod storage;
mod text;
pub mod topic;
mod varint;
mod version;
mod write;

pub use error::{DecodeError, EncodeError, Violation};
pub use frame::{Frame, FrameHeader, MAXIMUM_PACKET_BYTES, frame};
pub use packet::{Packet, PacketId, PacketRef, PacketType};
pub use property::{
    PayloadFormat, Properties, PropertiesRef, Property, PropertyId, PropertyIter, PropertyOwner, TopicAlias,
};
pub use qos::QoS;
pub use reason::ReasonCode;
pub use storage::{Borrowed, Owned, Storage};
pub use topic::{TopicFilter, TopicFilterRef, TopicName, TopicNameRef};
pub use version::ProtocolVersion;
pub use write::Output;
