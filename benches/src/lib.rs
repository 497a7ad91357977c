//! Owns what the benchmarks share. Comparisons with other codecs and brokers are in a package of their own.

pub mod fan_out;
pub mod packets;
