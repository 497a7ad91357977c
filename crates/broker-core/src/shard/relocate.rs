//! Owns the move to other places of the journal: which records in a range of it this shard still needs, and
//! going over to their copies. Copying them is the caller's business.
//!
//! A range is given up in two steps, so that nothing is read on a shard's thread: a survey says what must be
//! copied, and the checkpoint after that names the copies. Until that checkpoint is durable the former places
//! are good, and their references stand.

use super::Shard;
use crate::{
    effect::{Effects, OtherEffect},
    ids::SessionId,
    journal::Position,
    message::{Message, MessageRef},
    retained::{Page, RetainedCursor},
    session::Queued,
};
use std::sync::Arc;

/// Messages looked at in one tick, about.
const LOOKED_AT_PER_TICK: usize = 4_096;

/// How far a survey has come.
#[derive(Debug)]
pub(super) struct Survey {
    from: Position,
    to: Position,
    /// The place of the next session in the table.
    place: usize,
    /// The next retained message; none on all shards but the first.
    retained: Option<RetainedCursor>,
    found: Vec<Position>,
}

impl Survey {
    fn look_at(&mut self, position: Position) {
        if position.is_some() && self.from <= position && position < self.to {
            self.found.push(position);
        }
    }
}

impl Shard {
    /// Begins a survey. One that was being made is given up.
    pub(super) fn begin_survey(&mut self, from: Position, to: Position) {
        let retained = (self.id.0 == 0).then(RetainedCursor::default);
        self.survey = Some(Survey { from, to, place: 0, retained, found: Vec::new() });
    }

    /// Looks at some more.
    pub(super) fn survey_slice(&mut self, effects: &mut Effects) {
        let Some(mut survey) = self.survey.take() else { return };
        if self.survey_sessions(&mut survey) == Page::More || self.survey_retained(&mut survey) == Page::More
        {
            self.survey = Some(survey);
            return;
        }
        survey.found.sort_unstable();
        survey.found.dedup();
        effects.push_other(OtherEffect::Surveyed(survey.found));
    }

    fn survey_sessions(&self, survey: &mut Survey) -> Page {
        let mut looked_at = 0;
        while looked_at < LOOKED_AT_PER_TICK {
            let Some((id, next)) = self.sessions.next_from(survey.place) else { return Page::Done };
            survey.place = next;
            let Some(session) = self.sessions.get(id) else { continue };
            looked_at += 1 + session.outbound.len();
            let in_flight = session.outbound.sender.iter().filter_map(|it| it.message.as_ref());
            for queued in in_flight.chain(session.outbound.waiting()) {
                survey.look_at(queued.position());
            }
        }
        Page::More
    }

    fn survey_retained(&self, survey: &mut Survey) -> Page {
        let Some(mut cursor) = survey.retained.take() else { return Page::Done };
        let end = self
            .node
            .retained
            .walk(&mut cursor, LOOKED_AT_PER_TICK, |message| survey.look_at(message.position));
        survey.retained = Some(cursor);
        end
    }

    /// Has a session go over to copies, just before a checkpoint writes it.
    pub(super) fn go_over_to_copies(&mut self, id: SessionId) {
        if self.copies.is_empty() {
            return;
        }
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (copies, recorder) = (&self.copies, &mut self.recorder);
        session.outbound.for_each_mut(|queued: &mut Queued| {
            if let Some(copy) = copy_of(copies, queued.position()) {
                recorder.release(queued.position());
                recorder.refer(copy, 1);
                queued.set_position(copy);
            }
        });
    }

    /// Has the retained store go over to copies, just before a checkpoint writes a page of it.
    pub(super) fn retain_copies(&mut self, former: &[Arc<Message>]) {
        for message in former {
            let Some(copy) = copy_of(&self.copies, message.position) else { continue };
            let copied = MessageRef { position: copy, ..message.borrow() }.share();
            // Set anew meanwhile: then the copy is not needed.
            let is_same = |present: &Arc<Message>| present.position == message.position;
            if self.node.retained.replace(message.topic().text(), copied, is_same) {
                self.recorder.release(message.position);
                self.recorder.refer(copy, 1);
            }
        }
    }
}

/// Where a record has been copied to, if it has.
pub(super) fn copy_of(copies: &[(Position, Position)], position: Position) -> Option<Position> {
    let index = copies.binary_search_by_key(&position, |&(former, _)| former).ok()?;
    Some(copies[index].1)
}
