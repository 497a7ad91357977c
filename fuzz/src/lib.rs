//! Owns the way from the fuzz targets to their bodies, which the tests of the codec, of the
//! engine and of the journal run on stable too. Nothing is asserted here.

#[path = "../../crates/mqtt-codec/tests/codec/targets.rs"]
#[expect(dead_code, reason = "the codec's own tests use all of it")]
mod targets;

#[path = "../../crates/broker-core/tests/fuzz/shard.rs"]
mod engine;

#[path = "../../crates/journal/tests/fuzz/recovery.rs"]
mod recovery;

/// Any bytes end in a packet or an error, and the packet answers every question.
pub fn decode(input: &[u8]) {
    targets::decode(input);
}

/// What decodes encodes to an equal packet.
pub fn round_trip(input: &[u8]) {
    targets::round_trip(input);
}

/// However a stream is cut, the same packets come out of it.
pub fn stream(input: &[u8]) {
    targets::stream(input);
}

/// Topics are legal and match as a reference written for clarity says.
pub fn topic_match(input: &[u8]) {
    targets::topic_match(input);
}

/// Whatever a program of connections, packets and peer messages does, the broker sends each client only
/// what it may be sent.
pub fn shard(input: &[u8]) {
    engine::run(input);
}

/// Whatever stands in the segments of a journal, opening it invents, alters and passes over nothing.
pub fn journal_recovery(input: &[u8]) {
    recovery::run(input);
}
