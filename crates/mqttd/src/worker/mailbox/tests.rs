//! Owns the proof that a mailbox loses nothing it must keep, and never lets its reader sleep over mail.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use broker_core::config::Durability;
use broker_core::{Form, MessageRef, PeerMessage, Recipient, SessionId, Timestamp};
use mio::{Events, Poll, Token};
use mqtt_codec::{QoS, TopicNameRef};

use super::*;

const SENDER: ShardId = ShardId(1);

/// Adds a message of so many bytes for so many sessions.
fn add(batch: &mut PeerBatch, qos: QoS, payload: &[u8], targets: usize) {
    let message = MessageRef {
        topic: TopicNameRef::new("t").expect("a topic"),
        properties: &[],
        payload,
        qos,
        retain: false,
        expires_at: Timestamp::NEVER,
        publisher: None,
        durability: Durability::Memory,
        position: Position::NONE,
    };
    let target = Recipient {
        session: SessionId::new(ShardId(0), 0, 0),
        qos,
        retain_as_published: false,
        identifiers: &[],
        group: None,
    };
    batch.forward(&message, Form::Copied, None, None, std::iter::repeat_n(target, targets));
}

fn batch(messages: &[(QoS, &[u8], usize)]) -> Box<PeerBatch> {
    let mut batch = Box::<PeerBatch>::default();
    for &(qos, payload, targets) in messages {
        add(&mut batch, qos, payload, targets);
    }
    batch
}

/// One message for one session.
fn deliver(qos: QoS, payload: &[u8]) -> Box<PeerBatch> {
    batch(&[(qos, payload, 1)])
}

fn payloads(mail: &[Mail]) -> Vec<Vec<u8>> {
    let payload = |message| match message {
        PeerMessage::Deliver(forwarded) => forwarded.message.payload.to_vec(),
        other => panic!("{other:?} was not posted"),
    };
    let batches = mail.iter().map(|mail| match mail {
        Mail::Peers(batch) => batch.iter(),
        other => panic!("{other:?} was not posted"),
    });
    batches.flatten().map(payload).collect()
}

fn take(mailbox: &Mailbox) -> (Vec<Mail>, Vec<ShardId>) {
    let (mut mail, mut held_back) = (Vec::new(), Vec::new());
    mailbox.take(&mut mail, &mut held_back, &mut Vec::new());
    (mail, held_back)
}

#[test]
fn mail_is_taken_in_the_order_in_which_it_was_posted() {
    let mailbox = Mailbox::default();
    assert!(!mailbox.has_mail());
    let mut batch = Box::<PeerBatch>::default();
    for number in 0..5 {
        add(&mut batch, QoS::AtMostOnce, &[number], 1);
    }
    assert_eq!(mailbox.post(SENDER, &mut batch), Posted { dropped: 0, is_full: false });
    assert!(batch.is_empty() && mailbox.has_mail());
    mailbox.post(SENDER, &mut deliver(QoS::AtLeastOnce, &[5]));
    mailbox.put(Mail::Shutdown);
    let (mail, held_back) = take(&mailbox);
    assert_eq!(payloads(&mail[..2]), [[0], [1], [2], [3], [4], [5]]);
    assert!(matches!(mail[2], Mail::Shutdown));
    assert_eq!(held_back, []);
    assert!(!mailbox.has_mail());
}

#[test]
fn a_full_mailbox_drops_what_it_may_and_holds_the_sender_back() {
    let mailbox = Mailbox::default();
    // Nobody had told the sender that it is full.
    let large = vec![0; MAIL_BYTES_MAX];
    let mut mail = batch(&[(QoS::AtLeastOnce, &large, 1), (QoS::AtMostOnce, b"with it", 1)]);
    assert_eq!(mailbox.post(SENDER, &mut mail), Posted { dropped: 0, is_full: true });
    assert!(!mailbox.has_room());
    let mut mail = batch(&[
        (QoS::AtMostOnce, b"dropped", 3),
        (QoS::ExactlyOnce, b"kept", 1),
        (QoS::AtMostOnce, b"dropped", 2),
    ]);
    assert_eq!(mailbox.post(SENDER, &mut mail), Posted { dropped: 5, is_full: true });
    let mut mail = deliver(QoS::AtMostOnce, b"all of it dropped");
    assert_eq!(mailbox.post(SENDER, &mut mail), Posted { dropped: 1, is_full: true });
    assert!(mail.is_empty());
    // Whoever finds it full waits, once.
    for sender in [SENDER, ShardId(2), ShardId(2)] {
        assert!(mailbox.post(sender, &mut Box::default()).is_full);
    }
    let (mail, held_back) = take(&mailbox);
    assert_eq!(payloads(&mail)[1..], [&b"with it"[..], b"kept"]);
    assert_eq!(held_back, [SENDER, ShardId(2)]);
    assert!(mailbox.has_room());
    let posted = mailbox.post(SENDER, &mut deliver(QoS::AtMostOnce, b"again"));
    assert_eq!(posted, Posted { dropped: 0, is_full: false });
}

#[test]
fn a_mailbox_is_full_at_its_limit_and_not_one_byte_before() {
    let with_overhead = deliver(QoS::AtMostOnce, &[]).counted_bytes();
    for (bytes, is_full) in [(MAIL_BYTES_MAX - 1, false), (MAIL_BYTES_MAX, true)] {
        let mailbox = Mailbox::default();
        let mut message = deliver(QoS::AtMostOnce, &vec![0; bytes - with_overhead]);
        assert_eq!(mailbox.post(SENDER, &mut message), Posted { dropped: 0, is_full });
        assert_eq!(mailbox.has_room(), !is_full);
    }
}

#[test]
fn what_has_been_read_is_filled_again() {
    let mailbox = Mailbox::default();
    let (mut mail, mut held_back, mut read) = (Vec::new(), Vec::new(), Vec::new());
    let mut batch = Box::<PeerBatch>::default();
    let mut round = || {
        for number in 0..3 {
            add(&mut batch, QoS::AtLeastOnce, &[number], 1);
            mailbox.post(SENDER, &mut batch);
        }
        mailbox.take(&mut mail, &mut held_back, &mut read);
        assert_eq!(payloads(&mail), [[0], [1], [2]]);
        for mail in mail.drain(..) {
            let Mail::Peers(mut batch) = mail else { unreachable!("it was read") };
            batch.clear();
            read.push(batch);
        }
        read.len()
    };
    for _ in 0..SPARE_MAX {
        assert_eq!(round(), 3);
    }
    // Of those who were far behind once, too many come back at a time.
    read.resize_with(SPARE_MAX + 3, Box::default);
    mailbox.take(&mut mail, &mut held_back, &mut read);
    assert!(read.len() >= 3 && mailbox.contents.lock().spare.len() == SPARE_MAX);
}

/// The other end of a mailbox: what its reader sleeps on.
struct Bed {
    poll: Poll,
    events: Events,
}

impl Bed {
    fn of(mailbox: &Mailbox) -> Self {
        let poll = Poll::new().expect("a poll");
        mailbox.set_reader(Waker::new(poll.registry(), Token(0)).expect("a waker"));
        Self { poll, events: Events::with_capacity(8) }
    }

    /// Sleeps that long or until it is woken, and tells whether it was.
    fn is_woken_within(&mut self, patience: Duration) -> bool {
        self.poll.poll(&mut self.events, Some(patience)).expect("a poll");
        !self.events.is_empty()
    }
}

/// Longer than any wake-up takes: a reader that sleeps that long has slept over mail.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn no_mail_is_slept_over_however_senders_and_reader_meet() {
    const SENDERS: u16 = 4;
    const POSTS: usize = 5_000;
    let mailbox = Arc::new(Mailbox::default());
    let mut bed = Bed::of(&mailbox);
    let senders: Vec<_> = (1..=SENDERS)
        .map(|sender| {
            let mailbox = Arc::clone(&mailbox);
            thread::spawn(move || {
                for number in 0..POSTS {
                    // Bursts and pauses of changing length, so that the reader is met in every state.
                    for _ in 0..number % 97 {
                        std::hint::spin_loop();
                    }
                    mailbox.post(ShardId(sender), &mut deliver(QoS::AtLeastOnce, &[]));
                }
            })
        })
        .collect();
    let mut received = 0;
    while received < usize::from(SENDERS) * POSTS {
        if mailbox.park() {
            assert!(bed.is_woken_within(PATIENCE), "slept with {received} received");
            mailbox.unpark();
        }
        received += payloads(&take(&mailbox).0).len();
    }
    for sender in senders {
        sender.join().expect("a sender posts all");
    }
    assert!(!mailbox.has_mail());
}

/// The reader's time may be behind that of another thread's turn, not behind that of its own thread's.
#[test]
fn mail_from_another_thread_is_told_from_that_of_the_readers_own() {
    let mailbox = Mailbox::default();
    let is_from_afar = || mailbox.take(&mut Vec::new(), &mut Vec::new(), &mut Vec::new());
    mailbox.leave(SENDER, &mut deliver(QoS::AtLeastOnce, &[1]));
    mailbox.lay_down(Mail::Checkpoint);
    assert!(!is_from_afar());
    mailbox.post(SENDER, &mut deliver(QoS::AtLeastOnce, &[2]));
    mailbox.leave(SENDER, &mut deliver(QoS::AtLeastOnce, &[3]));
    assert!(is_from_afar());
    mailbox.put(Mail::Checkpoint);
    assert!(is_from_afar());
    assert!(!is_from_afar(), "it was taken");
}

#[test]
fn only_a_reader_that_sleeps_is_woken() {
    let mailbox = Mailbox::default();
    let mut bed = Bed::of(&mailbox);
    let mut is_woken = || bed.is_woken_within(Duration::ZERO);
    mailbox.put(Mail::Shutdown);
    assert!(!is_woken(), "it looks by itself");
    assert!(!mailbox.park(), "there is mail, it must not sleep");
    mailbox.put(Mail::Shutdown);
    assert!(!is_woken(), "it was told so, and is awake");
    take(&mailbox);
    assert!(mailbox.park());
    assert!(!is_woken());
    mailbox.put(Mail::Shutdown);
    assert!(is_woken());
    mailbox.put(Mail::Shutdown);
    assert!(!is_woken(), "once is enough");
    mailbox.unpark();
    mailbox.nudge();
    assert!(!is_woken());
}
