//! Owns what every copy that must come has come to, when all is over: which of them nobody got, and without an
//! excuse.

use super::{Excuse, Send, SendId, Slot, Truth};
use mqtt_codec::QoS;

impl Truth {
    /// Finds out which copies must have come and did not. Where sendings were taken for copies that only may come, and
    /// are just as well copies that must, they are taken for those.
    pub(crate) fn settle(&mut self) {
        for slot in self.all_slots() {
            if self.must_come(slot) && !self.has_come(slot) && !self.fill(slot, &mut Vec::new()) {
                self.lost.push(slot);
            }
        }
    }

    fn all_slots(&self) -> Vec<Slot> {
        let ordinary = (0..self.copies.len()).map(Slot::Ordinary);
        let shared = (0..self.shared_copies.len()).map(Slot::Shared);
        let retained = self.sessions.iter().enumerate().flat_map(|(session, known)| {
            known.retained.iter().enumerate().flat_map(move |(delivery, known)| {
                let expected = known.expected.iter();
                expected.map(move |&publication| Slot::Retained { session, delivery, publication })
            })
        });
        ordinary.chain(shared).chain(retained).collect()
    }

    /// Finds a sending that was received for a copy, and one for the copy it is taken from.
    fn fill(&mut self, slot: Slot, tried: &mut Vec<SendId>) -> bool {
        let key = &self.publications[self.publication_in(slot)].key;
        let is_candidate =
            |send: &Send| send.key == *key && send.receipts > 0 && self.slots(send).contains(&slot);
        let candidates: Vec<SendId> =
            (0..self.sends.len()).filter(|&send| is_candidate(&self.sends[send])).collect();
        for send in candidates {
            let Some(former) = self.sends[send].slot.filter(|_| !tried.contains(&send)) else { continue };
            tried.push(send);
            self.assign(send, slot);
            if !self.must_come(former) || self.has_come(former) || self.fill(former, tried) {
                return true;
            }
            self.assign(send, former);
        }
        false
    }

    /// Whether an application got a copy.
    fn has_come(&self, slot: Slot) -> bool {
        let is_received = |&send: &SendId| self.sends[send].receipts > 0;
        match slot {
            Slot::Shared(copy) => self.shared_copies[copy].sends.iter().any(is_received),
            Slot::Ordinary(_) | Slot::Retained { .. } => {
                self.occupant(slot).as_ref().is_some_and(is_received)
            }
        }
    }

    /// Whether nothing excuses a copy from coming.
    pub(super) fn must_come(&self, slot: Slot) -> bool {
        match slot {
            Slot::Ordinary(copy) => {
                let copy = &self.copies[copy];
                copy.qos > QoS::AtMostOnce && self.excuse(copy).is_none()
            }
            Slot::Shared(copy) => self.excuse_shared(&self.shared_copies[copy]).is_none(),
            Slot::Retained { session, delivery, publication } => {
                let known = &self.sessions[session].retained[delivery];
                known.expected.contains(&publication)
                    && self.excuse_retained(session, known, publication).is_none()
            }
        }
    }

    /// Why a retained message need not come.
    fn excuse_retained(
        &self,
        session: usize,
        delivery: &super::RetainedDelivery,
        publication: usize,
    ) -> Option<Excuse> {
        let (session, publication_id) = (&self.sessions[session], publication);
        let publication = &self.publications[publication_id];
        let is_own = self.sessions[publication.publisher].client_id == session.client_id;
        if session.has_ended || delivery.is_over {
            Some(Excuse::SessionEnded)
        } else if delivery.was_pressed {
            Some(Excuse::QueueFull)
        } else if self.retained.get(&publication.topic) != Some(&publication_id)
            || publication.is_expired(self.now_ms)
        {
            Some(Excuse::Expired)
        } else if publication.qos == QoS::AtMostOnce
            || delivery.options.iter().any(|it| it.qos == QoS::AtMostOnce || it.no_local && is_own)
        {
            Some(Excuse::AtMostOnce)
        } else if u64::from(session.packet_bytes_max) < publication.packet_bytes_most() {
            Some(Excuse::TooLarge)
        } else {
            None
        }
    }
}
