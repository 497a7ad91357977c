//! Owns the proof of the engine's behaviour through its one door: packets in, packets out, time by hand.
//! Its parts are tested beside their code.

mod aliases;
mod capabilities;
mod connect;
mod crossing;
mod delivery;
mod durable;
mod expiry;
mod hold;
mod illegal;
mod keep_alive;
mod limits;
mod on_the_way;
mod overlapping;
mod paging;
mod placement;
mod properties;
mod queues;
mod reasons;
mod redelivery;
mod restart;
mod retained;
mod routes;
mod sessions;
mod shared;
mod shutdown;
mod sizes;
mod subscribe;
mod support;
mod sys;
mod takeover;
mod together;
mod wills;
mod windows;
