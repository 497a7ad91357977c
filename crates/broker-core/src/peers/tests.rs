//! Owns the proof that what one shard says arrives at another as it was said, whatever it is mixed with.

use super::*;
use crate::{config::Durability, time::Timestamp};
use mqtt_codec::TopicNameRef;

fn session(slot: u32) -> SessionId {
    SessionId::new(ShardId(1), slot, 7)
}

fn target(slot: u32, identifiers: &[u32]) -> Recipient<'_> {
    let group = slot.is_multiple_of(3).then(|| GroupId::new(slot, 1));
    let (qos, retain_as_published) = (QoS::ExactlyOnce, slot.is_multiple_of(2));
    Recipient { session: session(slot), qos, retain_as_published, identifiers, group }
}

fn message<'a>(topic: &'a str, properties: &'a [u8], payload: &'a [u8], qos: QoS) -> MessageRef<'a> {
    MessageRef {
        topic: TopicNameRef::new(topic).expect("a topic"),
        properties,
        payload,
        qos,
        retain: qos == QoS::AtLeastOnce,
        expires_at: Timestamp::from_millis(payload.len() as u64),
        publisher: (qos != QoS::ExactlyOnce).then(|| session(99)),
        durability: Durability::Memory,
        position: Position::new(payload.len() as u64),
    }
}

const HELD: Option<AcknowledgementToken> =
    Some(AcknowledgementToken { shard: ShardId(2), slot: 3, generation: 4 });

/// Whether a message has a record follows from its length, as most about it.
fn recorded(message: &MessageRef<'_>) -> Option<Recorded> {
    (message.payload.len() > 5).then_some(Recorded { shard: ShardId(2), position: message.position })
}

/// Three QoS 0 messages in their frames.
fn run() -> PublishRun<'static> {
    PublishRun {
        topic: TopicNameRef::new("a/b").expect("a topic"),
        bytes: b"\x30\x06\0\x03a/bx\x30\x05\0\x03a/b\x30\x07\0\x03a/byz",
        count: 3,
        variable_header_bytes: 5,
        payload_bytes: 3,
        packet_bytes_max: 9,
    }
}

/// All that a message says, in words.
fn said(message: PeerMessage<'_>) -> String {
    match message {
        PeerMessage::Deliver(Forwarded { message, form, targets, held, recorded }) => {
            let form = match form {
                Form::Copied => "copied",
                Form::InFrame(_) => "in its frame",
                Form::Shared(_) => "shared",
            };
            let targets: Vec<_> = targets.collect();
            format!("{message:?} {form} {targets:?}~ {held:?} {recorded:?}")
        }
        PeerMessage::DeliverRun(ForwardedRun { run, targets, class }) => {
            format!("{run:?} of {class} {:?}~", targets.collect::<Vec<_>>())
        }
        other => format!("{other:?}"),
    }
}

/// Everything that can be said, twice.
fn everything() -> (PeerBatch, Vec<String>) {
    let token = AcknowledgementToken { shard: ShardId(1), slot: 1, generation: 1 };
    // Remaining Length and the topic's length come before the topic, a Packet Identifier and no properties behind.
    let frame = b"\x32\x0A\0\x03a/b\0\x01\0xy";
    let in_frame = Form::InFrame(ReceivedFrame { bytes: frame, class: 7, topic_at: 4 });
    let large = message("a/b", b"p", &[7; 1_000], QoS::ExactlyOnce).share();
    let (mut batch, mut expected) = (PeerBatch::new(), Vec::new());
    for round in 0..2 {
        let topic = ["a/b", "ä"][round];
        for (form, message) in [
            (Form::Copied, message(topic, b"properties", b"payload", QoS::AtMostOnce)),
            (Form::Copied, message("a/b", b"", b"", QoS::AtLeastOnce)),
            (in_frame, message("a/b", b"", b"xy", QoS::AtLeastOnce)),
            (Form::Shared(&large), large.borrow()),
        ] {
            let targets = [target(1, &[]), target(2, &[5, 6]), target(3, &[7])];
            let (held, recorded) = (HELD.filter(|_| round == 0), recorded(&message));
            batch.forward(&message, form, held, recorded, targets);
            let lone = Forwarded { message, form, targets: Recipients::default(), held, recorded };
            expected.push(said(PeerMessage::Deliver(lone)).replacen("[]~", &format!("{targets:?}~"), 1));
            batch.push(PeerMessage::Stored(token));
            expected.push(said(PeerMessage::Stored(token)));
        }
        let targets = [target(1, &[]), target(2, &[5, 6])];
        batch.forward_run(run(), 6, targets);
        let lone = ForwardedRun { run: run(), targets: Recipients::default(), class: 6 };
        expected.push(said(PeerMessage::DeliverRun(lone)).replacen("[]~", &format!("{targets:?}~"), 1));
        batch.push(PeerMessage::HandOver { messages: &[], recorded: None });
        expected.push(said(PeerMessage::HandOver { messages: &[], recorded: None }));
        batch.push(PeerMessage::CheckpointBegun);
        expected.push(said(PeerMessage::CheckpointBegun));
    }
    (batch, expected)
}

#[test]
fn what_was_said_comes_out_in_its_order_and_whole() {
    let (batch, expected) = everything();
    assert_eq!(batch.iter().map(said).collect::<Vec<_>>(), expected);
}

#[test]
fn what_was_said_can_be_said_again_alone() {
    let (batch, expected) = everything();
    for (message, expected) in batch.iter().zip(&expected) {
        let alone = PeerBatch::of(message);
        assert_eq!(alone.iter().map(said).collect::<Vec<_>>(), [expected.as_str()]);
    }
}

#[test]
fn an_emptied_batch_says_nothing_and_can_be_filled_again() {
    let (mut batch, expected) = everything();
    let counted = batch.counted_bytes();
    batch.clear();
    assert_eq!((batch.iter().count(), batch.counted_bytes(), batch.is_empty()), (0, 0, true));
    everything().0.iter().for_each(|message| batch.push(message));
    assert_eq!(batch.iter().map(said).collect::<Vec<_>>(), expected);
    assert_eq!(batch.counted_bytes(), counted);
}

#[test]
fn only_qos_0_is_left_out_and_the_rest_stays_whole() {
    let (mut batch, mut expected) = everything();
    // One message to three sessions, three messages to two.
    let deliveries_each = 3 + 3 * 2;
    assert_eq!(batch.drop_at_most_once(), 2 * deliveries_each);
    assert_eq!(batch.drop_at_most_once(), 0);
    expected.retain(|said| !said.contains("qos: AtMostOnce, retain") && !said.contains("PublishRun"));
    assert_eq!(batch.iter().map(said).collect::<Vec<_>>(), expected);
}

#[test]
fn a_batch_of_qos_0_alone_is_left_out_as_a_whole() {
    let mut batch = PeerBatch::new();
    let message = message("a", b"", b"x", QoS::AtMostOnce);
    batch.forward(&message, Form::Copied, HELD, None, [target(1, &[]), target(2, &[])]);
    assert_eq!(batch.drop_at_most_once(), 2);
    assert!(batch.is_empty() && batch.counted_bytes() == 0);
}

#[test]
fn what_is_large_counts_like_what_is_copied() {
    let shared = message("a", b"", &[0; 1_000], QoS::AtMostOnce).share();
    let counted = [Form::Copied, Form::Shared(&shared)].map(|form| {
        let mut batch = PeerBatch::new();
        batch.forward(&shared.borrow(), form, None, None, [target(1, &[])]);
        batch.counted_bytes()
    });
    assert_eq!(counted[0], counted[1]);
    assert!(counted[0] > 1_000);
}
