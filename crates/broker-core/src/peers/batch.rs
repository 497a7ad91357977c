//! Owns messages from one shard to another as they lie in memory: in order, without a pointer into the memory of
//! the shard that wrote them, and emptied as a whole. When they are read is the caller's business.

use super::{
    AcknowledgementToken, Form, Forwarded, HandedOver, PeerMessage, PeerTarget, ReceivedFrame, Recorded,
};
use crate::{
    config::Durability,
    ids::{GroupId, SessionId},
    journal::Position,
    message::{Message, MessageRef},
    time::Timestamp,
};
use mqtt_codec::{QoS, TopicNameRef};
use std::sync::Arc;

/// What one shard has to say to another, in order. A buffer that is filled by one thread, read by another, and filled
/// again: once it is as large as what it is used for it asks for no more memory, and gives none up.
#[derive(Debug, Default)]
pub struct PeerBatch {
    items: Vec<Item>,
    /// Of those items that are forwarded messages.
    forwarded: Vec<Head>,
    /// Of those that are copied.
    bytes: Vec<u8>,
    /// Those that are not.
    shared: Vec<Arc<Message>>,
    targets: Vec<Target>,
    identifiers: Vec<u32>,
    handed_over: Vec<(Vec<HandedOver>, Option<Recorded>)>,
    counted_bytes: usize,
}

/// What is said. Where the rest of it is follows from what was said before.
#[derive(Clone, Copy, Debug)]
enum Item {
    Forwarded,
    /// A forwarded message that is not to be delivered after all.
    Dropped,
    HandedOver,
    Stored(AcknowledgementToken),
    CheckpointBegun,
}

#[derive(Clone, Copy, Debug)]
struct Head {
    expires_at: Timestamp,
    position: Position,
    publisher: Option<SessionId>,
    held: Option<AcknowledgementToken>,
    recorded: Option<Recorded>,
    targets: u32,
    /// Of all its targets.
    identifiers: u32,
    bytes: u32,
    property_bytes: u32,
    payload_bytes: u32,
    topic_bytes: u16,
    topic_at: u8,
    placed: Placed,
    qos: QoS,
    retain: bool,
    durability: Durability,
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

#[derive(Clone, Copy, Debug)]
struct Target {
    session: SessionId,
    group: Option<GroupId>,
    identifiers: u32,
    qos: QoS,
    retain_as_published: bool,
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
            PeerMessage::Deliver(forwarded) => self.forward(&forwarded, forwarded.targets),
            PeerMessage::HandOver { messages, recorded } => self.hand_over(messages.to_vec(), recorded),
            PeerMessage::Stored(token) => self.push_item(Item::Stored(token)),
            PeerMessage::CheckpointBegun => self.push_item(Item::CheckpointBegun),
        }
    }

    /// Appends a message that is forwarded, to these targets instead of its own.
    #[inline]
    pub fn forward<'t>(
        &mut self,
        forwarded: &Forwarded<'_>,
        targets: impl IntoIterator<Item = PeerTarget<'t>>,
    ) {
        let Forwarded { message, form, targets: _, held, recorded } = forwarded;
        let topic = message.topic.text();
        let (bytes_before, identifiers_before) = (self.bytes.len(), self.identifiers.len());
        let targets_before = self.targets.len();
        let (placed, topic_at) = match form {
            Form::Copied => {
                self.bytes.extend_from_slice(topic.as_bytes());
                self.bytes.extend_from_slice(message.properties);
                self.bytes.extend_from_slice(message.payload);
                (Placed::Here, 0)
            }
            Form::InFrame(ReceivedFrame { bytes, class, topic_at }) => {
                self.bytes.extend_from_slice(bytes);
                (Placed::HereInFrame(*class), *topic_at)
            }
            Form::Shared(message) => {
                self.shared.push(Arc::clone(message));
                (Placed::Shared, 0)
            }
        };
        for PeerTarget { session, qos, retain_as_published, identifiers, group } in targets {
            self.identifiers.extend_from_slice(identifiers);
            let identifiers = count(identifiers.len());
            self.targets.push(Target { session, group, identifiers, qos, retain_as_published });
        }
        let targets = self.targets.len() - targets_before;
        self.forwarded.push(Head {
            expires_at: message.expires_at,
            position: message.position,
            publisher: message.publisher,
            held: *held,
            recorded: *recorded,
            targets: count(targets),
            identifiers: count(self.identifiers.len() - identifiers_before),
            bytes: count(self.bytes.len() - bytes_before),
            property_bytes: count(message.properties.len()),
            payload_bytes: count(message.payload.len()),
            topic_bytes: u16::try_from(topic.len()).expect("a topic has no more bytes than the wire can say"),
            topic_at,
            placed,
            qos: message.qos,
            retain: message.retain,
            durability: message.durability,
        });
        self.counted_bytes += message.len() + size_of::<Head>() + targets * size_of::<Target>();
        self.push_item(Item::Forwarded);
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
        let mut heads = self.forwarded.iter();
        for item in &mut self.items {
            if let Item::Forwarded | Item::Dropped = item {
                let head = heads.next().expect(WHOLE);
                if head.qos == QoS::AtMostOnce && matches!(item, Item::Forwarded) {
                    dropped += u64::from(head.targets);
                    *item = Item::Dropped;
                }
            }
        }
        // Otherwise their bytes are still there, and count.
        if self.items.iter().all(|item| matches!(item, Item::Dropped)) {
            self.clear();
        }
        dropped
    }

    /// What was said, in order.
    #[must_use]
    #[inline]
    pub fn iter(&self) -> PeerMessages<'_> {
        let Self { items, forwarded, bytes, shared, targets, identifiers, handed_over, counted_bytes: _ } =
            self;
        PeerMessages {
            items: items.iter(),
            forwarded: forwarded.iter(),
            bytes,
            shared: shared.iter(),
            targets,
            identifiers,
            handed_over: handed_over.iter(),
            topic: None,
        }
    }

    /// Forgets everything, keeping the memory up to what an ordinary turn needs.
    pub fn clear(&mut self) {
        const KEPT_BYTES: usize = 128 * 1024;
        let Self { items, forwarded, bytes, shared, targets, identifiers, handed_over, counted_bytes } = self;
        clear(items, KEPT_BYTES);
        clear(forwarded, KEPT_BYTES);
        clear(bytes, KEPT_BYTES);
        clear(shared, KEPT_BYTES);
        clear(targets, KEPT_BYTES);
        clear(identifiers, KEPT_BYTES);
        clear(handed_over, KEPT_BYTES);
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

fn clear<T>(list: &mut Vec<T>, kept_bytes: usize) {
    list.clear();
    let kept = kept_bytes / size_of::<T>();
    if list.capacity() > kept {
        list.shrink_to(kept);
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).expect("a packet has less than 4 GiB, and a shard fewer sessions")
}

/// The messages of a [`PeerBatch`], in order.
#[derive(Clone, Debug)]
pub struct PeerMessages<'a> {
    items: std::slice::Iter<'a, Item>,
    forwarded: std::slice::Iter<'a, Head>,
    // What belongs to the items that are left.
    bytes: &'a [u8],
    shared: std::slice::Iter<'a, Arc<Message>>,
    targets: &'a [Target],
    identifiers: &'a [u32],
    handed_over: std::slice::Iter<'a, (Vec<HandedOver>, Option<Recorded>)>,
    /// The last one: most are like the one before, and comparing costs a tenth of judging.
    topic: Option<TopicNameRef<'a>>,
}

const WHOLE: &str = "what an item has is in its batch";

impl<'a> Iterator for PeerMessages<'a> {
    type Item = PeerMessage<'a>;

    // What is said about a message is many words: it is put together where it is used, not moved there.
    #[inline(always)]
    fn next(&mut self) -> Option<PeerMessage<'a>> {
        loop {
            return Some(match self.items.next()? {
                Item::Forwarded => PeerMessage::Deliver(self.next_forwarded()),
                Item::Dropped => {
                    self.skip_forwarded();
                    continue;
                }
                Item::HandedOver => {
                    let (messages, recorded) = self.handed_over.next().expect(WHOLE);
                    PeerMessage::HandOver { messages, recorded: *recorded }
                }
                Item::Stored(token) => PeerMessage::Stored(*token),
                Item::CheckpointBegun => PeerMessage::CheckpointBegun,
            });
        }
    }
}

impl<'a> PeerMessages<'a> {
    #[cold]
    fn skip_forwarded(&mut self) {
        self.next_forwarded();
    }

    #[inline(always)]
    fn next_forwarded(&mut self) -> Forwarded<'a> {
        let head = self.forwarded.next().expect(WHOLE);
        let bytes = split(&mut self.bytes, head.bytes);
        let targets = PeerTargets {
            targets: split(&mut self.targets, head.targets),
            identifiers: split(&mut self.identifiers, head.identifiers),
        };
        let (message, form) = match head.placed {
            Placed::Here => (self.message(head, bytes), Form::Copied),
            Placed::HereInFrame(class) => {
                let frame = ReceivedFrame { bytes, class, topic_at: head.topic_at };
                (self.message(head, bytes), Form::InFrame(frame))
            }
            Placed::Shared => {
                let message = self.shared.next().expect(WHOLE);
                (message.borrow(), Form::Shared(message))
            }
        };
        Forwarded { message, form, targets, held: head.held, recorded: head.recorded }
    }

    #[inline(always)]
    fn message(&mut self, head: &Head, bytes: &'a [u8]) -> MessageRef<'a> {
        let topic_at = usize::from(head.topic_at);
        let topic = self.topic(&bytes[topic_at..topic_at + usize::from(head.topic_bytes)]);
        let (bytes, payload) = bytes.split_at(bytes.len() - head.payload_bytes as usize);
        MessageRef {
            topic,
            properties: &bytes[bytes.len() - head.property_bytes as usize..],
            payload,
            qos: head.qos,
            retain: head.retain,
            expires_at: head.expires_at,
            publisher: head.publisher,
            durability: head.durability,
            position: head.position,
        }
    }

    #[inline(always)]
    fn topic(&mut self, bytes: &'a [u8]) -> TopicNameRef<'a> {
        let known = self.topic.filter(|known| known.text().as_bytes() == bytes);
        let topic = known.unwrap_or_else(|| {
            let text = std::str::from_utf8(bytes).ok();
            text.and_then(|text| TopicNameRef::new(text).ok()).expect("it was a topic before")
        });
        self.topic = Some(topic);
        topic
    }
}

#[inline]
fn split<'a, T>(rest: &mut &'a [T], count: u32) -> &'a [T] {
    let (first, behind) = rest.split_at(count as usize);
    *rest = behind;
    first
}

/// The receivers of a forwarded message.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeerTargets<'a> {
    targets: &'a [Target],
    identifiers: &'a [u32],
}

impl PeerTargets<'_> {
    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are none, as of a message before it is put into a batch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }
}

impl<'a> Iterator for PeerTargets<'a> {
    type Item = PeerTarget<'a>;

    #[inline]
    fn next(&mut self) -> Option<PeerTarget<'a>> {
        let (&Target { session, group, identifiers, qos, retain_as_published }, rest) =
            self.targets.split_first()?;
        self.targets = rest;
        let identifiers = split(&mut self.identifiers, identifiers);
        Some(PeerTarget { session, qos, retain_as_published, identifiers, group })
    }
}
