//! Owns the proof of the delivery flows: each side alone, and both over a connection that breaks at will.

use super::random::Random;
use mqtt_codec::{
    PacketId, QoS, TopicAlias, TopicNameRef, Violation,
    flow::{
        Inbound, InboundAliases, OutboundAlias, OutboundAliases, PacketIds, Progress, Receiver, Released,
        Resend, Sender, Step, Unexpected,
    },
    packet::Delivery,
};
use std::collections::VecDeque;

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn at_least_once(number: u16) -> Delivery {
    Delivery::AtLeastOnce { packet_id: id(number), dup: false }
}

fn exactly_once(number: u16) -> Delivery {
    Delivery::ExactlyOnce { packet_id: id(number), dup: false }
}

#[test]
fn identifiers_count_up_past_those_in_use_and_round() {
    // [MQTT5-2.2.1-3] [MQTT5-2.2.1-4] [MQTT311-2.3.1-2] [MQTT311-2.3.1-4]
    let mut ids = PacketIds::new();
    let free = |_| false;
    assert_eq!(ids.allocate(free), Some(id(1)));
    assert_eq!(ids.allocate(|candidate| candidate == id(2)), Some(id(3)));
    for _ in 4..=u16::MAX {
        ids.allocate(free).unwrap();
    }
    assert_eq!(ids.allocate(|candidate| candidate.get() < 7), Some(id(7)));
    assert_eq!(ids.allocate(|_| true), None);
    assert_eq!(ids.allocate(free), Some(id(8)), "nothing was given out in between");
}

#[test]
fn a_qos_2_publish_is_new_once_until_it_is_released() {
    // [MQTT5-4.3.3-10] [MQTT5-4.3.3-12] [MQTT5-4.3.3-9] [MQTT311-4.3.3-2]
    let mut receiver = Receiver::new(10);
    assert_eq!(receiver.publish(exactly_once(1)), Inbound::New);
    assert_eq!(receiver.publish(exactly_once(1)), Inbound::Duplicate);
    receiver.reconnect(10);
    assert_eq!(receiver.publish(exactly_once(1)), Inbound::Duplicate);
    assert_eq!(receiver.release(id(1)), Released::Known);
    assert_eq!(receiver.release(id(1)), Released::Unknown);
    assert_eq!(receiver.publish(exactly_once(1)), Inbound::New);
    receiver.refused(id(1));
    assert_eq!(receiver.publish(exactly_once(1)), Inbound::New);
    receiver.restore(id(9));
    receiver.restore(id(4));
    assert_eq!(receiver.unreleased().collect::<Vec<_>>(), [id(1), id(4), id(9)]);
    assert_eq!(receiver.publish(exactly_once(4)), Inbound::Duplicate);
}

#[test]
fn the_receivers_window_takes_what_was_announced_and_no_more() {
    // [MQTT5-3.3.4-7] [MQTT5-3.3.4-9]
    let mut receiver = Receiver::new(2);
    assert_eq!(receiver.publish(at_least_once(1)), Inbound::New);
    assert_eq!(receiver.publish(exactly_once(2)), Inbound::New);
    assert_eq!(receiver.publish(exactly_once(3)), Inbound::ReceiveMaximumExceeded);
    assert_eq!(receiver.publish(at_least_once(3)), Inbound::ReceiveMaximumExceeded);
    assert_eq!(receiver.publish(exactly_once(2)), Inbound::Duplicate, "a duplicate takes no place");
    assert_eq!(receiver.publish(Delivery::AtMostOnce), Inbound::New, "QoS 0 takes no place");
    receiver.acknowledged();
    assert_eq!(receiver.publish(at_least_once(3)), Inbound::New);
    receiver.release(id(2));
    assert_eq!(receiver.publish(exactly_once(4)), Inbound::New);
    assert_eq!(receiver.publish(at_least_once(5)), Inbound::ReceiveMaximumExceeded);
}

#[test]
fn what_an_earlier_connection_left_unreleased_takes_no_place_until_it_comes_again() {
    // [MQTT5-4.9.0-1]: the sender's window starts anew with each connection.
    let mut receiver = Receiver::new(2);
    receiver.publish(exactly_once(1));
    receiver.publish(exactly_once(2));
    receiver.reconnect(1);
    assert_eq!(receiver.publish(exactly_once(3)), Inbound::New);
    assert_eq!(receiver.publish(exactly_once(1)), Inbound::ReceiveMaximumExceeded);
    receiver.release(id(3));
    assert_eq!(receiver.publish(exactly_once(1)), Inbound::Duplicate);
    assert_eq!(receiver.publish(at_least_once(4)), Inbound::ReceiveMaximumExceeded);
    assert_eq!(receiver.release(id(2)), Released::Known);
    assert_eq!(receiver.publish(at_least_once(4)), Inbound::ReceiveMaximumExceeded, "it held no place");
}

#[test]
fn the_sender_takes_acknowledgements_in_their_order_and_no_others() {
    // [MQTT5-4.3.2-3] [MQTT5-4.3.3-3] [MQTT5-4.3.3-5]: in flight until the last one.
    let mut sender = Sender::new(10);
    sender.send(id(1), QoS::AtLeastOnce, "one");
    sender.send(id(2), QoS::ExactlyOnce, "two");
    assert_eq!(sender.puback(id(2)), Err(Unexpected), "QoS 2 has no PUBACK");
    assert_eq!(sender.pubrec(id(1), false, |_| ()), Err(Unexpected), "QoS 1 has no PUBREC");
    assert_eq!(sender.pubcomp(id(2)), Err(Unexpected), "PUBREC comes before PUBCOMP");
    assert_eq!(sender.puback(id(3)), Err(Unexpected));
    assert_eq!(sender.pubrec(id(2), false, |message| *message = "released"), Ok(Progress::Release));
    assert_eq!(sender.pubrec(id(2), false, |_| panic!("twice")), Ok(Progress::Release));
    assert_eq!(
        sender.iter().map(|it| (it.packet_id, it.step)).collect::<Vec<_>>(),
        [(id(1), Step::Published), (id(2), Step::Received),]
    );
    assert_eq!(sender.pubcomp(id(2)).unwrap().message, "released");
    assert_eq!(sender.puback(id(1)).unwrap().message, "one");
    assert_eq!(sender.puback(id(1)), Err(Unexpected));
    assert!(sender.is_empty());
}

#[test]
fn a_refused_qos_2_publish_is_complete() {
    // [MQTT5-4.4.0-2]
    let mut sender = Sender::new(1);
    sender.send(id(1), QoS::ExactlyOnce, "refused");
    let Ok(Progress::Done(done)) = sender.pubrec(id(1), true, |_| panic!("never received")) else {
        panic!("complete")
    };
    assert_eq!(done.message, "refused");
    assert!(sender.has_room());
}

#[test]
fn the_senders_window_is_full_at_its_size() {
    // [MQTT5-3.3.4-7] [MQTT5-4.9.0-2]
    let mut sender = Sender::new(2);
    sender.send(id(1), QoS::AtLeastOnce, ());
    assert!(sender.has_room());
    sender.send(id(2), QoS::ExactlyOnce, ());
    assert!(!sender.has_room());
    sender.pubrec(id(2), false, |()| ()).unwrap();
    assert!(!sender.has_room(), "PUBREC makes no room, PUBCOMP does");
    sender.pubcomp(id(2)).unwrap();
    assert!(sender.has_room());
}

#[test]
fn after_a_reconnect_everything_goes_again_before_anything_new() {
    // [MQTT5-4.4.0-1] [MQTT5-4.6.0-1] [MQTT311-2.3.1-3] [MQTT311-4.4.0-1]
    let mut sender = Sender::new(10);
    for number in 1..=4 {
        sender.send(id(number), QoS::ExactlyOnce, number);
    }
    sender.pubrec(id(2), false, |_| ()).unwrap();
    sender.pubrec(id(4), false, |_| ()).unwrap();
    sender.reconnect(3);
    let mut resent = Vec::new();
    while let Some(resend) = sender.next_resend() {
        resent.push(described(&resend));
    }
    assert_eq!(resent, ["PUBREL 2", "PUBREL 4", "PUBLISH 1"]);
    assert!(!sender.has_room());
    sender.pubcomp(id(2)).unwrap();
    assert_eq!(sender.next_resend().map(|resend| described(&resend)).as_deref(), Some("PUBLISH 3"));
    assert!(sender.next_resend().is_none());
}

#[test]
fn a_publish_that_waits_for_the_window_is_not_passed_over() {
    let mut sender = Sender::new(3);
    for number in 1..=3 {
        sender.send(id(number), QoS::AtLeastOnce, number);
    }
    sender.reconnect(1);
    for number in 1..=3 {
        let resent = sender.next_resend().map(|resend| described(&resend));
        assert_eq!(resent, Some(format!("PUBLISH {number}")));
        assert!(sender.next_resend().is_none(), "the window is full");
        sender.puback(id(number)).unwrap();
    }
    assert!(sender.next_resend().is_none());
    assert!(sender.has_room());
}

fn described<M>(resend: &Resend<'_, M>) -> String {
    match resend {
        Resend::Publish(in_flight) => format!("PUBLISH {}", in_flight.packet_id),
        Resend::PubRel(packet_id) => format!("PUBREL {packet_id}"),
    }
}

#[test]
fn an_identifier_is_found_wherever_it_is() {
    // Identifiers count up and round, and one that stays behind lets the order break.
    let mut sender = Sender::new(u16::MAX);
    let numbers = (65_530..=u16::MAX).chain(1..100).chain([65_000, 65_001]);
    for number in numbers.clone() {
        sender.send(id(number), QoS::AtLeastOnce, number);
    }
    for number in numbers.rev().step_by(3) {
        assert_eq!(sender.puback(id(number)).unwrap().message, number);
        assert!(!sender.contains(id(number)));
    }
    let left: Vec<u16> = sender.iter().map(|it| it.message).collect();
    for number in left {
        assert!(sender.contains(id(number)));
        sender.puback(id(number)).unwrap();
    }
    assert!(sender.is_empty());
}

#[test]
fn inbound_aliases_stand_for_the_last_topic_they_were_given() {
    // [MQTT5-3.3.2-10] [MQTT5-3.3.2-12]
    let mut aliases = InboundAliases::new(2);
    for (topic, alias, expected) in [
        (Some("a"), None, Ok("a")),
        (None, Some(1), Err(Violation::TopicAliasUndefined)),
        (Some("a"), Some(2), Ok("a")),
        (None, Some(2), Ok("a")),
        (None, Some(1), Err(Violation::TopicAliasUndefined)),
        (Some("b"), Some(2), Ok("b")),
        (None, Some(2), Ok("b")),
        (Some("c"), Some(3), Err(Violation::TopicAliasAboveMaximum)),
        (None, None, Err(Violation::TopicEmptyWithoutAlias)),
    ] {
        assert_eq!(resolve(&mut aliases, topic, alias), expected.map(str::to_owned), "{topic:?} {alias:?}");
    }
    let none = resolve(&mut InboundAliases::new(0), Some("a"), Some(1));
    assert_eq!(none, Err(Violation::TopicAliasAboveMaximum));
}

fn resolve(
    aliases: &mut InboundAliases,
    topic: Option<&str>,
    alias: Option<u16>,
) -> Result<String, Violation> {
    let topic = topic.map(|topic| TopicNameRef::new(topic).unwrap());
    aliases.resolve(topic, alias.and_then(TopicAlias::new)).map(|topic| topic.to_string())
}

#[test]
fn outbound_aliases_are_defined_before_they_are_used_and_never_above_the_maximum() {
    // [MQTT5-3.1.2-26] [MQTT5-3.1.2-27] [MQTT5-3.2.2-17] [MQTT5-3.2.2-18]
    let mut aliases = OutboundAliases::new(2);
    let alias = |number| TopicAlias::new(number).unwrap();
    assert_eq!(aliases.choose("a"), OutboundAlias::Define(alias(1)));
    assert_eq!(aliases.choose("a"), OutboundAlias::Use(alias(1)));
    assert_eq!(aliases.choose("b"), OutboundAlias::Define(alias(2)));
    assert_eq!(aliases.choose("c"), OutboundAlias::None);
    assert_eq!(aliases.choose("b"), OutboundAlias::Use(alias(2)));
    assert_eq!(OutboundAliases::new(0).choose("a"), OutboundAlias::None);
}

/// What one side sends the other.
#[derive(Clone, Copy, Debug)]
enum Wire {
    Publish(Delivery, u32),
    PubAck(PacketId),
    PubRec(PacketId),
    PubRel(PacketId),
    PubComp(PacketId),
}

/// A sender, a receiver, and what is on its way between them.
struct Pair {
    ids: PacketIds,
    sender: Sender<u32>,
    receiver: Receiver,
    to_receiver: VecDeque<Wire>,
    to_sender: VecDeque<Wire>,
    next_message: u32,
    delivered: Vec<u32>,
}

const WINDOW: u16 = 5;
const MESSAGES: u32 = 40;

impl Pair {
    fn new() -> Self {
        Self {
            ids: PacketIds::new(),
            sender: Sender::new(WINDOW),
            receiver: Receiver::new(WINDOW),
            to_receiver: VecDeque::new(),
            to_sender: VecDeque::new(),
            next_message: 0,
            delivered: Vec::new(),
        }
    }

    fn publish(&mut self) {
        if self.next_message == MESSAGES || !self.sender.has_room() {
            return;
        }
        let packet_id = self.ids.allocate(|candidate| self.sender.contains(candidate)).unwrap();
        // Even messages go at QoS 2, odd ones at QoS 1.
        let qos = if self.next_message.is_multiple_of(2) { QoS::ExactlyOnce } else { QoS::AtLeastOnce };
        self.sender.send(packet_id, qos, self.next_message);
        self.to_receiver.push_back(Wire::Publish(delivery(qos, packet_id, false), self.next_message));
        self.next_message += 1;
    }

    fn receive(&mut self) {
        match self.to_receiver.pop_front() {
            Some(Wire::Publish(delivery, message)) => {
                let inbound = self.receiver.publish(delivery);
                assert_ne!(inbound, Inbound::ReceiveMaximumExceeded, "the sender keeps to the window");
                if inbound == Inbound::New {
                    self.delivered.push(message);
                }
                let packet_id = delivery.packet_id().unwrap();
                if delivery.qos() == QoS::AtLeastOnce {
                    self.receiver.acknowledged();
                    self.to_sender.push_back(Wire::PubAck(packet_id));
                } else {
                    self.to_sender.push_back(Wire::PubRec(packet_id));
                }
            }
            Some(Wire::PubRel(packet_id)) => {
                self.receiver.release(packet_id);
                self.to_sender.push_back(Wire::PubComp(packet_id));
            }
            Some(other) => panic!("{other:?} is not for the receiver"),
            None => {}
        }
    }

    fn acknowledge(&mut self) {
        match self.to_sender.pop_front() {
            Some(Wire::PubAck(packet_id)) => drop(self.sender.puback(packet_id).unwrap()),
            Some(Wire::PubRec(packet_id)) => {
                assert_eq!(self.sender.pubrec(packet_id, false, |_| ()), Ok(Progress::Release));
                self.to_receiver.push_back(Wire::PubRel(packet_id));
            }
            Some(Wire::PubComp(packet_id)) => drop(self.sender.pubcomp(packet_id).unwrap()),
            Some(other) => panic!("{other:?} is not for the sender"),
            None => {}
        }
        self.resend();
    }

    /// Everything on its way is lost; both sides remember.
    fn break_connection(&mut self, window: u16) {
        self.to_receiver.clear();
        self.to_sender.clear();
        self.sender.reconnect(window);
        self.receiver.reconnect(WINDOW);
        self.resend();
    }

    fn resend(&mut self) {
        while let Some(resend) = self.sender.next_resend() {
            self.to_receiver.push_back(match resend {
                Resend::Publish(it) => Wire::Publish(delivery(it.qos, it.packet_id, true), it.message),
                Resend::PubRel(packet_id) => Wire::PubRel(packet_id),
            });
        }
    }

    fn is_done(&self) -> bool {
        self.next_message == MESSAGES && self.sender.is_empty()
    }
}

fn delivery(qos: QoS, packet_id: PacketId, dup: bool) -> Delivery {
    match qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
    }
}

#[test]
fn over_a_connection_that_breaks_nothing_is_lost_and_qos_2_is_delivered_once_in_order() {
    for seed in 0..500 {
        let mut random = Random(seed);
        let mut pair = Pair::new();
        let mut steps = 0;
        while !pair.is_done() {
            match random.below(24) {
                // The sender may keep to less than the receiver takes.
                0 => pair.break_connection(1 + u16::try_from(random.below(usize::from(WINDOW))).unwrap()),
                1..=8 => pair.publish(),
                9..=16 => pair.receive(),
                _ => pair.acknowledge(),
            }
            steps += 1;
            assert!(steps < 100_000, "seed {seed}: no progress");
        }
        let once: Vec<u32> = pair.delivered.iter().copied().filter(|message| message % 2 == 0).collect();
        let expected: Vec<u32> = (0..MESSAGES).step_by(2).collect();
        assert_eq!(once, expected, "seed {seed}");
        for message in (1..MESSAGES).step_by(2) {
            assert!(pair.delivered.contains(&message), "seed {seed}: {message} is lost");
        }
        assert_eq!(pair.receiver.unreleased().count(), 0, "seed {seed}");
    }
}
