//! Owns how a batch is read: message by message, each put together from what all of them have and what it has
//! beyond that. How it is written is `batch`'s business.

use super::{Head, Item, PeerBatch, Placed, Publisher, Rest, Run, Target};
use crate::{
    ids::GroupId,
    message::{Message, MessageRef},
    peers::{
        AcknowledgementToken, Form, Forwarded, ForwardedRun, HandedOver, PeerMessage, ReceivedFrame,
        Recipient, Recorded,
    },
};
use mqtt_codec::{TopicNameRef, packet::PublishRun};
use std::sync::Arc;

const WHOLE: &str = "what an item has is in its batch";

/// The messages of a [`PeerBatch`], in order.
#[derive(Clone, Debug)]
pub struct PeerMessages<'a> {
    items: std::slice::Iter<'a, Item>,
    /// So many are forwarded before the next item.
    forwarded: u32,
    // What belongs to those that are left.
    heads: std::slice::Iter<'a, Head>,
    bytes: &'a [u8],
    targets: &'a [Target],
    rests: std::slice::Iter<'a, Rest>,
    runs: std::slice::Iter<'a, Run>,
    held: std::slice::Iter<'a, AcknowledgementToken>,
    shared: std::slice::Iter<'a, Arc<Message>>,
    identifiers: &'a [u32],
    groups: &'a [GroupId],
    handed_over: std::slice::Iter<'a, (Vec<HandedOver>, Option<Recorded>)>,
    /// The last one: most are like the one before, and comparing costs a tenth of judging.
    topic: Option<TopicNameRef<'a>>,
}

impl<'a> Iterator for PeerMessages<'a> {
    type Item = PeerMessage<'a>;

    // What is said about a message is many words: it is put together where it is used, not moved there.
    #[inline(always)]
    fn next(&mut self) -> Option<PeerMessage<'a>> {
        loop {
            if self.forwarded > 0 {
                self.forwarded -= 1;
                let head = self.heads.next().expect(WHOLE);
                if head.is_dropped {
                    self.skip_forwarded(head);
                    continue;
                }
                return Some(PeerMessage::Deliver(self.next_forwarded(head)));
            }
            match self.items.next()? {
                Item::Forwarded(count) => self.forwarded = *count,
                Item::Run => {
                    let run = self.runs.next().expect(WHOLE);
                    let forwarded = self.next_run(run);
                    if !run.are_dropped {
                        return Some(PeerMessage::DeliverRun(forwarded));
                    }
                }
                Item::HandedOver => {
                    let (messages, recorded) = self.handed_over.next().expect(WHOLE);
                    return Some(PeerMessage::HandOver { messages, recorded: *recorded });
                }
                Item::Stored(token) => return Some(PeerMessage::Stored(*token)),
                Item::CheckpointBegun => return Some(PeerMessage::CheckpointBegun),
            }
        }
    }
}

impl<'a> PeerMessages<'a> {
    #[inline]
    pub(super) fn of(batch: &'a PeerBatch) -> Self {
        Self {
            items: batch.items.iter(),
            forwarded: 0,
            heads: batch.heads.iter(),
            bytes: &batch.bytes,
            targets: &batch.targets,
            rests: batch.rests.iter(),
            runs: batch.runs.iter(),
            held: batch.held.iter(),
            shared: batch.shared.iter(),
            identifiers: &batch.identifiers,
            groups: &batch.groups,
            handed_over: batch.handed_over.iter(),
            topic: None,
        }
    }

    #[cold]
    fn skip_forwarded(&mut self, head: &Head) {
        self.next_forwarded(head);
    }

    #[inline(always)]
    fn next_forwarded(&mut self, head: &Head) -> Forwarded<'a> {
        let rest = if head.has_rest { self.rests.next().expect(WHOLE) } else { &Rest::NONE };
        let held = if head.is_held { self.held.next().copied() } else { None };
        let bytes = split(&mut self.bytes, head.bytes);
        let targets = Recipients {
            targets: split(&mut self.targets, head.targets),
            identifiers: split(&mut self.identifiers, rest.identifiers),
            groups: split(&mut self.groups, rest.groups),
        };
        let (message, form) = match head.placed {
            Placed::Here => (self.message(head, rest, bytes), Form::Copied),
            Placed::HereInFrame(class) => {
                let frame = ReceivedFrame { bytes, class, topic_at: head.topic_at };
                (self.message(head, rest, bytes), Form::InFrame(frame))
            }
            Placed::Shared => {
                let message = self.shared.next().expect(WHOLE);
                (message.borrow(), Form::Shared(message))
            }
        };
        Forwarded { message, form, targets, held, recorded: rest.recorded }
    }

    #[inline(never)]
    fn next_run(&mut self, run: &Run) -> ForwardedRun<'a> {
        let &Run { count, variable_header_bytes, payload_bytes, packet_bytes_max, class, .. } = run;
        let topic_bytes = split(&mut self.bytes, run.topic_bytes);
        let topic = self.topic(topic_bytes);
        let bytes = split(&mut self.bytes, run.bytes);
        let targets = Recipients {
            targets: split(&mut self.targets, run.targets),
            identifiers: split(&mut self.identifiers, run.identifiers),
            groups: &[],
        };
        let run = PublishRun { topic, bytes, count, variable_header_bytes, payload_bytes, packet_bytes_max };
        ForwardedRun { run, targets, class }
    }

    #[inline(always)]
    fn message(&mut self, head: &Head, rest: &Rest, bytes: &'a [u8]) -> MessageRef<'a> {
        let topic_at = usize::from(head.topic_at);
        let topic = self.topic(&bytes[topic_at..topic_at + usize::from(head.topic_bytes)]);
        let (bytes, payload) = bytes.split_at(bytes.len() - head.payload_bytes as usize);
        MessageRef {
            topic,
            properties: &bytes[bytes.len() - rest.property_bytes as usize..],
            payload,
            qos: head.qos,
            retain: head.retain,
            expires_at: rest.expires_at,
            publisher: head.publisher.map(Publisher::session),
            durability: head.durability,
            position: rest.position,
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
pub struct Recipients<'a> {
    targets: &'a [Target],
    // What belongs to those that are left.
    identifiers: &'a [u32],
    groups: &'a [GroupId],
}

impl Recipients<'_> {
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

impl<'a> Iterator for Recipients<'a> {
    type Item = Recipient<'a>;

    #[inline]
    fn next(&mut self) -> Option<Recipient<'a>> {
        let (&Target { session, identifiers, qos, retain_as_published, has_group }, rest) =
            self.targets.split_first()?;
        self.targets = rest;
        let identifiers = split(&mut self.identifiers, identifiers);
        let group = if has_group { split(&mut self.groups, 1).first().copied() } else { None };
        Some(Recipient { session, qos, retain_as_published, identifiers, group })
    }
}
