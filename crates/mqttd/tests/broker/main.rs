//! Owns the proof that the real binary serves real sockets: every byte here is written by hand, so that
//! no client of ours hides what happens. What packets mean is proven beside the engine.

mod bytes;
mod closing;
mod delivery;
mod ending;
mod handshake;
mod harness;
mod pressure;
