//! Owns the two translations of the driver: what happens into the protocol's inputs, and the protocol's effects into
//! answers, streams and events. It never waits.

use super::{
    End,
    inbox::{Inbox, Interest, Occurrence, Requests},
    request::{Callers, Request, SubscribeRequest, SubscribeTicket, UnsubscribeTicket},
};
use crate::{
    delivery::Feedback,
    error::{ConnectionError, DisconnectError, PublishError},
    event::{Connected, Event},
    handle::{PublishReply, Quota},
    message::Published,
    options::Options,
    protocol::{Effect, Effects, Input, Protocol, SubscriptionKey, UnmatchedStream},
    request::Disconnect,
    stream::{BufferLimits, Pushed, StreamSender, stream},
};
use mqtt_codec::{Properties, ReasonCode};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, broadcast, mpsc::UnboundedSender, oneshot, watch},
    time::Instant,
};

/// A client without its socket.
pub(super) struct Core {
    options: Arc<Options>,
    pub(super) protocol: Protocol<Callers>,
    pub(super) effects: Effects<Callers>,
    /// Whoever awaits the first connection.
    pub(super) first: Option<oneshot::Sender<Result<(), ConnectionError>>>,
    /// How the connection ends, once that is decided.
    pub(super) end: Option<End>,
    streams: HashMap<SubscriptionKey, StreamSender>,
    last_key: SubscriptionKey,
    /// Streams that have the reading paused.
    full: Vec<SubscriptionKey>,
    /// QoS 0 publishers, with the position of the output that must have been written.
    written: VecDeque<(u64, PublishReply)>,
    requests: Requests,
    leaving: Option<oneshot::Sender<Result<(), DisconnectError>>>,
    feedback: UnboundedSender<Feedback>,
    events: broadcast::Sender<Event>,
    connected: watch::Sender<Option<Arc<Connected>>>,
    had_connected: bool,
    quota: Quota,
    room: Arc<Notify>,
}

/// What a core is made of.
pub(super) struct CoreParts {
    pub(super) options: Arc<Options>,
    pub(super) feedback: UnboundedSender<Feedback>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) connected: watch::Sender<Option<Arc<Connected>>>,
    pub(super) quota: Quota,
    pub(super) room: Arc<Notify>,
    pub(super) unmatched: Option<StreamSender>,
}

impl Core {
    pub(super) fn new(parts: CoreParts) -> Self {
        let unmatched = if parts.unmatched.is_some() { UnmatchedStream::Open } else { UnmatchedStream::None };
        Self {
            protocol: Protocol::new(Arc::clone(&parts.options), unmatched),
            options: parts.options,
            effects: Effects::new(),
            first: None,
            end: None,
            streams: parts.unmatched.into_iter().map(|stream| (SubscriptionKey::UNMATCHED, stream)).collect(),
            last_key: SubscriptionKey::UNMATCHED,
            full: Vec::new(),
            written: VecDeque::new(),
            requests: Requests::Wanted,
            leaving: None,
            feedback: parts.feedback,
            events: parts.events,
            connected: parts.connected,
            had_connected: false,
            quota: parts.quota,
            room: parts.room,
        }
    }

    /// Steps the protocol and carries out what it says. The clock is read here alone.
    pub(super) fn step(&mut self, input: Input<Callers>) {
        self.protocol.handle(input, Instant::now().into_std(), &mut self.effects);
        while let Some(effect) = self.effects.next() {
            self.apply(effect);
        }
    }

    /// What the inbox is asked for.
    pub(super) fn interest(&self) -> Interest {
        // What is not taken waits in the channel, where the queue's limits hold it.
        let requests = if self.effects.has_room() { self.requests } else { Requests::Unwanted };
        Interest { requests, deadline: self.protocol.next_deadline().map(Instant::from_std) }
    }

    /// Whether packets may be read and decoded.
    pub(super) fn may_read(&self) -> bool {
        self.full.is_empty() && self.end.is_none() && self.protocol.wants_packets()
    }

    /// Something other than the socket happened.
    pub(super) fn occurred(&mut self, occurrence: Occurrence, inbox: &mut Inbox) {
        match occurrence {
            Occurrence::Requests => {
                for request in inbox.take_requests() {
                    // Behind a disconnect nothing is asked any more: the answer is that the client has ended.
                    if self.requests == Requests::Wanted {
                        self.requested(request, inbox);
                    }
                }
            }
            Occurrence::HandlesGone => self.leave(Disconnect::default(), inbox),
            Occurrence::Feedback => {
                for feedback in inbox.take_feedback() {
                    self.told(feedback);
                }
            }
            Occurrence::Room => self.look_for_room(),
            // What a server says while nobody reads it is not its silence.
            Occurrence::Deadline if !self.may_read() => self.step(Input::ReadingPaused),
            Occurrence::Deadline => self.step(Input::Tick),
        }
    }

    fn requested(&mut self, request: Request, inbox: &mut Inbox) {
        match request {
            Request::Publish { message, reply } => self.step(Input::Publish(message, reply)),
            Request::Subscribe(request) => self.subscribe(request),
            Request::Unsubscribe { unsubscribe, target, reply, permit } => {
                self.step(Input::Unsubscribe(unsubscribe, target, UnsubscribeTicket { reply, permit }));
            }
            Request::Disconnect { disconnect, reply } => match self.protocol.check_disconnect(&disconnect) {
                Ok(()) => {
                    self.leaving = Some(reply);
                    self.leave(disconnect, inbox);
                }
                Err(error) => {
                    // Nobody may be waiting.
                    let _ = reply.send(Err(error));
                }
            },
        }
    }

    fn subscribe(&mut self, request: SubscribeRequest) {
        let SubscribeRequest { subscribe, reply, permit } = request;
        self.last_key = self.last_key.next();
        let key = self.last_key;
        let limits = BufferLimits {
            messages_max: subscribe.buffer_messages_max,
            bytes_max: subscribe.buffer_bytes_max,
            overflow: subscribe.overflow,
        };
        let (sender, deliveries) = stream(key, limits, subscribe.acknowledging, &self.room, &self.feedback);
        self.streams.insert(key, sender);
        self.step(Input::Subscribe(key, subscribe, SubscribeTicket { reply, deliveries, permit }));
    }

    fn leave(&mut self, disconnect: Disconnect, inbox: &mut Inbox) {
        self.requests = Requests::Unwanted;
        inbox.close_requests();
        self.step(Input::Disconnect(disconnect));
    }

    fn told(&mut self, feedback: Feedback) {
        match feedback {
            Feedback::Settled(key, settlement) => self.step(Input::Settled(key, settlement)),
            Feedback::StreamDropped(key) => {
                self.streams.remove(&key);
                self.look_for_room();
                self.step(Input::StreamDropped(key));
            }
        }
    }

    fn look_for_room(&mut self) {
        let streams = &self.streams;
        self.full.retain(|key| streams.get(key).is_some_and(StreamSender::is_full));
    }

    fn apply(&mut self, effect: Effect<Callers>) {
        match effect {
            Effect::Written(reply, position) => self.written.push_back((position, reply)),
            Effect::Published(reply, outcome) => reply.resolve(outcome),
            Effect::Subscribed(ticket, key, outcome) => {
                if outcome.is_err() {
                    self.streams.remove(&key);
                }
                ticket.resolve(outcome);
            }
            Effect::Unsubscribed(ticket, outcome) => ticket.resolve(outcome),
            Effect::Deliver(key, arrival) => {
                // A stream that was dropped a moment ago has no sender: dropping the arrival would leave it
                // unacknowledged, so it is settled like the rest of that stream.
                match self.streams.get(&key) {
                    Some(stream) => {
                        if stream.push(arrival) == Pushed::Full && !self.full.contains(&key) {
                            self.full.push(key);
                        }
                    }
                    None => arrival.settle(&self.feedback),
                }
            }
            Effect::StreamEnded(key) => {
                self.streams.remove(&key);
                self.look_for_room();
            }
            Effect::Connected(connected) => {
                self.had_connected = true;
                self.connected.send_replace(Some(Arc::clone(&connected)));
                self.report(Event::Connected(connected));
                if let Some(first) = self.first.take() {
                    // Whoever asked may have gone; then all handles have.
                    let _ = first.send(Ok(()));
                }
            }
            Effect::Report(event) => self.report(event),
            Effect::Close(error) => self.end = Some(End::Lost(error)),
            Effect::Finished { undelivered } => self.end = Some(End::Finished { undelivered }),
        }
    }

    /// The first bytes of the output were written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        let position = self.effects.wrote(bytes);
        while self.written.front().is_some_and(|(end, _)| *end <= position) {
            let Some((_, reply)) = self.written.pop_front() else { return };
            let published =
                Published { reason: ReasonCode::Success, properties: Properties::NONE, packet_id: None };
            reply.resolve(Ok(published));
        }
    }

    /// The connection, or the attempt to make one, is over.
    pub(super) fn lost(&mut self) {
        self.step(Input::Lost);
        self.effects.discard_output();
        for (_, reply) in self.written.drain(..) {
            reply.resolve(Err(PublishError::ConnectionLost));
        }
        self.connected.send_replace(None);
    }

    /// Whether there was a connection since this was last asked.
    pub(super) fn has_connected(&mut self) -> bool {
        std::mem::take(&mut self.had_connected)
    }

    pub(super) fn drain_timeout(&self) -> Duration {
        self.options.drain_timeout
    }

    pub(super) fn undelivered(&self) -> usize {
        self.protocol.undelivered()
    }

    pub(super) fn report(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }

    /// Ends everything; hands back whoever awaits that.
    pub(super) fn close(
        self,
        error: Option<ConnectionError>,
    ) -> Option<oneshot::Sender<Result<(), DisconnectError>>> {
        self.quota.close();
        self.report(Event::Closed(error));
        self.leaving
    }
}
