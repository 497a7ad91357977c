//! Owns which connections, and listeners, the thread that hosts the worker watches itself. What events mean is decided
//! elsewhere.
//!
//! A thread with several workers waits for their beds, and then asks the one that has something: a poll within a poll
//! and one more call of the system, 0.4 us of the 6.5 that a message costs when nothing comes with it. So connections of
//! which an event has come are watched by the thread from there on. They are few, and all are given back when the worker
//! leaves the thread: to move a million would take half a second.

use broker_core::{ConnectionId, ShardId, Timestamp};
use mio::event::Event;
use mio::{Registry, Token};
use slab::Slab;

use super::Worker;
use super::connections::token;
use super::wait::note_event;
use crate::connection::{Connection, Phase, Reading, Watch};

/// Connections of a worker that its thread watches. To give back so many takes a fifth of a millisecond.
pub(super) const NEAR_MAX: usize = 256;

/// Listeners that it watches; more than that are told of by the worker.
const DOORS_MAX: usize = 8;

/// Numbers of a worker's places.
const BLOCK: usize = NEAR_MAX + DOORS_MAX;

/// Milliseconds between two times at which all are given back, so that those have the places that speak now.
const TURNOVER_MS: u64 = 1_000;

/// The connections of one worker that its thread watches.
#[derive(Debug)]
pub(super) struct Near {
    /// The thread's.
    registry: Registry,
    /// What events call the connection in the first place; the others have the numbers behind, then listeners.
    first: Token,
    places: Slab<ConnectionId>,
    turned_over: Timestamp,
}

impl Near {
    /// No connection of a shard yet, on the thread of this registry, there being so many workers on all threads.
    pub(super) fn new(registry: Registry, shard: ShardId, workers: usize) -> Self {
        let first = Token(workers + usize::from(shard.0) * BLOCK);
        Self { registry, first, places: Slab::new(), turned_over: Timestamp::ZERO }
    }

    /// The shard, as a number, and the place of what events call so; a worker's own token is its shard.
    pub(super) fn place_of(token: Token, workers: usize) -> Option<(usize, usize)> {
        let number = token.0.checked_sub(workers)?;
        Some((number / BLOCK, number % BLOCK))
    }

    /// Watches a connection that its worker's bed, `home`, has told of, if there is room. If there still is something
    /// to be read, it is told of once more.
    pub(super) fn draw(&mut self, connection: &mut Connection, home: &Registry) {
        let may_come = connection.phase == Phase::Open && connection.watch == Watch::Reading;
        // One that ends has nothing more to say.
        if !may_come || connection.reading == Reading::Ending || self.places.len() == NEAR_MAX {
            return;
        }
        let place = self.places.vacant_entry();
        let token = Token(self.first.0 + place.key());
        if connection.transport.lend(home, &self.registry, token).is_ok() {
            connection.watch = Watch::Near;
            place.insert(connection.id);
        }
    }
}

impl Worker {
    /// The thread watches the listeners from here on, and connections.
    pub(super) fn come_near(&mut self, near: Near) {
        debug_assert!(self.near.is_none(), "a worker has one thread");
        self.near = Some(Near { turned_over: self.now, ..near });
        self.lend_doors();
    }

    /// It watches none any more.
    pub(super) fn go_away(&mut self) {
        self.give_all_back();
        if let Some(near) = self.near.take() {
            self.doors.take_back(&near.registry, self.bed.registry());
        }
    }

    /// The thread watches listeners that have come, if it watches any.
    pub(super) fn lend_doors(&mut self) {
        if let Some(near) = &self.near {
            let tokens = (NEAR_MAX..BLOCK).map(|place| Token(near.first.0 + place));
            self.doors.lend(self.bed.registry(), &near.registry, tokens);
        }
    }

    /// Something has happened to the connection, or listener, in a place.
    pub(super) fn note_near(&mut self, place: usize, event: &Event) {
        if place >= NEAR_MAX {
            return self.doors.note_lent(place - NEAR_MAX);
        }
        let id = self.near.as_ref().and_then(|near| near.places.get(place));
        if let Some(connection) = id.and_then(|&id| self.connections.get_mut(id)) {
            note_event(connection, event, &mut self.ready, &mut self.dirty);
        }
    }

    /// Makes room for those that speak now, if there is none and has been none for long enough.
    pub(super) fn turn_over(&mut self) {
        let Some(near) = &mut self.near else { return };
        if near.places.len() == NEAR_MAX && self.now >= near.turned_over.plus_millis(TURNOVER_MS) {
            near.turned_over = self.now;
            self.give_all_back();
        }
    }

    fn give_all_back(&mut self) {
        let places = self.near.as_mut().map(|near| std::mem::take(&mut near.places));
        for (_, id) in places.unwrap_or_default() {
            self.take_home(id);
        }
    }

    /// The worker's own bed tells of a connection again, if the thread's does.
    pub(super) fn give_back(&mut self, id: ConnectionId) {
        if self.connections.get(id).is_some_and(|connection| connection.watch == Watch::Near) {
            self.free_place(id);
            self.take_home(id);
        }
    }

    /// The place of a connection is another's.
    pub(super) fn free_place(&mut self, id: ConnectionId) {
        if let Some(near) = &mut self.near {
            near.places.retain(|_, it| *it != id);
        }
    }

    /// Watches a connection whose place is free. If the system has no room for that, the connection is lost: what has
    /// come is read, and then its end. It does not step: it may be called from within the effects of a step.
    fn take_home(&mut self, id: ConnectionId) {
        let (Some(near), Some(connection)) = (&self.near, self.connections.get_mut(id)) else { return };
        connection.watch = Watch::Reading;
        let home = self.bed.registry();
        if let Err(error) = connection.transport.take_back(&near.registry, home, token(id)) {
            connection.reading = Reading::Ending;
            connection.transport.break_off();
            self.make_ready(id);
            self.say_unserved(id, &error);
        }
    }
}

#[cfg(test)]
mod tests;
