//! Owns the tests of the protocol.
