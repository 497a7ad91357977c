//! Owns messages from one shard to another as they lie in memory: in order, without a pointer into the memory of
//! the shard that wrote them, and emptied as a whole. When they are read is the caller's business.

mod messages;

pub use messages::{PeerMessages, Recipients};

use super::{
    AcknowledgementToken, Form, Forwarded, ForwardedRun, HandedOver, PeerMessage, ReceivedFrame, Recipient,
    Recorded,
};
use crate::{
    config::Durability,
    ids::{GroupId, SessionId},
    journal::Position,
    message::{Message, MessageRef},
    time::Timestamp,
};
use mqtt_codec::{QoS, packet::PublishRun};
use std::{num::NonZeroU64, sync::Arc};

/// What one shard has to say to another, in order. A buffer that is filled by one thread, read by another, and filled
/// again: once it is as large as what it is used for it asks for no more memory, and gives none up. It is written small,
/// because every line of it moves from one processor's cache to another's: a message takes 48 bytes beside its frame.
#[derive(Debug, Default)]
pub struct PeerBatch {
    items: Vec<Item>,
    /// Of messages that are forwarded.
    heads: Vec<Head>,
    /// Of those that are copied.
    bytes: Vec<u8>,
    targets: Vec<Target>,
    // What not all of them have.
    rests: Vec<Rest>,
    runs: Vec<Run>,
    held: Vec<AcknowledgementToken>,
    shared: Vec<Arc<Message>>,
    identifiers: Vec<u32>,
    groups: Vec<GroupId>,
    handed_over: Vec<(Vec<HandedOver>, Option<Recorded>)>,
    counted_bytes: usize,
}

/// What is said. Where the rest of it is follows from what was said before.
#[derive(Clone, Copy, Debug)]
enum Item {
    /// So many messages that are forwarded.
    Forwarded(u32),
    Run,
    HandedOver,
    Stored(AcknowledgementToken),
    CheckpointBegun,
}

#[derive(Clone, Copy, Debug)]
struct Head {
    publisher: Option<Publisher>,
    bytes: u32,
    payload_bytes: u32,
    targets: u32,
    topic_bytes: u16,
    topic_at: u8,
    placed: Placed,
    qos: QoS,
    retain: bool,
    durability: Durability,
    is_held: bool,
    has_rest: bool,
    /// It is not to be delivered after all.
    is_dropped: bool,
}

/// Where the bytes of a forwarded message are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placed {
    /// Here: topic, properties, payload.
    Here,
    /// Here, in the frame of this class.
    HereInFrame(u8),
    Shared,
}

/// Messages that are forwarded in their frames, one behind the other.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Their topic comes first.
    topic_bytes: u32,
    bytes: u32,
    count: u32,
    variable_header_bytes: u32,
    payload_bytes: u32,
    packet_bytes_max: u32,
    targets: u32,
    /// Of all its targets.
    identifiers: u32,
    class: u8,
    /// They are not to be delivered after all.
    are_dropped: bool,
}

/// What most messages do not have.
#[derive(Clone, Copy, Debug)]
struct Rest {
    expires_at: Timestamp,
    position: Position,
    recorded: Option<Recorded>,
    property_bytes: u32,
    /// Of all its targets.
    identifiers: u32,
    groups: u32,
}

impl Rest {
    const NONE: Self = Self {
        expires_at: Timestamp::NEVER,
        position: Position::NONE,
        recorded: None,
        property_bytes: 0,
        identifiers: 0,
        groups: 0,
    };
}

#[derive(Clone, Copy, Debug)]
struct Target {
    session: SessionId,
    identifiers: u32,
    qos: QoS,
    retain_as_published: bool,
    has_group: bool,
}

/// The key of a session, as small where there is none.
#[derive(Clone, Copy, Debug)]
struct Publisher(NonZeroU64);

impl Publisher {
    fn new(session: SessionId) -> Self {
        // The highest of all keys is none of a session.
        Self(NonZeroU64::MIN.saturating_add(session.to_bits()))
    }

    fn session(self) -> SessionId {
        SessionId::from_bits(self.0.get() - 1)
    }
}

impl PeerBatch {
    /// Nothing said.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One message.
    #[must_use]
    pub fn of(message: PeerMessage<'_>) -> Self {
        let mut batch = Self::new();
        batch.push(message);
        batch
    }

    /// Appends what was said elsewhere.
    pub fn push(&mut self, message: PeerMessage<'_>) {
        match message {
            PeerMessage::Deliver(Forwarded { ref message, form, targets, held, recorded }) => {
                self.forward(message, form, held, recorded, targets);
            }
            PeerMessage::DeliverRun(ForwardedRun { run, targets, class }) => {
                self.forward_run(run, class.into(), targets);
            }
            PeerMessage::HandOver { messages, recorded } => self.hand_over(messages.to_vec(), recorded),
            PeerMessage::Stored(token) => self.push_item(Item::Stored(token)),
            PeerMessage::CheckpointBegun => self.push_item(Item::CheckpointBegun),
        }
    }

    /// Appends a message that is forwarded, see [`Forwarded`].
    #[inline]
    pub fn forward<'t>(
        &mut self,
        message: &MessageRef<'_>,
        form: Form<'_>,
        held: Option<AcknowledgementToken>,
        recorded: Option<Recorded>,
        targets: impl IntoIterator<Item = Recipient<'t>>,
    ) {
        let topic = message.topic.text();
        let bytes_before = self.bytes.len();
        let (placed, topic_at) = match form {
            Form::Copied => {
                self.bytes.extend_from_slice(topic.as_bytes());
                self.bytes.extend_from_slice(message.properties);
                self.bytes.extend_from_slice(message.payload);
                (Placed::Here, 0)
            }
            Form::InFrame(ReceivedFrame { bytes, class, topic_at }) => {
                self.bytes.extend_from_slice(bytes);
                (Placed::HereInFrame(class), topic_at)
            }
            Form::Shared(message) => {
                self.shared.push(Arc::clone(message));
                (Placed::Shared, 0)
            }
        };
        let (identifiers, groups, count_of_targets) = self.push_targets(targets);
        let rest = Rest {
            expires_at: message.expires_at,
            position: message.position,
            recorded,
            property_bytes: count(message.properties.len()),
            identifiers,
            groups,
        };
        let has_rest = rest.expires_at != Timestamp::NEVER
            || rest.position.is_some()
            || rest.recorded.is_some()
            || rest.property_bytes + rest.identifiers + rest.groups > 0;
        self.heads.push(Head {
            publisher: message.publisher.map(Publisher::new),
            bytes: count(self.bytes.len() - bytes_before),
            payload_bytes: count(message.payload.len()),
            targets: count_of_targets,
            topic_bytes: u16::try_from(topic.len()).expect("a topic has no more bytes than the wire can say"),
            topic_at,
            placed,
            qos: message.qos,
            retain: message.retain,
            durability: message.durability,
            is_held: held.is_some(),
            has_rest,
            is_dropped: false,
        });
        self.held.extend(held);
        if has_rest {
            self.rests.push(rest);
            self.counted_bytes += size_of::<Rest>();
        }
        self.counted_bytes +=
            message.len() + size_of::<Head>() + count_of_targets as usize * size_of::<Target>();
        match self.items.last_mut() {
            Some(Item::Forwarded(count)) => *count += 1,
            _ => self.push_item(Item::Forwarded(1)),
        }
    }

    /// Appends messages that are forwarded, see [`ForwardedRun`]. None of the targets is of a group.
    pub(crate) fn forward_run<'t>(
        &mut self,
        run: PublishRun<'_>,
        class: usize,
        targets: impl IntoIterator<Item = Recipient<'t>>,
    ) {
        let (identifiers, groups, targets) = self.push_targets(targets);
        debug_assert_eq!(groups, 0, "a group chooses a member for each message");
        let topic = run.topic.text();
        self.bytes.extend_from_slice(topic.as_bytes());
        self.bytes.extend_from_slice(run.bytes);
        self.counted_bytes += topic.len() + run.bytes.len();
        self.counted_bytes += size_of::<Run>() + targets as usize * size_of::<Target>();
        let PublishRun { variable_header_bytes, payload_bytes, packet_bytes_max, .. } = run;
        self.runs.push(Run {
            topic_bytes: count(topic.len()),
            bytes: count(run.bytes.len()),
            count: run.count,
            variable_header_bytes,
            payload_bytes,
            packet_bytes_max,
            targets,
            identifiers,
            class: u8::try_from(class).expect("classes are few"),
            are_dropped: false,
        });
        self.push_item(Item::Run);
    }

    /// How many identifiers, groups and targets they are.
    #[inline]
    fn push_targets<'t>(&mut self, targets: impl IntoIterator<Item = Recipient<'t>>) -> (u32, u32, u32) {
        let before = (self.identifiers.len(), self.groups.len(), self.targets.len());
        for Recipient { session, qos, retain_as_published, identifiers, group } in targets {
            let has_group = group.is_some();
            if has_group || !identifiers.is_empty() {
                self.identifiers.extend_from_slice(identifiers);
                self.groups.extend(group);
            }
            let identifiers = count(identifiers.len());
            self.targets.push(Target { session, identifiers, qos, retain_as_published, has_group });
        }
        let (identifiers, groups, targets) = before;
        let added = |now: usize, before| count(now - before);
        (
            added(self.identifiers.len(), identifiers),
            added(self.groups.len(), groups),
            added(self.targets.len(), targets),
        )
    }

    /// Appends messages that a member of a group has left behind.
    pub(crate) fn hand_over(&mut self, messages: Vec<HandedOver>, recorded: Option<Recorded>) {
        self.counted_bytes += messages.len() * size_of::<HandedOver>();
        self.handed_over.push((messages, recorded));
        self.push_item(Item::HandedOver);
    }

    #[inline]
    fn push_item(&mut self, item: Item) {
        self.counted_bytes += size_of::<Item>();
        self.items.push(item);
    }

    /// Whether nothing was said.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The bytes it keeps alive while it waits, for a mailbox that counts.
    #[must_use]
    #[inline]
    pub fn counted_bytes(&self) -> usize {
        self.counted_bytes
    }

    /// Leaves out what nobody was promised: QoS 0 messages. How many deliveries those were.
    pub fn drop_at_most_once(&mut self) -> u64 {
        let mut dropped = 0;
        for head in self.heads.iter_mut().filter(|head| head.qos == QoS::AtMostOnce && !head.is_dropped) {
            head.is_dropped = true;
            dropped += u64::from(head.targets);
        }
        for run in self.runs.iter_mut().filter(|run| !run.are_dropped) {
            run.are_dropped = true;
            dropped += u64::from(run.targets) * u64::from(run.count);
        }
        // Otherwise their bytes are still there, and count.
        let says_nothing_else = self.items.iter().all(|item| matches!(item, Item::Forwarded(_) | Item::Run));
        if says_nothing_else && self.heads.iter().all(|head| head.is_dropped) {
            self.clear();
        }
        dropped
    }

    /// What was said, in order.
    #[must_use]
    #[inline]
    pub fn iter(&self) -> PeerMessages<'_> {
        PeerMessages::of(self)
    }

    /// Forgets everything, keeping the memory up to what an ordinary turn needs.
    pub fn clear(&mut self) {
        let Self {
            items,
            heads,
            bytes,
            targets,
            rests,
            runs,
            held,
            shared,
            identifiers,
            groups,
            handed_over,
            counted_bytes,
        } = self;
        clear(items);
        clear(heads);
        clear(bytes);
        clear(targets);
        clear(rests);
        clear(runs);
        clear(held);
        clear(shared);
        clear(identifiers);
        clear(groups);
        clear(handed_over);
        *counted_bytes = 0;
    }
}

impl<'a> IntoIterator for &'a PeerBatch {
    type Item = PeerMessage<'a>;
    type IntoIter = PeerMessages<'a>;

    fn into_iter(self) -> PeerMessages<'a> {
        self.iter()
    }
}

fn clear<T>(list: &mut Vec<T>) {
    const KEPT_BYTES: usize = 128 * 1024;
    list.clear();
    let kept = KEPT_BYTES / size_of::<T>();
    if list.capacity() > kept {
        list.shrink_to(kept);
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).expect("a packet has less than 4 GiB, and a shard fewer sessions")
}

#[cfg(test)]
mod sizes {
    use super::*;
    use crate::ids::ShardId;

    #[test]
    fn a_forwarded_message_takes_little_beside_its_bytes() {
        assert_eq!((size_of::<Head>(), size_of::<Target>(), size_of::<Item>()), (32, 16, 16));
    }

    #[test]
    fn every_session_is_a_publisher() {
        let highest = SessionId::new(ShardId::MAX, SessionId::SLOTS_MAX - 1, u32::MAX).durable();
        for session in [SessionId::new(ShardId(0), 0, 0), highest] {
            assert_eq!(Publisher::new(session).session(), session);
        }
    }
}
