//! Owns the copies of messages that are due: one to each session, one to each group. Which packet was which
//! copy is found out in `attribute`.

use super::{
    Publication, PublicationId, RetainedDelivery, Send, SendId, Session, SessionKey, Slot, Subscription,
    Truth,
};
use broker_core::config::{Durability, Limits};
use mqtt_codec::QoS;
use std::collections::BTreeMap;

/// A place in [`Truth::copies`].
pub(crate) type CopyId = usize;

/// A place in [`Truth::shared_copies`].
pub(crate) type SharedId = usize;

/// A share name and a Topic Filter.
pub(crate) type GroupKey = (String, String);

/// A message that is due to a session.
#[derive(Debug)]
pub(crate) struct Copy {
    pub publication: PublicationId,
    pub session: SessionKey,
    pub qos: QoS,
    pub retain: bool,
    /// Sorted.
    pub identifiers: Vec<u32>,
    /// The sending that it was.
    pub sent: Option<SendId>,
    /// Whether the session's queue was so full that it may have been dropped.
    pub was_pressed: bool,
    /// Whether it will never come: it was at QoS 0 or is kept by nobody and could not be sent, or it was undone.
    pub(super) is_missed: bool,
    /// Whether the subscription that it is for may be gone since a crash.
    pub(super) is_doubtful: bool,
    /// The step that made the last of its subscriptions.
    pub(super) subscribed_step: u64,
    /// How often the application had got it before a crash made the broker forget.
    pub(super) receipts: u32,
}

/// A message that is due to one member of a group.
#[derive(Debug)]
pub(crate) struct SharedCopy {
    pub publication: PublicationId,
    pub group: GroupKey,
    pub sends: Vec<SendId>,
    pub excuse: Option<Excuse>,
}

/// A group of a shared subscription.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Who is a member, and the options of each.
    pub members: BTreeMap<SessionKey, Subscription>,
    /// Who ever was a member, and with which options.
    pub options: BTreeMap<SessionKey, Vec<Subscription>>,
    /// Copies that no member's application has got.
    pub outstanding: Vec<SharedId>,
}

/// Why a message need not have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excuse {
    /// Its session has ended.
    SessionEnded,
    /// The queue was at its limit.
    QueueFull,
    /// It expired before it could be sent.
    Expired,
    /// The client does not take packets of its size.
    TooLarge,
    /// Nobody was left in the group, or it was on its way to a member that went for good.
    GroupLeft,
    /// Somebody in the group gets it at QoS 0.
    AtMostOnce,
    /// By the rule for its topic nobody keeps it, and its receiver was not connected.
    NotThere,
    /// It was refused, or lost in a crash before it was acknowledged.
    Undone,
    /// It was for a subscription that was lost in a crash before it was acknowledged.
    Unsubscribed,
}

impl Copy {
    pub(super) fn new(
        id: PublicationId,
        session: SessionKey,
        publication: &Publication,
        matching: impl Iterator<Item = Subscription>,
    ) -> Self {
        let (mut qos, mut retain_as_published, mut identifiers) = (QoS::AtMostOnce, false, Vec::new());
        let mut subscribed_step = 0;
        for options in matching {
            qos = qos.max(options.qos);
            subscribed_step = subscribed_step.max(options.step);
            retain_as_published |= options.retain_as_published;
            identifiers.extend((options.identifier != 0).then_some(options.identifier));
        }
        identifiers.sort_unstable();
        Self {
            publication: id,
            session,
            qos: qos.min(publication.qos),
            // [MQTT5-3.3.1-12] [MQTT5-3.3.1-13] [MQTT311-3.3.1-9]
            retain: publication.retain && retain_as_published,
            identifiers,
            sent: None,
            was_pressed: false,
            is_missed: false,
            is_doubtful: false,
            subscribed_step,
            receipts: 0,
        }
    }
}

impl Copy {
    /// Whether it comes to a session that is not connected, and nobody keeps it: at QoS 0, or by a rule.
    pub(super) fn is_missed_by(&self, session: &Session, rule: Durability) -> bool {
        (self.qos == QoS::AtMostOnce || rule == Durability::None) && session.connection.is_none()
    }
}

impl SharedCopy {
    pub(super) fn new(publication: PublicationId, group: GroupKey) -> Self {
        Self { publication, group, sends: Vec::new(), excuse: None }
    }
}

impl Truth {
    pub(super) fn add_copy(&mut self, copy: Copy) -> CopyId {
        let (id, session) = (self.copies.len(), copy.session);
        let key = self.publications[copy.publication].key.clone();
        self.copies_by_key.entry((session, key)).or_default().push(id);
        self.copies.push(copy);
        self.sessions[session].waiting.push(id);
        self.note_pressure(session);
        id
    }

    /// Copies at QoS 0 that were not sent when they could be will never be.
    pub(super) fn forget_missed(&mut self) {
        for copy in std::mem::take(&mut self.due_now) {
            let Copy { qos, sent, .. } = self.copies[copy];
            if qos == QoS::AtMostOnce && sent.is_none() {
                self.miss(copy);
            }
        }
    }

    /// A copy will never be sent.
    pub(super) fn miss(&mut self, copy: CopyId) {
        self.no_longer_waits(copy);
        self.copies[copy].is_missed = true;
        let Copy { publication, session, .. } = self.copies[copy];
        let key = self.publications[publication].key.clone();
        if let Some(copies) = self.copies_by_key.get_mut(&(session, key)) {
            copies.retain(|&other| other != copy);
        }
    }

    pub(super) fn no_longer_waits(&mut self, copy: CopyId) {
        let session = self.copies[copy].session;
        self.sessions[session].waiting.retain(|&waiting| waiting != copy);
    }

    /// If more waits for a session than its queue may hold, anything of it may have been dropped.
    pub(super) fn note_pressure(&mut self, key: SessionKey) {
        let limits = &self.settings.config.limits;
        let session = &self.sessions[key];
        // Mostly all there is would fit, and 64 MiB is more than a run publishes.
        let most = session.waiting.len()
            + self.groups.values().map(|group| group.outstanding.len()).sum::<usize>()
            + session.retained.iter().flat_map(RetainedDelivery::unsent).count();
        let is_roomy = limits.queue_bytes_max >= Limits::default().queue_bytes_max;
        if is_roomy && most <= limits.queue_messages_max as usize {
            return;
        }
        let own = session.waiting.iter().filter(|&&copy| self.copies[copy].qos > QoS::AtMostOnce);
        let shared: Vec<SharedId> = session
            .groups
            .iter()
            .flat_map(|group| &self.groups[group].outstanding)
            // What had been sent to a member that has ended waits again.
            .filter(|&&copy| self.occupant(Slot::Shared(copy)).is_none())
            .copied()
            .chain(self.perhaps_waiting(key))
            .collect();
        let waiting = own
            .map(|&copy| self.copies[copy].publication)
            .chain(shared.iter().map(|&copy| self.shared_copies[copy].publication))
            .chain(session.retained.iter().flat_map(RetainedDelivery::unsent));
        let (mut messages, mut bytes) = (0, 0);
        for publication in waiting {
            let publication = &self.publications[publication];
            messages += 1;
            bytes += publication.topic.len() + publication.payload.len() + publication.properties.len();
        }
        if messages <= limits.queue_messages_max && bytes as u64 <= limits.queue_bytes_max {
            return;
        }
        for &copy in &session.waiting {
            self.copies[copy].was_pressed = true;
        }
        for copy in shared {
            self.shared_copies[copy].excuse = Some(Excuse::QueueFull);
        }
        for delivery in &mut self.sessions[key].retained {
            delivery.was_pressed = true;
        }
    }

    /// Copies of a session's groups that somebody else was sent, as far as is known, and that may wait for this session
    /// all the same: that sending may as well have been the copy of another group, of which nobody was sent any.
    fn perhaps_waiting(&self, key: SessionKey) -> Vec<SharedId> {
        let own = &self.sessions[key].groups;
        let others = self.groups.iter().filter(|(group, _)| !own.is_empty() && !own.contains(*group));
        let mut found = Vec::new();
        for &unsent in others.flat_map(|(_, group)| &group.outstanding) {
            if self.occupant(Slot::Shared(unsent)).is_some() {
                continue;
            }
            let publication = self.shared_copies[unsent].publication;
            let alike = self.shared_by_key.get(&self.publications[publication].key).into_iter().flatten();
            let may_wait = |copy: &SharedId| {
                own.contains(&self.shared_copies[*copy].group)
                    && !found.contains(copy)
                    && self
                        .occupant(Slot::Shared(*copy))
                        .is_some_and(|send| self.slots(&self.sends[send]).contains(&Slot::Shared(unsent)))
            };
            // One for each: the others were sent.
            let one = alike.copied().find(may_wait);
            found.extend(one);
        }
        found
    }

    /// Why a copy need not have arrived by now.
    #[must_use]
    pub(crate) fn excuse(&self, copy: &Copy) -> Option<Excuse> {
        let (publication, session) = (&self.publications[copy.publication], &self.sessions[copy.session]);
        if session.has_ended {
            Some(Excuse::SessionEnded)
        } else if publication.is_undone {
            Some(Excuse::Undone)
        } else if copy.is_missed && publication.rule == Durability::None {
            Some(Excuse::NotThere)
        } else if copy.is_doubtful {
            Some(Excuse::Unsubscribed)
        } else if copy.was_pressed {
            Some(Excuse::QueueFull)
        } else if copy.sent.is_none() && publication.is_expired(self.now_ms) {
            Some(Excuse::Expired)
        } else if u64::from(session.packet_bytes_max) < publication.packet_bytes_most() {
            Some(Excuse::TooLarge)
        } else {
            None
        }
    }

    /// Why a copy for a group need not have arrived by now.
    #[must_use]
    pub(crate) fn excuse_shared(&self, copy: &SharedCopy) -> Option<Excuse> {
        let publication = &self.publications[copy.publication];
        let group = &self.groups[&copy.group];
        let mut options = group.options.values().flatten();
        let takes_small = |&key: &SessionKey| {
            u64::from(self.sessions[key].packet_bytes_max) < publication.packet_bytes_most()
        };
        if copy.excuse.is_some() {
            copy.excuse
        } else if publication.qos == QoS::AtMostOnce || options.any(|it| it.qos == QoS::AtMostOnce) {
            Some(Excuse::AtMostOnce)
        } else if publication.is_expired(self.now_ms) {
            Some(Excuse::Expired)
        } else if group.options.keys().any(takes_small) {
            Some(Excuse::TooLarge)
        } else {
            None
        }
    }

    /// A session becomes a member of a group, or changes its options.
    pub(super) fn join_group(&mut self, key: SessionKey, group: GroupKey, options: Subscription) {
        self.sessions[key].groups.insert(group.clone());
        let group = self.groups.entry(group).or_default();
        group.members.insert(key, options);
        group.options.entry(key).or_default().push(options);
        self.note_pressure(key);
    }

    /// A session is no member any more. With the last one goes what the group had waiting, which may be any of its
    /// copies: what has come and was taken for one of them may have been a copy for somebody else that is alike.
    pub(super) fn leave_group(&mut self, key: SessionKey, left: &GroupKey) {
        self.sessions[key].groups.remove(left);
        let Some(group) = self.groups.get_mut(left) else { return };
        group.members.remove(&key);
        if group.members.is_empty() {
            for copy in self.shared_copies.iter_mut().filter(|copy| copy.group == *left) {
                copy.excuse = Some(Excuse::GroupLeft);
            }
        }
    }

    /// A session ends: what it had in flight at QoS 2 for a group is lost with it `[MQTT5-4.8.2-5]`.
    pub(super) fn leave_all_groups(&mut self, key: SessionKey) {
        for group in std::mem::take(&mut self.sessions[key].groups) {
            self.leave_group(key, &group);
        }
        let was_restored = self.sessions[key].was_restored;
        let is_lost =
            |send: &&Send| send.session == key && send.qos == QoS::ExactlyOnce && send.receipts == 0;
        // Any of the copies that are alike may be the one.
        let lost: Vec<Slot> = self.sends.iter().filter(is_lost).flat_map(|send| self.slots(send)).collect();
        for (id, copy) in self.shared_copies.iter_mut().enumerate() {
            // Whether one that was recorded as sent to this member before a crash ever was is not known.
            let publication = &self.publications[copy.publication];
            let was_perhaps_sent = was_restored
                && copy.sends.is_empty()
                && publication.qos == QoS::ExactlyOnce
                && publication.position.is_some_and(|position| position < self.cut)
                && self.groups[&copy.group].options.contains_key(&key);
            if was_perhaps_sent || lost.contains(&Slot::Shared(id)) {
                copy.excuse = Some(Excuse::GroupLeft);
            }
        }
    }
}
