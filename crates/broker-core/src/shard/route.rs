//! Owns where a message goes: the retained store, the sessions of this shard, other shards, one member
//! of each group. What each session does with it is told in `deliver`.

use super::{Shard, deliver::Recipient};
use crate::{
    effect::{Effect, Effects},
    ids::{GroupId, SessionId, ShardId},
    outgoing::Outgoing,
    peers::{AcknowledgementToken, PeerMessage, PeerTarget},
    retained::RetainedFull,
    session::Route,
    subscriptions::{Matches, ShareRequest, Subscriber, Target},
    time::Timestamp,
};

impl Shard {
    /// Keeps the message as the topic's last one, or clears it, if RETAIN asks for it `[MQTT5-3.3.1-5]`
    /// `[MQTT5-3.3.1-6]` `[MQTT5-3.3.1-7]` `[MQTT5-3.3.1-8]` `[MQTT311-3.3.1-5]` `[MQTT311-3.3.1-7]`
    /// `[MQTT311-3.3.1-10]` `[MQTT311-3.3.1-11]` `[MQTT311-3.3.1-12]`.
    pub(super) fn retain(&self, outgoing: &mut Outgoing<'_>, now: Timestamp) -> Result<(), RetainedFull> {
        let message = outgoing.message;
        if !message.retain {
            return Ok(());
        }
        if message.payload.is_empty() {
            self.node.retained.clear(message.topic.text());
            return Ok(());
        }
        self.node.retained.set(message.topic.text(), outgoing.share(), now)
    }

    /// Sends a message to everyone who subscribed to its topic, and to nobody else `[MQTT5-3.3.2-3]`.
    /// Whether anybody had.
    pub(super) fn route(
        &mut self,
        outgoing: &mut Outgoing<'_>,
        held: Option<AcknowledgementToken>,
        now: Timestamp,
        effects: &mut Effects,
    ) -> bool {
        let message = outgoing.message;
        let mut route = self.take_route(message.publisher);
        let matches = route.find(&self.node.subscriptions, message.topic.text(), message.publisher);
        for (shard, targets) in matches.by_shard() {
            if shard == self.id {
                for target in targets {
                    let recipient = Recipient::new(target, matches.identifiers(target));
                    self.deliver(recipient, outgoing, held, now, effects);
                }
            } else {
                let targets = targets.iter().map(|target| PeerTarget::new(target, matches)).collect();
                self.forward(shard, targets, outgoing, held, effects);
            }
        }
        for &group in matches.groups() {
            self.route_to_group(group, None, outgoing, held, now, effects);
        }
        let reached = !matches.is_empty();
        self.put_route(message.publisher, route);
        reached
    }

    /// The route of a connected client's last message, or a spare one.
    fn take_route(&mut self, publisher: Option<SessionId>) -> Box<Route> {
        let connection = publisher.and_then(|id| self.connection_mut(id));
        let own = connection.and_then(|connection| connection.route.take());
        own.or_else(|| self.route.take()).unwrap_or_default()
    }

    fn put_route(&mut self, publisher: Option<SessionId>, route: Box<Route>) {
        match publisher.and_then(|id| self.connection_mut(id)) {
            Some(connection) if route.is_small() => connection.route = Some(route),
            Some(_) | None => self.route = Some(route),
        }
    }

    /// Sends a message to one member of a group, other than the one that left it behind.
    pub(super) fn route_to_group(
        &mut self,
        group: GroupId,
        excluding: Option<SessionId>,
        outgoing: &mut Outgoing<'_>,
        held: Option<AcknowledgementToken>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let (topic, publisher) = (outgoing.message.topic.text(), outgoing.message.publisher);
        let request = ShareRequest { topic, publisher, excluding };
        let strategy = self.node.config.share_strategy;
        let Some(member) = self.node.subscriptions.choose(group, strategy, &request) else { return };
        let shard = member.session.shard();
        if shard == self.id {
            let identifiers = [member.identifier];
            let identifiers = if member.identifier == 0 { &[][..] } else { &identifiers };
            self.deliver(Recipient::member(member, identifiers, group), outgoing, held, now, effects);
        } else {
            self.forward(shard, vec![PeerTarget::member(member, group)], outgoing, held, effects);
        }
    }

    /// Hands a message to another shard, whose sessions it is for.
    fn forward(
        &mut self,
        shard: ShardId,
        targets: Vec<PeerTarget>,
        outgoing: &mut Outgoing<'_>,
        held: Option<AcknowledgementToken>,
        effects: &mut Effects,
    ) {
        if let Some(token) = held {
            self.held.await_one(token);
        }
        let message = PeerMessage::Deliver { message: outgoing.share(), targets, held };
        effects.push(Effect::Forward { shard, message });
    }
}

impl PeerTarget {
    fn new(target: &Target, matches: &Matches) -> Self {
        Self {
            session: target.session,
            qos: target.qos,
            retain_as_published: target.retain_as_published,
            identifiers: matches.identifiers(target).to_vec(),
            group: None,
        }
    }

    fn member(member: Subscriber, group: GroupId) -> Self {
        Self {
            session: member.session,
            qos: member.qos,
            retain_as_published: member.retain_as_published,
            identifiers: if member.identifier == 0 { Vec::new() } else { vec![member.identifier] },
            group: Some(group),
        }
    }
}
