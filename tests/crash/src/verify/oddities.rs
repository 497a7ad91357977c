//! Owns turning what was noted during a round into violations. What is noted is decided where it is seen.

use super::{Kind, Violation};
use crate::history::History;

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    for oddity in &history.oddities {
        let text = format!("{}, seen at {}", oddity.text, oddity.at);
        violations.push(Violation { kind: Kind::Oddity, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::At,
        verify::testing::{Story, kinds},
    };

    #[test]
    fn an_oddity_is_a_violation() {
        let mut story = Story::new();
        assert_eq!(kinds(&story.history), []);
        story.history.odd(At(1), "the broker ended by itself".to_owned());
        assert_eq!(kinds(&story.history), [Kind::Oddity]);
    }
}
