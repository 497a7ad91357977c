//! Owns the proof of the codec's public API: what is legal is accepted and comes back as it was, what is
//! illegal is refused with its statement. Private parsers are tested beside their code.

mod encode;
mod errors;
mod examples;
mod flow;
mod hex;
mod illegal;
mod limits;
mod properties;
mod random;
mod snapshots;
mod stream;
mod targets;
mod topics;
