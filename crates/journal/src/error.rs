//! Owns what a person reads when the journal cannot go on: who is guilty, where, and what to do. When that is the case
//! is decided elsewhere.

mod commit;
mod flaw;
mod open;
mod read;

pub use commit::{CommitError, Failure, Operation};
pub use flaw::{Damage, Flaw};
pub use open::{OpenError, ReplayError};
pub use read::ReadError;
