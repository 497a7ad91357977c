//! Owns which copy for a group a PUBLISH is. Several groups may owe one session copies that are alike; then the
//! sendings are matched to the copies so that all of them are explained, if that can be.

use super::{Attribution, SharedId, SharedSend, SharedSendId, Source, Truth, attribute::Seen};
use mqtt_codec::QoS;

impl Truth {
    /// None if no group owes the session anything like this.
    pub(super) fn find_shared(&mut self, seen: &Seen<'_>) -> Option<Attribution> {
        let candidates = self.shared_by_key.get(seen.key).cloned().unwrap_or_default();
        let id = self.shared_sends.len();
        self.shared_sends.push(SharedSend {
            copy: SharedId::MAX,
            session: seen.session,
            qos: seen.qos,
            retain: seen.retain,
            identifiers: seen.identifiers.clone(),
            receipts: 0,
        });
        if self.place(id, &candidates, &mut Vec::new()) {
            return Some(Attribution::First(Source::Shared(id)));
        }
        let is_owed = candidates.iter().any(|&copy| self.fits(id, copy));
        self.shared_sends.pop();
        is_owed.then_some(Attribution::SharedTwice)
    }

    /// Makes a sending one of a copy that it fits, moving another to a third if need be.
    fn place(&mut self, send: SharedSendId, candidates: &[SharedId], tried: &mut Vec<SharedId>) -> bool {
        for &copy in candidates {
            if tried.contains(&copy) || !self.fits(send, copy) {
                continue;
            }
            tried.push(copy);
            let in_the_way = self.in_the_way(copy);
            if in_the_way.is_none_or(|other| self.place(other, candidates, tried)) {
                self.shared_copies[copy].sends.push(send);
                let former = std::mem::replace(&mut self.shared_sends[send].copy, copy);
                if let Some(former) = self.shared_copies.get_mut(former) {
                    former.sends.retain(|&other| other != send);
                }
                return true;
            }
        }
        false
    }

    /// Whether a sending can be one of a copy: the session is or was a member, with options that make it so.
    fn fits(&self, send: SharedSendId, copy: SharedId) -> bool {
        let (send, copy) = (&self.shared_sends[send], &self.shared_copies[copy]);
        let publication = &self.publications[copy.publication];
        let options = self.groups[&copy.group].options.get(&send.session);
        options.into_iter().flatten().any(|options| {
            let own = [options.identifier];
            let expected = if options.identifier == 0 { &[][..] } else { &own };
            send.qos == options.qos.min(publication.qos)
                && send.retain == (publication.retain && options.retain_as_published)
                && send.identifiers.as_ref().is_none_or(|identifiers| identifiers == expected)
        })
    }

    /// The sending that keeps a copy from being sent once more: any, but one at QoS 1 to a member that has
    /// ended since `[MQTT5-4.8.2-4]` `[MQTT5-4.8.2-5]`.
    fn in_the_way(&self, copy: SharedId) -> Option<SharedSendId> {
        let was_left = |&&send: &&SharedSendId| {
            let send = &self.shared_sends[send];
            send.qos == QoS::AtLeastOnce && self.sessions[send.session].has_ended
        };
        self.shared_copies[copy].sends.iter().find(|send| !was_left(send)).copied()
    }
}
