//! Owns the delivery flows as both ends use them.
