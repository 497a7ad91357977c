//! Owns what becomes of an observation: it is written down, made part of the truth, and shown to every
//! checker. The first invariant broken ends the run.

use crate::{
    checkers::{self, Checker, Scene},
    failure::Failure,
    observation::Observation,
    settings::Settings,
    trace::{Detail, Trace, describe},
    truth::Truth,
};
use std::rc::Rc;

/// Looks on, and knows what is right.
#[derive(Debug)]
pub(crate) struct Judge {
    /// What is true so far.
    pub truth: Truth,
    /// What happened so far.
    pub trace: Trace,
    checkers: Vec<Box<dyn Checker>>,
    failure: Option<Failure>,
}

impl Judge {
    /// A judge who has seen nothing.
    #[must_use]
    pub(crate) fn new(settings: Rc<Settings>, detail: Detail) -> Self {
        Self {
            truth: Truth::new(settings),
            trace: Trace::new(detail),
            checkers: checkers::all(),
            failure: None,
        }
    }

    /// Takes note of something and judges it.
    pub(crate) fn observe(&mut self, now_ms: u64, observation: &Observation<'_>) {
        if self.failure.is_some() {
            return;
        }
        if !matches!(observation, Observation::StepEnded) {
            self.trace.line(now_ms, describe(observation));
        }
        let consequence = self.truth.apply(now_ms, observation);
        let scene = Scene { observation, consequence: &consequence, truth: &self.truth };
        let found = self
            .checkers
            .iter_mut()
            .find_map(|checker| Some((checker.name(), checker.observe(&scene).err()?)));
        if let Some((checker, sentence)) = found {
            self.fail(checker, sentence);
        }
    }

    /// Judges the run as a whole.
    pub(crate) fn finish(&mut self, now_ms: u64) {
        if self.failure.is_some() {
            return;
        }
        self.truth.now_ms = now_ms;
        self.truth.settle();
        let found = self
            .checkers
            .iter_mut()
            .find_map(|checker| Some((checker.name(), checker.finish(&self.truth).err()?)));
        if let Some((checker, sentence)) = found {
            self.fail(checker, sentence);
        }
    }

    /// Ends the run for a reason of the simulator's own.
    pub(crate) fn fail(&mut self, checker: &'static str, sentence: String) {
        let settings = &self.truth.settings;
        let (seed, at_ms, recent) = (settings.seed, self.truth.now_ms, self.trace.recent());
        let circumstances = settings.summary();
        self.failure.get_or_insert(Failure { seed, checker, at_ms, sentence, circumstances, recent });
    }

    /// The invariant that was broken, if one was.
    #[must_use]
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }
}
