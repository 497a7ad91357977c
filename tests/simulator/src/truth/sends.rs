//! Owns what each PUBLISH to a client was: which copy that is due to its session. Copies that are alike cannot
//! be told apart, so sendings are matched to copies such that all of them are explained, if that can be.

use super::{CopyId, PublicationId, SessionKey, SharedCopy, SharedId, Subscription, Truth};
use crate::observation::MessageKey;
use broker_core::journal::Position;
use mqtt_codec::QoS;

/// A place in [`Truth::sends`].
pub(crate) type SendId = usize;

/// A PUBLISH that was sent to a client for the first time.
#[derive(Debug)]
pub(crate) struct Send {
    pub session: SessionKey,
    pub key: MessageKey,
    pub qos: QoS,
    pub retain: bool,
    /// What only 5.0 tells.
    pub told: Option<Told>,
    pub at_ms: u64,
    /// Whether it was in flight before a crash: what has been sent is sent again even if it has expired.
    pub(super) is_again: bool,
    /// The step it was sent in; 0 for what is only sent once it is recorded.
    pub(super) step: u64,
    /// Of one at QoS 0: the last record when the turn it was sent in had ended. What was handed on at QoS 0 is sent
    /// before the journal is told of it.
    pub(super) last: Option<Position>,
    /// Which copy it is; none while that is being found out.
    pub slot: Option<Slot>,
    /// How often the application got it.
    pub receipts: u32,
}

/// What a PUBLISH of 5.0 tells about its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Sorted.
    pub identifiers: Vec<u32>,
    pub expiry_seconds: Option<u64>,
}

/// A copy that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// For the session's own subscriptions.
    Ordinary(CopyId),
    /// For a group.
    Shared(SharedId),
    /// A retained message for a new subscription, the so-manieth of the session.
    Retained { session: SessionKey, delivery: usize, publication: PublicationId },
}

impl Truth {
    /// The copies that a sending may be. If the remaining expiry rules all of them out, it is no help.
    pub(super) fn slots(&self, send: &Send) -> Vec<Slot> {
        let all: Vec<Slot> = self
            .ordinary_slots(send)
            .chain(self.shared_slots(send))
            .chain(self.retained_slots(send))
            .collect();
        let in_time: Vec<Slot> =
            all.iter().copied().filter(|&slot| self.tells_expiry(send, self.publication_in(slot))).collect();
        if in_time.is_empty() { all } else { in_time }
    }

    /// Whether a sending can be no other copy than it was taken for.
    pub(crate) fn is_certain(&self, send: SendId) -> bool {
        self.slots(&self.sends[send]).len() == 1
    }

    fn tells_expiry(&self, send: &Send, publication: PublicationId) -> bool {
        let publication = &self.publications[publication];
        let left = publication.seconds_left(send.at_ms);
        (send.is_again || !publication.is_past(send.at_ms))
            && send.told.as_ref().is_none_or(|told| told.expiry_seconds == left)
    }

    fn ordinary_slots<'a>(&'a self, send: &'a Send) -> impl Iterator<Item = Slot> + 'a {
        let copies = self.copies_by_key.get(&(send.session, send.key.clone())).into_iter().flatten();
        let is_it = |id: &&CopyId| {
            let copy = &self.copies[**id];
            // What is in a mailbox cannot be sent yet.
            let pending = &self.publications[copy.publication].pending;
            let has_arrived = copy.sent.is_some() || !pending.contains(&self.sessions[copy.session].shard);
            has_arrived && copy.qos == send.qos && copy.retain == send.retain && send.tells(&copy.identifiers)
        };
        copies.filter(is_it).map(|&id| Slot::Ordinary(id))
    }

    /// Copies of groups that the session is or was a member of, with options that make it so.
    fn shared_slots<'a>(&'a self, send: &'a Send) -> impl Iterator<Item = Slot> + 'a {
        let copies = self.shared_by_key.get(&send.key).into_iter().flatten();
        let is_it = |id: &&SharedId| {
            let copy = &self.shared_copies[**id];
            let publication = &self.publications[copy.publication];
            let options = self.groups[&copy.group].options.get(&send.session);
            options.into_iter().flatten().any(|options| {
                let is_as_published = send.qos == options.qos.min(publication.qos)
                    && send.retain == (publication.retain && options.retain_as_published);
                (is_as_published || self.is_handed_over(send, options, copy))
                    && send.tells(options.identifiers().as_slice())
            })
        };
        copies.filter(is_it).map(|&id| Slot::Shared(id))
    }

    /// Whether it may have waited for another member and in the journal alone when that one ended: it keeps that
    /// member's QoS then, and what it was published with is not known.
    fn is_handed_over(&self, send: &Send, options: &Subscription, copy: &SharedCopy) -> bool {
        let published = &self.publications[copy.publication];
        let mut former = self.groups[&copy.group].options.values().flatten();
        self.settings.storage.is_some()
            && send.retain == (published.retain && options.retain_as_published)
            && former.any(|former| send.qos == options.qos.min(former.qos).min(published.qos))
    }

    /// Those that must come before those that may.
    fn retained_slots(&self, send: &Send) -> impl Iterator<Item = Slot> {
        let session = send.session;
        let publications = self.publications_by_key.get(&send.key).into_iter().flatten();
        let mut slots: Vec<Slot> = publications
            .filter(|_| send.retain)
            .flat_map(|&publication| {
                let deliveries = self.sessions[session].retained.iter().enumerate();
                deliveries
                    .filter(move |(_, delivery)| self.is_retained_for(send, delivery, publication))
                    .map(move |(delivery, _)| Slot::Retained { session, delivery, publication })
            })
            .collect();
        slots.sort_by_key(|&slot| !self.must_come(slot));
        slots.into_iter()
    }

    /// Makes a sending one of a copy that it fits, moving another to a third if need be.
    pub(super) fn place(&mut self, send: SendId, tried: &mut Vec<Slot>) -> bool {
        let slots = self.slots(&self.sends[send]);
        let free =
            slots.iter().copied().find(|&slot| self.occupant(slot).is_none() && !tried.contains(&slot));
        if let Some(free) = free {
            self.assign(send, free);
            return true;
        }
        for slot in slots {
            if tried.contains(&slot) {
                continue;
            }
            tried.push(slot);
            if let Some(other) = self.occupant(slot)
                && self.place(other, tried)
            {
                self.assign(send, slot);
                return true;
            }
        }
        false
    }

    /// Whether what went out in this step may have been this copy, though it was taken for an older one that is alike
    /// and need not come, as a full queue may have dropped it. A publisher that sends a message again makes such copies,
    /// and the older one is taken first: if it is there after all, it may still come.
    pub(crate) fn may_be_sent_now(&self, copy: CopyId) -> bool {
        self.may_have_been(copy, self.step + 1, &mut Vec::new())
    }

    /// Whether a copy may have been sent since a step, if what it was sent with was taken for another copy that may have
    /// been sent before, or need not come.
    fn may_have_been(&self, copy: CopyId, since_step: u64, tried: &mut Vec<SendId>) -> bool {
        let key = &self.publications[self.copies[copy].publication].key;
        for (id, send) in self.sends.iter().enumerate() {
            let Some(Slot::Ordinary(other)) = send.slot else { continue };
            let may_be = send.key == *key && send.step >= since_step && !tried.contains(&id);
            if !may_be || !self.slots(send).contains(&Slot::Ordinary(copy)) {
                continue;
            }
            tried.push(id);
            if !self.must_come(Slot::Ordinary(other)) || self.may_have_been(other, 0, tried) {
                return true;
            }
        }
        false
    }

    /// The sending that keeps a copy from being sent once more. Of a group's any does, but one at QoS 1 to a
    /// member that has ended since `[MQTT5-4.8.2-4]` `[MQTT5-4.8.2-5]`.
    pub(super) fn occupant(&self, slot: Slot) -> Option<SendId> {
        match slot {
            Slot::Ordinary(copy) => self.copies[copy].sent,
            Slot::Shared(copy) => {
                let was_left = |&&id: &&SendId| {
                    let send = &self.sends[id];
                    send.qos == QoS::AtLeastOnce && self.sessions[send.session].has_ended
                };
                self.shared_copies[copy].sends.iter().find(|send| !was_left(send)).copied()
            }
            Slot::Retained { session, delivery, publication } => {
                self.sessions[session].retained[delivery].sent.get(&publication).copied()
            }
        }
    }

    pub(super) fn assign(&mut self, send: SendId, slot: Slot) {
        if let Some(former) = self.sends[send].slot.replace(slot) {
            self.vacate(send, former);
        }
        match slot {
            Slot::Ordinary(copy) => {
                self.copies[copy].sent = Some(send);
                let receipts = std::mem::take(&mut self.copies[copy].receipts);
                self.sends[send].receipts += receipts;
                self.no_longer_waits(copy);
            }
            Slot::Shared(copy) => self.shared_copies[copy].sends.push(send),
            Slot::Retained { session, delivery, publication } => {
                self.sessions[session].retained[delivery].sent.insert(publication, send);
            }
        }
    }

    fn vacate(&mut self, send: SendId, slot: Slot) {
        match slot {
            Slot::Ordinary(copy) if self.copies[copy].sent == Some(send) => {
                self.copies[copy].sent = None;
                let waiting = &mut self.sessions[self.copies[copy].session].waiting;
                let place = waiting.partition_point(|&waiting| waiting < copy);
                waiting.insert(place, copy);
            }
            Slot::Ordinary(_) => {}
            Slot::Shared(copy) => self.shared_copies[copy].sends.retain(|&other| other != send),
            Slot::Retained { session, delivery, publication } => {
                let sent = &mut self.sessions[session].retained[delivery].sent;
                if sent.get(&publication) == Some(&send) {
                    sent.remove(&publication);
                }
            }
        }
    }

    /// The publication that a copy is of.
    pub(crate) fn publication_in(&self, slot: Slot) -> PublicationId {
        match slot {
            Slot::Ordinary(copy) => self.copies[copy].publication,
            Slot::Shared(copy) => self.shared_copies[copy].publication,
            Slot::Retained { publication, .. } => publication,
        }
    }
}

impl Send {
    fn tells(&self, identifiers: &[u32]) -> bool {
        self.told.as_ref().is_none_or(|told| told.identifiers == identifiers)
    }

    /// Whether it goes with the options of one subscription.
    pub(super) fn tells_of(&self, options: &super::Subscription) -> bool {
        self.tells(options.identifiers().as_slice())
    }
}
