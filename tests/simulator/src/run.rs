//! The story of a run from its seed to its verdict.

use crate::{
    failure::Failure,
    judge::Judge,
    plant::{Plant, Planted},
    settings::Settings,
    trace::Detail,
    world::World,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

/// How a run went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The invariant that was broken, if one was.
    pub failure: Option<Failure>,
    /// A number over everything that happened: equal for equal runs.
    pub fingerprint: u64,
    /// What happened, as far as it was to be kept.
    pub lines: Vec<String>,
    /// Messages that were accepted.
    pub publications: usize,
    /// Milliseconds of simulated time.
    pub simulated_ms: u64,
}

/// Runs a seed, with a planted bug if one is given.
#[must_use]
pub fn run(seed: u64, plant: Option<Plant>, detail: Detail) -> Outcome {
    let settings = Rc::new(Settings::of_seed(seed));
    let judge = Judge::new(Rc::clone(&settings), detail);
    let mut world = World::new(settings, Planted::new(plant), judge);
    let description = format!("{:?}", world.judge.truth.settings);
    world.judge.trace.line(0, description);
    let ended = catch_unwind(AssertUnwindSafe(|| live(&mut world)));
    if let Err(panic) = ended {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word");
        world.judge.fail("panic", format!("somebody panicked: {text}"));
    }
    Outcome {
        failure: world.judge.failure().cloned(),
        fingerprint: world.judge.trace.fingerprint(),
        publications: world.judge.truth.publications.len(),
        simulated_ms: world.schedule.now_ms(),
        lines: world.judge.trace.into_lines(),
    }
}

/// Clients act; then everything is connected, comes to rest and is judged.
fn live(world: &mut World) {
    let end_ms = world.schedule.now_ms() + world.judge.truth.settings.duration_ms;
    while world.schedule.now_ms() < end_ms && world.judge.failure().is_none() {
        world.advance();
    }
    world.clear_up();
    rest(world);
    all_connect(world);
    world.publish_once_more();
    rest(world);
    // Of one that had been frozen the broker may have lost patience meanwhile.
    all_connect(world);
    let auditor = world.send_auditor();
    rest(world);
    world.audit(auditor);
    rest(world);
    // Twice: one that is under way began before all was done.
    for _ in 0..2 {
        world.tidy_up();
        rest(world);
    }
    world.measure();
    let unfinished = world.unfinished().next();
    if let Some(client) = unfinished {
        let sentence =
            format!("client {client} still waits for an acknowledgement and nothing is on its way");
        world.judge.fail("answers", sentence);
    }
    world.judge.finish(world.schedule.now_ms());
}

fn all_connect(world: &mut World) {
    while !world.reconnect_all() {
        rest(world);
    }
}

/// Milliseconds within which a run comes to rest, unless something goes round in circles. With a window of one and
/// clients that take their time, a backlog takes minutes.
const REST_MS_MAX: u64 = 3_600_000;

/// Goes on until nothing is on its way.
fn rest(world: &mut World) {
    let end_ms = world.schedule.now_ms() + REST_MS_MAX;
    while !world.is_quiet() && world.judge.failure().is_none() {
        if world.schedule.now_ms() > end_ms {
            return world.judge.fail("rest", "the broker does not come to rest".to_owned());
        }
        world.advance();
    }
}
