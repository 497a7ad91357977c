//! The whole broker in one thread: several shards, the mailboxes between them, many clients of all versions and a
//! bad network, all of which follows from one seed. What must hold of every run is in `checkers`, what clients do
//! in `scenario`, what is true in `truth`; the story of a run is in `run`.

mod checkers;
mod client;
mod failure;
mod judge;
mod observation;
mod plant;
mod random;
mod run;
mod scenario;
mod schedule;
mod settings;
mod trace;
mod truth;
mod world;

pub use failure::Failure;
pub use plant::Plant;
pub use run::{Outcome, run};
pub use trace::Detail;

/// The names of all checkers, as failures are reported under.
pub fn checkers() -> impl Iterator<Item = &'static str> {
    checkers::all().into_iter().map(|checker| checker.name())
}
