//! Owns clients that are not our code: rumqttc in both versions, in threads of their own, told where the broker
//! is after each restart. What they see goes to the round as it is; it says nothing of its own about right and
//! wrong.

mod whereabouts;

pub(crate) use whereabouts::Whereabouts;

use crate::{
    clock::{At, Clock},
    connection::{Heard, Told},
    history::{
        Connected, Delivery, History, Origin, Peer, PeerIndex, Presence, Publication, PublicationIndex,
        Retain, Session, Software, Span, Subscription,
    },
    payload::{self, payload},
    plan::{IndependentPart, IndependentTask},
    stage::Stage,
};
use bytes::Bytes;
use mqtt_codec::{ProtocolVersion, QoS};
use std::{
    sync::{Arc, mpsc::SyncSender},
    thread,
    time::Duration,
};

/// Requests that wait for rumqttc; more hold the publisher back.
const REQUESTS_WAITING_MAX: usize = 10;
const PAYLOAD_BYTES: usize = 100;

/// A client of other people.
#[derive(Debug)]
pub(crate) struct Independent {
    name: String,
    peer: PeerIndex,
    session: Option<usize>,
    subscription: Option<Subscription>,
    presence: Presence,
}

/// What the threads of one client share.
#[derive(Clone, Debug)]
struct Post {
    peer: PeerIndex,
    clock: Clock,
    heard: SyncSender<Heard>,
    whereabouts: Arc<Whereabouts>,
}

/// What is to be done, with the place of its messages in the history.
#[derive(Clone, Debug)]
enum Task {
    Publish { topic: String, qos: QoS, first: PublicationIndex, count: usize, interval: Duration },
    Subscribe { filter: String },
}

impl Independent {
    /// Starts its threads; it connects as soon as there is a broker.
    pub(crate) fn start(part: IndependentPart, stage: &mut Stage, whereabouts: &Arc<Whereabouts>) -> Self {
        let IndependentPart { name, version, task } = part;
        let peer = stage.history.peers.len();
        stage.history.peers.push(Peer { name: name.clone(), version, software: Software::Rumqttc });
        let mut subscription = None;
        let task = match task {
            IndependentTask::Publish { topic, qos, messages_max, interval } => {
                let first = stage.history.publications.len();
                for _ in 0..messages_max {
                    stage.publication(Publication {
                        peer,
                        topic: topic.clone(),
                        qos,
                        retain: Retain::No,
                        origin: Origin::Publish,
                        expiry_seconds: None,
                        sent_at: None,
                        last_sent_at: None,
                        acknowledged_at: None,
                    });
                }
                Task::Publish { topic: topic.as_str().to_owned(), qos, first, count: messages_max, interval }
            }
            IndependentTask::Subscribe { filter } => {
                subscription = Some(Subscription {
                    session: 0,
                    filter: filter.clone(),
                    qos: QoS::AtLeastOnce,
                    identifier: None,
                    no_local: false,
                    retain_as_published: false,
                    sent_at: stage.clock.now(),
                    acknowledged_at: None,
                    unsubscribe_sent_at: None,
                    unsubscribed_at: None,
                });
                Task::Subscribe { filter: filter.as_str().to_owned() }
            }
        };
        let post = Post {
            peer,
            clock: stage.clock,
            heard: stage.heard.clone(),
            whereabouts: Arc::clone(whereabouts),
        };
        let client_id = name.clone();
        thread::spawn(move || match version {
            ProtocolVersion::V5 => v5::run(&client_id, &post, &task),
            ProtocolVersion::V31 | ProtocolVersion::V311 => v4::run(&client_id, &post, &task),
        });
        Self { name, peer, session: None, subscription, presence: Presence::Open }
    }

    pub(crate) fn peer(&self) -> PeerIndex {
        self.peer
    }

    /// Whether it has a session, and its subscription if it wants one.
    pub(crate) fn is_set_up(&self) -> bool {
        self.session.is_some() && self.subscription.is_none()
    }

    /// What holds the end of the round up.
    pub(crate) fn hindrance(&self, history: &History) -> Option<String> {
        let waits = |it: &&Publication| it.sent_at.is_some() && it.acknowledged_at.is_none();
        let waiting = history.publications.iter().filter(|it| it.peer == self.peer).filter(waits).count();
        (waiting > 0).then(|| format!("{} waits for {waiting} acknowledgements", self.name))
    }

    /// Takes what it tells into the history.
    pub(crate) fn told(&mut self, at: At, told: Told, stage: &mut Stage) {
        match told {
            Told::Connected { session_present } => self.connected(at, session_present, &mut stage.history),
            Told::Closed => {
                let mine = stage.history.connections.iter_mut().rev().find(|it| it.peer == self.peer);
                if let Some(connection) = mine.filter(|connection| connection.closed_at.is_none()) {
                    connection.closed_at = Some(at);
                }
            }
            Told::Subscribed => {
                let (Some(subscription), Some(session)) = (self.subscription.take(), self.session) else {
                    return;
                };
                let acknowledged_at = Some(at);
                stage.history.subscriptions.push(Subscription { session, acknowledged_at, ..subscription });
            }
            Told::Sent { publication } => {
                let publication = &mut stage.history.publications[publication];
                publication.sent_at = Some(at);
            }
            Told::Acknowledged { publication } => stage.acknowledged(publication, at),
            Told::Message { payload, topic, qos, dup, retain } => {
                let found = payload::publication(&payload);
                let topic_of =
                    |index: usize| stage.history.publications.get(index).map(|it| it.topic.as_str());
                let Some(publication) = found.filter(|&index| topic_of(index) == Some(topic.as_str())) else {
                    let text = format!("{} received on {topic:?} what nobody published there", self.name);
                    stage.history.odd(at, text);
                    return;
                };
                let Some(session) = self.session else { return };
                stage.history.deliveries.push(Delivery {
                    session,
                    publication,
                    at,
                    qos,
                    dup,
                    retain,
                    identifiers: Vec::new(),
                    expiry_seconds: None,
                });
            }
        }
    }

    fn connected(&mut self, at: At, session_present: bool, history: &mut History) {
        let presence = std::mem::replace(&mut self.presence, Presence::Expected);
        let session = match self.session {
            Some(session) if session_present => session,
            Some(_) | None => {
                history.sessions.push(Session { peer: self.peer, span: Span::Round, ended_at: None });
                history.sessions.len() - 1
            }
        };
        self.session = Some(session);
        let peer = self.peer;
        history.connections.push(Connected { peer, session, at, closed_at: None, presence, session_present });
    }
}

impl Post {
    fn tell(&self, told: Told) {
        // Nobody listens any more when the round is over.
        let _ = self.heard.send(Heard::Independent { peer: self.peer, at: self.clock.now(), told });
    }
}

/// One of the two interfaces of rumqttc, which differ in their types but hardly in their names.
macro_rules! interface {
    ($version:ident { $($import:item)* } options: $options:expr, field: $field:ident, text: $text:expr, bytes: $bytes:expr) => {
        mod $version {
            use super::{Post, PAYLOAD_BYTES, REQUESTS_WAITING_MAX, Task, Told, payload};
            use std::thread;
            $($import)*

            /// Does its task until the round is over.
            pub(super) fn run(client_id: &str, post: &Post, task: &Task) {
                let Some(mut place) = post.whereabouts.next(0) else { return };
                let options = |port| $options(MqttOptions::new(client_id, "127.0.0.1", port));
                let (client, mut connection) = Client::new(options(place.port), REQUESTS_WAITING_MAX);
                let mut first = 0;
                match task.clone() {
                    Task::Subscribe { filter } => {
                        if client.subscribe(filter, QoS::AtLeastOnce).is_err() {
                            return;
                        }
                        // The handle stays, or the event loop would end.
                        thread::spawn({ let post = post.clone(); move || { post.whereabouts.over(); drop(client); } });
                    }
                    Task::Publish { topic, qos, first: number, count, interval } => {
                        first = number;
                        let post = post.clone();
                        thread::spawn(move || {
                            for publication in first..first + count {
                                if !post.whereabouts.is_wanted(interval) {
                                    break;
                                }
                                post.tell(Told::Sent { publication });
                                let bytes = payload(publication, PAYLOAD_BYTES);
                                if client.publish(topic.as_str(), of(qos), super::NOT_RETAINED, bytes).is_err() {
                                    break;
                                }
                            }
                            // The handle stays, or the event loop would end.
                            post.whereabouts.over();
                        });
                    }
                }
                loop {
                    match connection.recv() {
                        Ok(Ok(Event::Incoming(packet))) => {
                            if let Some(told) = told(packet, first) {
                                post.tell(told);
                            }
                        }
                        Ok(Ok(Event::Outgoing(_))) => {}
                        Ok(Err(_)) => {
                            post.tell(Told::Closed);
                            let Some(next) = post.whereabouts.next(place.process) else { return };
                            place = next;
                            connection.eventloop.$field = options(place.port);
                        }
                        Err(_) => return,
                    }
                }
            }

            /// Packet identifiers begin at 1 and never come round: the history has room for fewer messages.
            fn told(packet: Packet, first: usize) -> Option<Told> {
                let publication = |packet_id: u16| first + usize::from(packet_id) - 1;
                Some(match packet {
                    Packet::ConnAck(packet) => Told::Connected { session_present: packet.session_present },
                    Packet::SubAck(_) => Told::Subscribed,
                    Packet::PubAck(packet) => Told::Acknowledged { publication: publication(packet.pkid) },
                    Packet::PubRec(packet) => Told::Acknowledged { publication: publication(packet.pkid) },
                    Packet::Publish(packet) => Told::Message {
                        topic: $text(&packet.topic),
                        payload: $bytes(packet.payload),
                        qos: super::qos(packet.qos as u8),
                        dup: packet.dup,
                        retain: packet.retain,
                    },
                    _ => return None,
                })
            }

            fn of(qos: mqtt_codec::QoS) -> QoS {
                match qos {
                    mqtt_codec::QoS::AtMostOnce => QoS::AtMostOnce,
                    mqtt_codec::QoS::AtLeastOnce => QoS::AtLeastOnce,
                    mqtt_codec::QoS::ExactlyOnce => QoS::ExactlyOnce,
                }
            }
        }
    };
}

const NOT_RETAINED: bool = false;
/// More than any packet has here.
const PACKET_BYTES_MAX: usize = 1024 * 1024;
/// More than a client ever publishes, so that its packet identifiers never come round.
const INFLIGHT_MAX: u16 = 1000;
const SESSION_EXPIRY_SECONDS: u32 = 3600;

interface! {
    v4 {
        use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
    }
    options: |mut options: MqttOptions| {
        options.set_clean_session(false).set_inflight(super::INFLIGHT_MAX);
        options.set_max_packet_size(super::PACKET_BYTES_MAX, super::PACKET_BYTES_MAX);
        options
    },
    field: mqtt_options,
    text: |topic: &String| topic.clone(),
    bytes: |payload: super::Bytes| payload
}

interface! {
    v5 {
        use rumqttc::v5::{
            Client, Event, MqttOptions,
            mqttbytes::{QoS, v5::Packet},
        };
    }
    options: |mut options: MqttOptions| {
        options.set_clean_start(false).set_session_expiry_interval(Some(super::SESSION_EXPIRY_SECONDS));
        options.set_outgoing_inflight_upper_limit(super::INFLIGHT_MAX);
        options.set_max_packet_size(u32::try_from(super::PACKET_BYTES_MAX).ok());
        options
    },
    field: options,
    text: |topic: &super::Bytes| String::from_utf8_lossy(topic).into_owned(),
    bytes: |payload: super::Bytes| payload
}

fn qos(bits: u8) -> QoS {
    QoS::from_bits(bits).unwrap_or_default()
}
