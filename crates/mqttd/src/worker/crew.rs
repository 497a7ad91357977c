//! Owns who of the threads hosts which workers, and the way of a worker from one to another. What a thread does with
//! its workers is the host's business.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use broker_core::ShardId;
use mio::{Token, Waker};
use parking_lot::{Mutex, MutexGuard};

use super::rule::{Load, Rule};
use super::{EVENTS_MAX, Mailbox, Worker};
use crate::bed::{Bed, NAME_MAX};

/// What events call the thread itself.
pub(super) const THREAD: Token = Token(NAME_MAX);

/// How often the least patience workers must have been together for it to have been right.
const LASTING: u32 = 8;

/// The threads that share the workers: as many of one as of the other, of which as many threads sleep as the load does
/// not need.
pub(crate) struct Crew {
    desks: Vec<Desk>,
    mailboxes: Arc<[Mailbox]>,
    rule: Rule,
    /// Workers that have not ended.
    serving: AtomicUsize,
    trials: Mutex<Trials>,
}

/// Where one thread is handed workers.
struct Desk {
    state: Mutex<State>,
    /// Whether the thread is to look at the state. It does so in each of its rounds.
    has_news: AtomicBool,
    waker: Waker,
}

#[derive(Default)]
struct State {
    /// Workers that are the thread's but that it has not taken yet.
    newcomers: Vec<Box<Worker>>,
    /// All that are the thread's.
    workers: usize,
    /// The only one that it hosts: then it waits on that one's bed, not on its own.
    alone: Option<ShardId>,
    load: Load,
}

/// How attempts to gather have come out.
struct Trials {
    patience: Duration,
    gathered: Option<Duration>,
}

/// One thread's place in the crew.
pub(crate) struct Place {
    pub(super) crew: Arc<Crew>,
    pub(super) desk: usize,
    pub(super) bed: Bed,
}

impl Crew {
    /// The places of as many threads as there are mailboxes.
    pub(crate) fn assemble(mailboxes: &Arc<[Mailbox]>, rule: Rule) -> io::Result<Vec<Place>> {
        let beds = mailboxes.iter().map(|_| Bed::new(EVENTS_MAX)).collect::<io::Result<Vec<_>>>()?;
        let desk = |bed: &Bed| -> io::Result<Desk> {
            let waker = Waker::new(bed.registry(), THREAD)?;
            Ok(Desk { state: Mutex::default(), has_news: AtomicBool::new(false), waker })
        };
        let crew = Arc::new(Self {
            desks: beds.iter().map(desk).collect::<io::Result<_>>()?,
            mailboxes: Arc::clone(mailboxes),
            rule,
            serving: AtomicUsize::new(beds.len()),
            trials: Mutex::new(Trials { patience: rule.patience_min, gathered: None }),
        });
        let place = |(desk, bed)| Place { crew: Arc::clone(&crew), desk, bed };
        Ok(beds.into_iter().enumerate().map(place).collect())
    }

    pub(super) fn rule(&self) -> Rule {
        self.rule
    }

    pub(super) fn workers(&self) -> usize {
        self.mailboxes.len()
    }

    /// A worker is ready to serve. All begin on the first thread: there is no load yet.
    pub(super) fn begin(&self, worker: Box<Worker>) {
        let mut state = self.desks[0].state.lock();
        state.newcomers.push(worker);
        self.have_arrived(0, &mut state, 1, Duration::ZERO);
    }

    /// Hands workers to a thread that has none, if there is one, and tells how many.
    pub(super) fn spread(&self, now: Duration, give: impl FnOnce(&mut Vec<Box<Worker>>)) -> Option<usize> {
        let (desk, mut state) = find(&self.desks, |state| state.workers == 0)?;
        give(&mut state.newcomers);
        let given = state.newcomers.len();
        self.have_arrived(desk, &mut state, given, now);
        drop(state);
        self.trials.lock().judge(now, &self.rule);
        Some(given)
    }

    /// Hands all workers of a thread to one before it whose work is light as well, if there is one, and tells how many.
    pub(super) fn gather(
        &self,
        from: usize,
        load: &Load,
        give: impl FnOnce(&mut Vec<Box<Worker>>),
    ) -> Option<usize> {
        let mut trials = self.trials.lock();
        let suits = |state: &State| {
            let loads = [load, &state.load];
            state.workers > 0 && self.rule.asks_to_gather(loads, load.ended, trials.patience)
        };
        let (desk, mut state) = find(&self.desks[..from], suits)?;
        let present = state.newcomers.len();
        give(&mut state.newcomers);
        let given = state.newcomers.len() - present;
        self.have_arrived(desk, &mut state, given, load.ended);
        drop(state);
        trials.gathered = Some(load.ended);
        Some(given)
    }

    fn have_arrived(&self, desk: usize, state: &mut State, workers: usize, now: Duration) {
        state.workers += workers;
        // What it was before says nothing of what it is with them.
        state.load.short_since = now;
        self.wake(desk, state);
    }

    fn wake(&self, desk: usize, state: &State) {
        let Desk { has_news, waker, .. } = &self.desks[desk];
        has_news.store(true, SeqCst);
        match state.alone {
            Some(worker) => self.mailboxes[usize::from(worker.0)].nudge(),
            None => waker.wake().expect("a counter of the system's that exists can be counted up"),
        }
    }

    /// Says what a thread's last window came to.
    pub(super) fn tell(&self, desk: usize, load: Load) {
        self.desks[desk].state.lock().load = load;
    }

    #[inline]
    pub(super) fn has_news(&self, desk: usize) -> bool {
        self.desks[desk].has_news.load(SeqCst)
    }

    /// A thread takes whom it was handed and says whom it hosts. From then on it is woken where it waits.
    pub(super) fn settle(
        &self,
        desk: usize,
        gone: usize,
        take: impl FnOnce(&mut Vec<Box<Worker>>) -> Option<ShardId>,
    ) {
        let Desk { state, has_news, .. } = &self.desks[desk];
        let mut state = state.lock();
        has_news.store(false, SeqCst);
        state.workers -= gone;
        state.alone = take(&mut state.newcomers);
    }

    /// Whether any worker serves.
    pub(super) fn is_serving(&self) -> bool {
        self.serving.load(SeqCst) > 0
    }

    /// A worker has ended. With the last of them every thread does.
    pub(super) fn has_ended(&self) {
        if self.serving.fetch_sub(1, SeqCst) == 1 {
            for (desk, place) in self.desks.iter().enumerate() {
                self.wake(desk, &place.state.lock());
            }
        }
    }
}

impl Trials {
    /// Workers spread. Soon after they were gathered that was in vain, and is not tried again so soon.
    fn judge(&mut self, now: Duration, rule: &Rule) {
        let Some(gathered) = self.gathered.take() else { return };
        let was_in_vain = now.saturating_sub(gathered) < LASTING * rule.patience_min;
        let doubled = (2 * self.patience).min(rule.patience_max);
        self.patience = if was_in_vain { doubled } else { rule.patience_min };
    }
}

/// The first desk of such a state. One that somebody is at just now is left out: it changes.
fn find(desks: &[Desk], suits: impl Fn(&State) -> bool) -> Option<(usize, MutexGuard<'_, State>)> {
    let mut desks = desks.iter().enumerate();
    desks.find_map(|(desk, Desk { state, .. })| Some((desk, state.try_lock().filter(|state| suits(state))?)))
}

#[cfg(test)]
mod tests;
