//! Owns which delivered messages are printed: not those that were filtered out, of retained and live ones those that
//! were asked for, and of all a share chosen at random.

use dunlin_client::Message;
use mqtt_codec::TopicFilter;
use std::hash::{BuildHasher, RandomState};

/// Which messages are handled at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) filter_out: Vec<TopicFilter>,
    pub(super) retained: RetainedSelection,
    /// Out of a thousand messages, how many are printed.
    pub(super) random_per_mille: u16,
}

/// Which of retained and live messages are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetainedSelection {
    All,
    /// `-R`
    LiveOnly,
    /// `--retained-only`
    RetainedOnly,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Print,
    Skip,
    /// The retained messages have all come: end.
    End,
}

impl Selection {
    /// Judges one message.
    pub(super) fn judge(&self, message: &Message, random: &mut Random) -> Verdict {
        match (self.retained, message.retain) {
            (RetainedSelection::RetainedOnly, false) => return Verdict::End,
            (RetainedSelection::LiveOnly, true) => return Verdict::Skip,
            (RetainedSelection::All, _)
            | (RetainedSelection::RetainedOnly, true)
            | (RetainedSelection::LiveOnly, false) => {}
        }
        let filtered_out = self.filter_out.iter().any(|filter| filter.matches(&message.topic));
        if filtered_out || random.per_mille() >= self.random_per_mille {
            return Verdict::Skip;
        }
        Verdict::Print
    }
}

/// Random numbers of no cryptographic worth: SplitMix64 from a seed that differs with each process.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    /// From 0 to 999, each as likely.
    fn per_mille(&mut self) -> u16 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u16::try_from((mixed ^ (mixed >> 31)) % 1000).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Random, RetainedSelection, Selection, Verdict};
    use dunlin_client::Message;
    use mqtt_codec::TopicFilter;

    fn all() -> Selection {
        Selection { filter_out: Vec::new(), retained: RetainedSelection::All, random_per_mille: 1000 }
    }

    fn check(selection: &Selection, topic: &str, live: Verdict, retained: Verdict) {
        let message = Message::new(topic, "").unwrap();
        let mut random = Random(0);
        assert_eq!(selection.judge(&message, &mut random), live, "{topic}");
        assert_eq!(selection.judge(&message.retained(), &mut random), retained, "{topic}");
    }

    #[test]
    fn retained_and_live_messages_are_told_apart() {
        let of = |retained| Selection { retained, ..all() };
        check(&all(), "a", Verdict::Print, Verdict::Print);
        check(&of(RetainedSelection::LiveOnly), "a", Verdict::Print, Verdict::Skip);
        check(&of(RetainedSelection::RetainedOnly), "a", Verdict::End, Verdict::Print);
    }

    #[test]
    fn what_any_filter_matches_is_left_out() {
        let filters = ["a/#", "+/b"].map(|filter| TopicFilter::owned(filter).unwrap());
        let selection = Selection { filter_out: filters.to_vec(), ..all() };
        check(&selection, "a/x/y", Verdict::Skip, Verdict::Skip);
        check(&selection, "c/b", Verdict::Skip, Verdict::Skip);
        check(&selection, "c/d", Verdict::Print, Verdict::Print);
    }

    #[test]
    fn a_random_share_is_about_as_large_as_asked_for() {
        let selection = Selection { random_per_mille: 250, ..all() };
        let (message, mut random) = (Message::new("a", "").unwrap(), Random(1));
        let printed =
            (0..10_000).filter(|_| selection.judge(&message, &mut random) == Verdict::Print).count();
        assert!((2_300..2_700).contains(&printed), "{printed}");
    }
}
