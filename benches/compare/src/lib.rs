//! Owns what the comparisons share: the packets they are made with. The codecs and brokers compared are
//! named in the benchmarks.

#[path = "../../src/packets.rs"]
pub mod packets;
