//! Owns the proof that a mailbox loses nothing it must keep, and never lets its reader sleep over mail.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use broker_core::config::Durability;
use broker_core::{MessageRef, PeerTarget, SessionId, Timestamp};
use mio::{Events, Poll, Token};
use mqtt_codec::{QoS, TopicNameRef};

use super::*;

const SENDER: ShardId = ShardId(1);

/// A message of so many bytes for so many sessions.
fn deliver(qos: QoS, payload: &[u8], targets: usize) -> PeerMessage {
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
    let target = PeerTarget {
        session: SessionId::new(ShardId(0), 0, 0),
        qos,
        retain_as_published: false,
        identifiers: Vec::new(),
        group: None,
    };
    PeerMessage::Deliver {
        message: message.share(),
        targets: vec![target; targets],
        held: None,
        recorded: None,
    }
}

fn payload(mail: &Mail) -> Vec<u8> {
    match mail {
        Mail::Peer(PeerMessage::Deliver { message, .. }) => message.payload().to_vec(),
        other => panic!("{other:?} was not posted"),
    }
}

fn take(mailbox: &Mailbox) -> (Vec<Mail>, Vec<ShardId>) {
    let (mut mail, mut held_back) = (Vec::new(), Vec::new());
    mailbox.take(&mut mail, &mut held_back);
    (mail, held_back)
}

#[test]
fn mail_is_taken_in_the_order_in_which_it_was_posted() {
    let mailbox = Mailbox::default();
    assert!(!mailbox.has_mail());
    let mut batch: Vec<PeerMessage> = (0..5).map(|number| deliver(QoS::AtMostOnce, &[number], 1)).collect();
    assert_eq!(mailbox.post(SENDER, &mut batch), Posted { dropped: 0, is_full: false });
    assert!(batch.is_empty() && mailbox.has_mail());
    mailbox.post(SENDER, &mut vec![deliver(QoS::AtLeastOnce, &[5], 1)]);
    mailbox.put(Mail::Shutdown);
    let (mail, held_back) = take(&mailbox);
    let payloads: Vec<Vec<u8>> = mail[..6].iter().map(payload).collect();
    assert_eq!(payloads, [[0], [1], [2], [3], [4], [5]]);
    assert!(matches!(mail[6], Mail::Shutdown));
    assert_eq!(held_back, []);
    assert!(!mailbox.has_mail());
}

#[test]
fn a_full_mailbox_drops_what_it_may_and_holds_the_sender_back() {
    let mailbox = Mailbox::default();
    // Nobody had told the sender that it is full.
    let mut batch =
        vec![deliver(QoS::AtLeastOnce, &vec![0; MAIL_BYTES_MAX], 1), deliver(QoS::AtMostOnce, b"with it", 1)];
    assert_eq!(mailbox.post(SENDER, &mut batch), Posted { dropped: 0, is_full: true });
    assert!(!mailbox.has_room());
    let mut batch = vec![
        deliver(QoS::AtMostOnce, b"dropped", 3),
        deliver(QoS::ExactlyOnce, b"kept", 1),
        deliver(QoS::AtMostOnce, b"dropped", 2),
    ];
    assert_eq!(mailbox.post(SENDER, &mut batch), Posted { dropped: 5, is_full: true });
    // Whoever finds it full waits, once.
    for sender in [SENDER, ShardId(2), ShardId(2)] {
        assert!(mailbox.post(sender, &mut Vec::new()).is_full);
    }
    let (mail, held_back) = take(&mailbox);
    let payloads: Vec<Vec<u8>> = mail[1..].iter().map(payload).collect();
    assert_eq!(payloads, [&b"with it"[..], b"kept"]);
    assert_eq!(held_back, [SENDER, ShardId(2)]);
    assert!(mailbox.has_room());
    let posted = mailbox.post(SENDER, &mut vec![deliver(QoS::AtMostOnce, b"again", 1)]);
    assert_eq!(posted, Posted { dropped: 0, is_full: false });
}

#[test]
fn a_mailbox_is_full_at_its_limit_and_not_one_byte_before() {
    let with_overhead = deliver(QoS::AtMostOnce, &[], 1).bytes();
    for (bytes, is_full) in [(MAIL_BYTES_MAX - 1, false), (MAIL_BYTES_MAX, true)] {
        let mailbox = Mailbox::default();
        let message = deliver(QoS::AtMostOnce, &vec![0; bytes - with_overhead], 1);
        assert_eq!(mailbox.post(SENDER, &mut vec![message]), Posted { dropped: 0, is_full });
        assert_eq!(mailbox.has_room(), !is_full);
    }
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
                    mailbox.post(ShardId(sender), &mut vec![deliver(QoS::AtLeastOnce, &[], 1)]);
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
        received += take(&mailbox).0.len();
    }
    for sender in senders {
        sender.join().expect("a sender posts all");
    }
    assert!(!mailbox.has_mail());
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
