//! Owns the delivery flows that client and server share: packet identifiers, both sides of the QoS 1
//! and 2 handshakes with their windows, and topic aliases. Sockets, storage and time are the caller's.
//!
//! ```text
//!            sender                                receiver
//! QoS 1   PUBLISH ─────────────────────────────▶  deliver once or more
//!                 ◀───────────────────────────── PUBACK
//! QoS 2   PUBLISH ─────────────────────────────▶  remember the identifier, deliver once
//!   Published     ◀───────────────────────────── PUBREC
//!   Received      PUBREL ────────────────────────▶  forget the identifier
//!                 ◀───────────────────────────── PUBCOMP
//! ```

mod alias;
mod packet_ids;
mod receiver;
mod sender;

pub use alias::{InboundAliases, OutboundAlias, OutboundAliases};
pub use packet_ids::PacketIds;
pub use receiver::{Inbound, Receiver, Released};
pub use sender::{InFlight, Progress, Resend, Sender, Step, Unexpected};
