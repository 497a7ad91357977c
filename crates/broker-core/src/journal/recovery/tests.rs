//! Proves the rules of replay one by one: records in, the state of sessions and retained messages out, as text.
//! Records stand at 100, 200, 300 and so on.

mod history;
mod in_flight;
mod left;
mod log;
mod queues;
mod retained;
mod sessions;
mod slices;
