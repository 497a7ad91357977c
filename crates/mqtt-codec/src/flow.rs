//! Owns the delivery flows both ends share.
