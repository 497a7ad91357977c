//! Owns the rounds of one thread and the workers that it hosts. When they change threads is the rule's business, what
//! one does in its turn the worker's.

mod seat;

use std::sync::Arc;
use std::time::Duration;

use broker_core::{ShardId, Timestamp};

use self::seat::Seat;
use super::Worker;
use super::crew::{Crew, Place};
use super::near::Near;
use super::rule::{Load, Meter};
use crate::bed::Bed;
use crate::clock::Clock;

/// How often mail between workers of the thread is handled within one round. A message goes there and what became of
/// it comes back; what follows from that waits for the next round, behind the clients.
const EXCHANGES_MAX: usize = 4;

/// Time between two looks at workers whose events the system has no room to tell of.
const BLIND_PAUSE: Duration = Duration::from_millis(1);

/// One thread. With one worker, it waits where the worker does. With several it waits for any of them, and gives a
/// turn to those that have something to do: one that has not costs a glance, no system call.
pub(super) struct Host {
    crew: Arc<Crew>,
    desk: usize,
    clock: Clock,
    /// Which tells of the beds of several workers.
    bed: Bed,
    seats: Vec<Seat>,
    /// Where in `seats` each worker sits, by shard; none if it is on another thread.
    places: Vec<Option<usize>>,
    /// The beginning of the last round.
    now: Timestamp,
    meter: Meter,
    /// Workers that others of the thread have something for.
    noted: Vec<ShardId>,
    // Kept from round to round.
    called: Vec<ShardId>,
}

impl Host {
    pub(super) fn new(place: Place, clock: Clock) -> Self {
        let Place { crew, desk, bed } = place;
        let meter = Meter::new(crew.rule(), clock.uptime());
        let places = vec![None; crew.workers()];
        let (seats, noted, called) = (Vec::new(), Vec::new(), Vec::new());
        Self { crew, desk, clock, bed, seats, places, now: clock.now(), meter, noted, called }
    }

    /// Serves until no worker is left on any thread.
    pub(super) fn run(mut self) {
        while self.crew.is_serving() {
            match self.seats.len() {
                0 => self.bed.sleep_until(Timestamp::NEVER, self.now),
                1 => self.turn(),
                _ => self.round(),
            }
            if self.crew.has_news(self.desk) || self.seats.iter().any(|seat| seat.has_ended) {
                self.let_ended_go();
            }
        }
    }

    /// Gives the only worker its turn.
    fn turn(&mut self) {
        let seat = &mut self.seats[0];
        seat.worker.wait();
        let began = self.clock.uptime();
        self.now = self.clock.at(began);
        seat.worker.begin_turn(self.now);
        seat.worker.end_turn();
        seat.has_ended = seat.worker.has_ended();
        self.count(began);
    }

    /// Gives those workers their turns that have something to do.
    ///
    /// What each worker does in its turn, all do together: what came is handled first, then what they have for each
    /// other, and what that comes to is written then, once.
    fn round(&mut self) {
        self.sleep();
        let began = self.clock.uptime();
        self.now = self.clock.at(began);
        self.wake_seats();
        for seat in self.seats.iter_mut().filter(|seat| seat.is_awake) {
            seat.begin_turn(self.now);
            self.noted.append(seat.worker.noted());
        }
        self.exchange();
        for seat in self.seats.iter_mut().filter(|seat| seat.is_awake) {
            seat.worker.end_turn();
            self.noted.append(seat.worker.noted());
        }
        self.wake_noted();
        for seat in self.seats.iter_mut().filter(|seat| seat.is_awake) {
            seat.rest();
        }
        self.count(began);
    }

    /// Sleeps until a worker has something to do.
    fn sleep(&mut self) {
        if self.seats.iter().any(|seat| seat.is_awake) {
            return self.bed.look();
        }
        let due = self.seats.iter().map(|seat| seat.due).fold(Timestamp::NEVER, Timestamp::min);
        match self.seats.iter().all(|seat| seat.is_registered) {
            true => self.bed.sleep_until(due, self.now),
            false => self.bed.doze(due.since(self.now).min(BLIND_PAUSE)),
        }
    }

    /// Wakes the workers that something has happened to, or that are due.
    fn wake_seats(&mut self) {
        for event in self.bed.events() {
            let workers = self.places.len();
            let near = Near::place_of(event.token(), workers);
            let shard = near.map_or(event.token().0, |(shard, _)| shard);
            let Some(&Some(place)) = self.places.get(shard) else { continue };
            let seat = &mut self.seats[place];
            match near {
                Some((_, connection)) => seat.worker.note_near(connection, event),
                None => seat.has_events = true,
            }
            seat.wake();
        }
        for seat in &mut self.seats {
            seat.has_events |= !seat.is_registered;
            if seat.has_events || seat.due <= self.now {
                seat.wake();
            }
        }
    }

    /// Lets workers take what others of this thread have for them.
    fn exchange(&mut self) {
        for _ in 0..EXCHANGES_MAX {
            if self.noted.is_empty() {
                return;
            }
            std::mem::swap(&mut self.noted, &mut self.called);
            for shard in self.called.drain(..) {
                let Some(place) = self.places[usize::from(shard.0)] else { continue };
                let seat = &mut self.seats[place];
                seat.wake();
                seat.worker.exchange(self.now);
                self.noted.append(seat.worker.noted());
            }
        }
        self.wake_noted();
    }

    /// Has workers look at their mail in the next round.
    fn wake_noted(&mut self) {
        for shard in self.noted.drain(..) {
            if let Some(place) = self.places[usize::from(shard.0)] {
                self.seats[place].wake();
            }
        }
    }

    /// Measures a round, and follows the rule when that ends a window.
    fn count(&mut self, began: Duration) {
        // One that has ended would wait for ever elsewhere.
        if self.seats.iter().any(|seat| seat.has_ended) {
            return;
        }
        if !self.meter.count() {
            return;
        }
        let Some(load) = self.meter.measure(began, self.clock.uptime()) else { return };
        self.crew.tell(self.desk, load);
        if self.seats.len() > 1 && self.crew.rule().asks_to_spread(&load) {
            self.spread(load.ended);
        } else if self.desk > 0 {
            self.gather(&load);
        }
    }

    /// Gives half of the workers to an idle thread.
    fn spread(&mut self, now: Duration) {
        let kept = self.seats.len().div_ceil(2);
        let (seats, bed) = (&mut self.seats, &self.bed);
        let give = |given: &mut Vec<_>| given.extend(seats.drain(kept..).map(|seat| seat.leave(bed)));
        if let Some(gone) = self.crew.spread(now, give) {
            self.settle(gone);
        }
    }

    /// Gives all workers to a thread before this one.
    fn gather(&mut self, load: &Load) {
        let (seats, bed) = (&mut self.seats, &self.bed);
        let give = |given: &mut Vec<_>| given.extend(seats.drain(..).map(|seat| seat.leave(bed)));
        if let Some(gone) = self.crew.gather(self.desk, load, give) {
            self.settle(gone);
        }
    }

    /// Workers that have ended are no more, and those that came are served.
    fn let_ended_go(&mut self) {
        let before = self.seats.len();
        self.seats.retain(|seat| !seat.has_ended);
        let ended = before - self.seats.len();
        self.settle(ended);
        for _ in 0..ended {
            self.crew.has_ended();
        }
    }

    /// Takes whom the thread was handed; so many have gone.
    fn settle(&mut self, gone: usize) {
        let seats = &mut self.seats;
        self.crew.settle(self.desk, gone, |newcomers| {
            seats.extend(newcomers.drain(..).map(Seat::new));
            if let [only] = seats.as_slice() { Some(only.shard) } else { None }
        });
        let are_several = self.seats.len() > 1;
        let workers = self.places.len();
        self.places.fill(None);
        for (place, seat) in self.seats.iter_mut().enumerate() {
            self.places[usize::from(seat.shard.0)] = Some(place);
            seat.arrange(&self.bed, are_several, workers);
        }
        let beside: Arc<[bool]> = match are_several {
            true => self.places.iter().map(Option::is_some).collect(),
            false => Arc::default(),
        };
        for seat in &mut self.seats {
            seat.worker.set_beside(Arc::clone(&beside));
        }
        self.meter.begin_anew(self.clock.uptime());
    }
}
