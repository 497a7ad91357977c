//! Owns the list of checkers: what must hold of every run, one file each. They see what can be seen from
//! outside and what is true; they change nothing.

mod acknowledgements;
mod aliases;
mod answers;
mod backlog;
mod closing;
mod contents;
mod deadlines;
mod dup;
mod durability;
mod exactly_once;
mod expiry;
mod groups;
mod legality;
mod loss;
mod one_copy;
mod order;
mod outbox;
mod packet_ids;
mod packet_size;
mod promptness;
mod restart;
mod retained;
mod session_present;
mod space;
mod told;
mod unasked;
mod wills;
mod window;

pub(crate) use retained::AUDITOR;

use crate::{
    observation::Observation,
    truth::{Consequence, Truth},
};
use std::fmt;

/// An invariant. Each has a name of its own, which a failure is reported under.
pub(crate) trait Checker: fmt::Debug {
    /// What the invariant is called.
    fn name(&self) -> &'static str;

    /// Judges one observation.
    ///
    /// # Errors
    /// A sentence that says what was broken.
    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let _ = scene;
        Ok(())
    }

    /// Judges the whole run, when everything is connected and nothing is on its way.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    fn finish(&mut self, truth: &Truth) -> Verdict {
        let _ = truth;
        Ok(())
    }
}

/// Nothing to say, or what was broken.
pub(crate) type Verdict = Result<(), String>;

/// One observation and what it means.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub observation: &'a Observation<'a>,
    pub consequence: &'a Consequence,
    pub truth: &'a Truth,
}

/// Every checker. Where one mistake breaks several invariants, the first of them names it.
#[must_use]
pub(crate) fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(legality::Legality),
        Box::new(restart::Restart::default()),
        Box::new(durability::Durability),
        Box::new(session_present::SessionPresent),
        Box::new(closing::Closing::default()),
        Box::new(deadlines::Deadlines),
        Box::new(wills::Wills::default()),
        Box::new(aliases::Aliases),
        Box::new(packet_size::PacketSize),
        Box::new(dup::Dup),
        Box::new(packet_ids::PacketIds),
        Box::new(window::Window::default()),
        Box::new(order::Order::default()),
        Box::new(groups::Groups),
        Box::new(one_copy::OneCopy),
        Box::new(retained::Retained::default()),
        Box::new(unasked::Unasked),
        Box::new(contents::Contents),
        Box::new(expiry::Expiry),
        Box::new(outbox::Outbox::default()),
        Box::new(promptness::Promptness::default()),
        Box::new(acknowledgements::Acknowledgements),
        Box::new(told::Told),
        Box::new(answers::Answers::default()),
        Box::new(backlog::Backlog::default()),
        Box::new(exactly_once::ExactlyOnce),
        Box::new(loss::Loss),
        Box::new(space::Space),
    ]
}

/// Fails with a sentence unless something holds.
fn ensure(holds: bool, sentence: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(sentence()) }
}
