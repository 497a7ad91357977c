//! Owns one client of ours: its connection and its session, as a real client keeps them over a crash of the
//! broker. The plan says what it wants, the history takes what it sees.

mod connecting;
mod publishing;
mod receiving;
mod subscribing;

use crate::{
    clock::At,
    connection::Connection,
    history::{Peer, PeerIndex, Presence, PublicationIndex, SessionIndex, Software},
    plan::{Act, Comeback, Part},
    stage::{Load, Stage},
};
use mqtt_codec::{
    Packet, PacketId,
    flow::{PacketIds, Receiver, Sender},
};
use std::collections::{BTreeMap, VecDeque};

use self::{receiving::Answer, receiving::InHand, subscribing::Request};

/// A client.
#[derive(Debug)]
pub(crate) struct Client {
    peer: PeerIndex,
    part: Part,
    agenda: VecDeque<(u64, Act)>,
    link: Link,
    /// Whether it has left on purpose.
    is_away: bool,
    /// Whether its session is to end: it connects without keeping one, once.
    ending: Ending,
    /// When its last connection ended.
    cut_at: Option<At>,
    session: Option<SessionIndex>,
    /// What the next CONNACK should say, but for what time may change.
    presence: Presence,
    /// Its will in the history.
    will: Option<usize>,
    packet_ids: PacketIds,
    sender: Sender<PublicationIndex>,
    receiver: Receiver,
    /// What was received and is not done with.
    in_hand: BTreeMap<PacketId, InHand>,
    /// What is to be answered, in order.
    answers: VecDeque<(At, Answer)>,
    answered: u32,
    /// What is to be asked for, and what was and is not answered.
    requests: VecDeque<Request>,
    requested: BTreeMap<PacketId, Request>,
    published: usize,
    publish_at: At,
}

/// The connection, if there is one.
#[derive(Debug)]
struct Link {
    state: LinkState,
    connection: Option<Connection>,
    /// Which one it is, counted from 1.
    number: u32,
    /// The broker's process it goes to.
    process: u32,
    /// Not to be tried before.
    not_before: At,
    clean_start: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    Down,
    /// CONNECT was sent.
    Connecting,
    Up,
    /// DISCONNECT was sent: what still comes is read.
    Leaving,
}

/// The end of a session on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    No,
    /// The next connection ends it.
    Next,
    /// A connection that does so is there, or was cut off.
    Begun,
}

impl Client {
    pub(crate) fn new(mut part: Part, stage: &mut Stage) -> Self {
        let peer = stage.history.peers.len();
        let (name, version) = (part.name.clone(), part.version);
        stage.history.peers.push(Peer { name, version, software: Software::Own });
        let window = part.publishing.as_ref().map_or(1, |publishing| publishing.window);
        let link = Link {
            state: LinkState::Down,
            connection: None,
            number: 0,
            process: 0,
            not_before: At::default(),
            clean_start: false,
        };
        Self {
            peer,
            agenda: std::mem::take(&mut part.agenda).into(),
            link,
            is_away: false,
            ending: Ending::No,
            cut_at: None,
            session: None,
            presence: Presence::Forbidden,
            will: None,
            packet_ids: PacketIds::new(),
            sender: Sender::new(window),
            receiver: Receiver::new(part.receive_maximum),
            in_hand: BTreeMap::new(),
            answers: VecDeque::new(),
            answered: 0,
            requests: VecDeque::new(),
            requested: BTreeMap::new(),
            published: 0,
            publish_at: At::default(),
            part,
        }
    }

    pub(crate) fn peer(&self) -> PeerIndex {
        self.peer
    }

    pub(crate) fn name(&self) -> &str {
        &self.part.name
    }

    /// Whether it is connected and everything it asked for is answered.
    pub(crate) fn is_set_up(&self) -> bool {
        self.link.state == LinkState::Up && self.requests.is_empty() && self.requested.is_empty()
    }

    /// Whether it is set up, or was cut off and stays away.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_set_up() || self.is_down() && self.cut_at.is_some() && self.part.comeback == Comeback::Never
    }

    /// Whether all it asked for and published is acknowledged.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.sender.is_empty() && self.requests.is_empty() && self.requested.is_empty()
    }

    /// Whether it has no connection, and nothing of one is still to be heard.
    pub(crate) fn is_down(&self) -> bool {
        self.link.state == LinkState::Down
    }

    /// Whether nothing of it is under way: it is away, or all it sent and received is acknowledged.
    pub(crate) fn is_idle(&self) -> bool {
        match self.link.state {
            LinkState::Down => true,
            LinkState::Connecting | LinkState::Leaving => false,
            LinkState::Up => {
                self.is_set_up()
                    && self.sender.is_empty()
                    && self.in_hand_here() == 0
                    && self.answers.is_empty()
            }
        }
    }

    /// What it received on this connection and has not finished. Of what was cut off before and did not come
    /// again it need not be told.
    fn in_hand_here(&self) -> usize {
        self.in_hand.values().filter(|hand| hand.connection == self.link.number).count()
    }

    /// What holds the end of the round up: all it published must be acknowledged, all it received released.
    pub(crate) fn hindrance(&self) -> Option<String> {
        if self.link.state == LinkState::Down && self.will.is_some() {
            return None;
        }
        if self.is_idle() && self.link.state == LinkState::Up {
            return None;
        }
        let (sending, receiving) = (self.sender.len(), self.in_hand_here());
        Some(format!(
            "{} is {:?}, with {sending} of its messages and {receiving} of others not fully acknowledged",
            self.name(),
            self.link.state
        ))
    }

    /// Does everything that is due, and says when it wants to be asked again.
    pub(crate) fn step(&mut self, stage: &mut Stage) -> Option<At> {
        self.act(stage);
        let again = self.connect_if_due(stage);
        let again = earlier(again, self.answer(stage));
        earlier(again, self.publish(stage))
    }

    /// Does what its agenda says. When the load is over, everybody comes back, and leaves at the end.
    fn act(&mut self, stage: &mut Stage) {
        let began = match stage.load {
            Load::NotYet => return,
            Load::Since(began) | Load::Paused(began) => began,
            Load::Over => {
                self.is_away = false;
                return;
            }
            Load::Ended => {
                self.is_away = true;
                self.leave(stage);
                return;
            }
        };
        while self.agenda.front().is_some_and(|&(ms, _)| began.plus_ms(ms) <= stage.clock.now()) {
            let Some((_, act)) = self.agenda.pop_front() else { return };
            match act {
                Act::Leave => {
                    self.is_away = true;
                    self.leave(stage);
                }
                Act::Return => self.is_away = false,
                Act::Subscribe(wanted) => self.want(&wanted, stage),
                Act::Unsubscribe => self.unwant_first(stage),
                Act::EndSession => self.end_session(stage),
            }
        }
    }

    /// Takes a packet that was read from its socket.
    pub(crate) fn heard(&mut self, connection: u32, at: At, packet: Packet, stage: &mut Stage) {
        debug_assert_eq!(connection, self.link.number, "a link is closed before the next is opened");
        match packet {
            Packet::ConnAck(packet) => self.connack(&packet, at, stage),
            Packet::Publish(packet) => self.receive(&packet, at, stage),
            Packet::PubRel(packet) => self.pubrel(packet.packet_id, at, stage),
            Packet::PubAck(packet) => self.puback(&packet, at, stage),
            Packet::PubRec(packet) => self.pubrec(&packet, at, stage),
            Packet::PubComp(packet) => self.pubcomp(&packet, at, stage),
            Packet::SubAck(packet) => {
                self.suback(packet.packet_id, &packet.reason_codes().collect::<Vec<_>>(), at, stage);
            }
            Packet::UnsubAck(packet) => self.unsuback(packet.packet_id, at, stage),
            Packet::PingResp => {}
            Packet::Disconnect(packet) => {
                let text = format!("{} was told DISCONNECT: {:?}", self.name(), packet.reason);
                stage.history.odd(at, text);
            }
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq
            | Packet::Auth(_) => {
                let text = format!("{} received {:?}", self.name(), packet.packet_type());
                stage.history.odd(at, text);
            }
        }
    }

    /// Sends a packet. A connection that does not take it tells of its end by itself.
    fn send(&mut self, packet: &Packet) {
        if let Some(connection) = &mut self.link.connection {
            let _ = connection.send(packet);
        }
    }

    /// An identifier that no PUBLISH, SUBSCRIBE or UNSUBSCRIBE in flight has.
    fn packet_id(&mut self) -> PacketId {
        let Self { packet_ids, sender, requested, .. } = self;
        packet_ids
            .allocate(|packet_id| sender.contains(packet_id) || requested.contains_key(&packet_id))
            .expect("a client has fewer than 65,535 packets in flight")
    }
}

/// The earlier of two moments, where there are any.
pub(crate) fn earlier(left: Option<At>, right: Option<At>) -> Option<At> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (one, None) | (None, one) => one,
    }
}
