//! Owns a client that publishes: its topics in turn, its window, its rate. When it may go on is told by the
//! ledger and by its acknowledgements.

use mqtt_codec::packet::PacketType;
use mqtt_codec::{ProtocolVersion, QoS, TopicName};

use crate::connection::UNSENT_BYTES_MAX;
use crate::error::Invalid;
use crate::frame::{PublishFrame, put_acknowledgement};
use crate::ledger::Ledger;
use crate::mark::{MARK_BYTES, Mark};

/// A client that publishes to its topics in turn.
#[derive(Clone, Debug)]
pub struct Publisher {
    /// At least one. Publishers may share topics; each counts its own messages.
    pub topics: Vec<String>,
    /// The Quality of Service of its messages.
    pub qos: QoS,
    /// Of each message; at least [`MARK_BYTES`].
    pub payload_bytes: usize,
    /// Whether the broker is to retain its messages.
    pub retain: bool,
    /// Messages that may be under way: at QoS 1 and 2 those without PUBACK or PUBCOMP, at most 65,535 and what
    /// the broker's Receive Maximum allows; at QoS 0 those that not all of their receivers have got, without
    /// receivers no bound. At least 1.
    pub window: u32,
    /// Messages per second. What the window holds back is sent later and counts from when it was due. None: as
    /// fast as the window allows.
    pub rate: Option<f64>,
    /// It stops by itself after so many; none: when the load is stopped. Either way each of its topics gets no more
    /// than the 4,294,967,295 that can be numbered.
    pub messages: Option<u64>,
}

/// A publisher at work.
#[derive(Debug)]
pub(crate) struct Publishing {
    frames: Vec<PublishFrame>,
    filler: Box<[u8]>,
    qos: QoS,
    /// Number of the first topic; the others follow.
    first_topic: u32,
    turn: u32,
    sequence: u32,
    remaining: u64,
    pub(crate) window: u32,
    schedule: Option<Schedule>,
    /// Packet identifiers to be used.
    free: Vec<u16>,
    /// By packet identifier; what is not in use has none.
    in_flight: Vec<InFlight>,
}

/// When messages are due, in nanoseconds since the load began.
#[derive(Debug)]
struct Schedule {
    interval: f64,
    begin: f64,
    published: f64,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    topic: u32,
    state: State,
    sent_at: u64,
}

/// What is to come for a packet identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    PubAck,
    PubRec,
    PubComp,
}

/// Why a publisher pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// It has published all it is to.
    Finished,
    /// Its window is full.
    Window,
    /// Enough waits for its socket.
    Socket,
    /// The next message is due then.
    Until(u64),
}

const PACKET_ID_MAX: u32 = 65_535;

impl Publishing {
    pub(crate) fn new(
        publisher: &Publisher,
        topics: &[TopicName],
        version: ProtocolVersion,
        first_topic: u32,
        window: u32,
    ) -> Result<Self, Invalid> {
        let payload = vec![0x55; publisher.payload_bytes];
        let filler = payload.get(MARK_BYTES..).ok_or(Invalid::PayloadBytes)?.into();
        let qos = publisher.qos;
        let frames = topics.iter().map(|topic| {
            PublishFrame::new(version, topic, qos, publisher.retain, &payload).map_err(Invalid::Packet)
        });
        let packet_ids = match qos {
            QoS::AtMostOnce => 0,
            QoS::AtLeastOnce | QoS::ExactlyOnce => publisher.window.min(PACKET_ID_MAX),
        };
        let unused = InFlight { topic: 0, state: State::Free, sent_at: 0 };
        Ok(Self {
            frames: frames.collect::<Result<_, _>>()?,
            filler,
            qos,
            first_topic,
            turn: 0,
            sequence: 0,
            remaining: publisher.messages.unwrap_or(u64::MAX).min(u64::from(u32::MAX) * topics.len() as u64),
            window,
            schedule: publisher.rate.map(|rate| Schedule {
                interval: 1e9 / rate,
                begin: 0.0,
                published: 0.0,
            }),
            free: (1..=packet_ids).rev().filter_map(|packet_id| u16::try_from(packet_id).ok()).collect(),
            in_flight: vec![unused; packet_ids as usize + 1],
        })
    }

    /// Its first message is due now, or a part of its interval later: publishers with a rate take turns.
    #[expect(clippy::cast_precision_loss, reason = "a load does not last for weeks")]
    pub(crate) fn start(&mut self, now: u64, part: f64) {
        if let Some(schedule) = &mut self.schedule {
            schedule.begin = now as f64 + schedule.interval * part;
        }
    }

    pub(crate) fn has_rate(&self) -> bool {
        self.schedule.is_some()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.remaining == 0
    }

    pub(crate) fn stop(&mut self) {
        self.remaining = 0;
    }

    /// No message has been published yet.
    pub(crate) fn limit_window(&mut self, receive_maximum: u16) {
        self.free.retain(|&packet_id| packet_id <= receive_maximum);
    }

    /// Publishes what it may.
    pub(crate) fn publish(&mut self, now: u64, ledger: &mut Ledger, out: &mut Vec<u8>) -> Halt {
        loop {
            if self.remaining == 0 {
                return Halt::Finished;
            }
            if out.len() >= UNSENT_BYTES_MAX {
                return Halt::Socket;
            }
            let mut sent_at = now;
            if let Some(schedule) = &self.schedule {
                sent_at = schedule.due_at();
                if sent_at > now {
                    return Halt::Until(sent_at);
                }
            }
            let topic = self.first_topic + self.turn;
            let Some(packet_id) = self.packet_id(topic, sent_at, ledger) else { return Halt::Window };
            let mark = Mark { topic, sequence: self.sequence, sent_at };
            self.frames[self.turn as usize].put(packet_id, mark, &self.filler, out);
            ledger.published(topic);
            self.advance();
        }
    }

    /// A packet identifier for the next message, at QoS 0 any; none if the window is full.
    #[inline]
    fn packet_id(&mut self, topic: u32, sent_at: u64, ledger: &Ledger) -> Option<u16> {
        let state = match self.qos {
            QoS::AtMostOnce => return ledger.has_room(self.window).then_some(0),
            QoS::AtLeastOnce => State::PubAck,
            QoS::ExactlyOnce => State::PubRec,
        };
        let packet_id = self.free.pop()?;
        self.in_flight[usize::from(packet_id)] = InFlight { topic, state, sent_at };
        Some(packet_id)
    }

    #[inline]
    fn advance(&mut self) {
        self.remaining -= 1;
        self.turn += 1;
        if self.turn as usize == self.frames.len() {
            self.turn = 0;
            self.sequence += 1;
        }
        if let Some(schedule) = &mut self.schedule {
            schedule.published += 1.0;
        }
    }

    /// PUBACK or PUBCOMP.
    ///
    /// # Errors
    /// Nothing waits for it.
    #[inline]
    pub(crate) fn acknowledged(
        &mut self,
        packet: PacketType,
        packet_id: u16,
        reason: u8,
        now: u64,
        ledger: &mut Ledger,
    ) -> Result<(), PacketType> {
        let expected = if packet == PacketType::PubAck { State::PubAck } else { State::PubComp };
        self.finish(expected, packet_id, reason, now, ledger).ok_or(packet)
    }

    /// PUBREC; a refusal is the end of the message.
    ///
    /// # Errors
    /// Nothing waits for it.
    pub(crate) fn received(
        &mut self,
        packet_id: u16,
        reason: u8,
        now: u64,
        ledger: &mut Ledger,
        out: &mut Vec<u8>,
    ) -> Result<(), PacketType> {
        if is_error(reason) {
            return self.finish(State::PubRec, packet_id, reason, now, ledger).ok_or(PacketType::PubRec);
        }
        let in_flight = self.in_flight.get_mut(usize::from(packet_id));
        let in_flight = in_flight.filter(|in_flight| in_flight.state == State::PubRec);
        in_flight.ok_or(PacketType::PubRec)?.state = State::PubComp;
        put_acknowledgement(0x62, packet_id.to_be_bytes(), out);
        Ok(())
    }

    #[inline]
    fn finish(
        &mut self,
        expected: State,
        packet_id: u16,
        reason: u8,
        now: u64,
        ledger: &mut Ledger,
    ) -> Option<()> {
        let in_flight = self.in_flight.get_mut(usize::from(packet_id))?;
        if in_flight.state != expected {
            return None;
        }
        in_flight.state = State::Free;
        ledger.tally.acknowledged(in_flight.sent_at, now);
        if is_error(reason) {
            ledger.refused(in_flight.topic);
        }
        self.free.push(packet_id);
        ledger.wake(self.window);
        Some(())
    }
}

fn is_error(reason: u8) -> bool {
    reason >= 0x80
}

impl Schedule {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds of a load")]
    fn due_at(&self) -> u64 {
        (self.begin + self.published * self.interval) as u64
    }
}
