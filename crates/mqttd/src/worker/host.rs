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
use super::outgoing::Call;
use super::rule::{Load, Meter};
use crate::bed::Bed;
use crate::clock::Clock;

/// How often mail between workers of the thread is handled within one round. A message goes there and what became of
/// it comes back; what follows from that waits for the next round, behind the clients.
const EXCHANGES_MAX: usize = 4;

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
    /// When a worker has something to do by itself.
    due: Timestamp,
    has_ended: bool,
    /// What workers of the thread have for each other.
    calls: Vec<Call>,
    // Kept from round to round.
    called: Vec<Call>,
}

impl Host {
    pub(super) fn new(place: Place, clock: Clock) -> Self {
        let Place { crew, desk, bed } = place;
        let meter = Meter::new(crew.rule(), clock.uptime());
        let places = vec![None; crew.workers()];
        Self {
            crew,
            desk,
            clock,
            bed,
            seats: Vec::new(),
            places,
            now: clock.now(),
            meter,
            due: Timestamp::NEVER,
            has_ended: false,
            calls: Vec::new(),
            called: Vec::new(),
        }
    }

    /// Serves until no worker is left on any thread.
    pub(super) fn run(mut self) {
        while self.crew.is_serving() {
            match self.seats.len() {
                0 => self.bed.sleep_until(Timestamp::NEVER, self.now),
                1 => self.turn(),
                _ => self.round(),
            }
            if self.crew.has_news(self.desk) || self.has_ended {
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
        self.has_ended = seat.has_ended;
        self.count(began);
    }

    /// Gives those workers their turns that have something to do.
    ///
    /// What each worker does in its turn, all do together: what came is handled first, then what they have for each
    /// other, and what that comes to is written then, once.
    fn round(&mut self) {
        self.bed.sleep_until(self.due, self.now);
        let began = self.clock.uptime();
        self.now = self.clock.at(began);
        self.note_events();
        for seat in &mut self.seats {
            seat.begin_turn(self.now);
            self.calls.append(seat.worker.calls());
        }
        self.exchange();
        self.due = Timestamp::NEVER;
        for seat in &mut self.seats {
            seat.end_turn(self.now);
            self.due = self.due.min(seat.due);
            self.has_ended |= seat.has_ended;
        }
        self.count(began);
    }

    /// Notes which workers something has happened to.
    fn note_events(&mut self) {
        let workers = self.places.len();
        for event in self.bed.events() {
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
    }

    /// Lets workers take what others of this thread have for them.
    fn exchange(&mut self) {
        for exchange in 1..=EXCHANGES_MAX {
            if self.calls.is_empty() {
                return;
            }
            std::mem::swap(&mut self.calls, &mut self.called);
            for Call { from, to, mut batch } in self.called.drain(..) {
                let seat = seat_of(to, &mut self.seats, &self.places);
                seat.wake();
                seat.worker.exchange(batch.as_deref_mut(), self.now);
                match exchange {
                    EXCHANGES_MAX => seat.worker.post(),
                    _ => seat.worker.post_or_hand_over(),
                }
                self.calls.append(seat.worker.calls());
                if let Some(batch) = batch {
                    seat_of(from, &mut self.seats, &self.places).worker.take_back(batch);
                }
            }
        }
        // What is left is in their mailboxes, for the next round.
        for call in self.calls.drain(..) {
            seat_of(call.to, &mut self.seats, &self.places).wake();
        }
    }

    /// Measures a round, and follows the rule when that ends a window.
    fn count(&mut self, began: Duration) {
        // One that has ended would wait for ever elsewhere.
        if self.has_ended || !self.meter.count() {
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
        self.has_ended = false;
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
        // Whoever came is awake.
        self.due = Timestamp::ZERO;
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

/// Where a worker sits that another one calls, or is answered.
fn seat_of<'a>(shard: ShardId, seats: &'a mut [Seat], places: &[Option<usize>]) -> &'a mut Seat {
    let place =
        places[usize::from(shard.0)].expect("workers call only those that they were told are beside them");
    &mut seats[place]
}
