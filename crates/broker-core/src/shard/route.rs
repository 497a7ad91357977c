//! Owns where a message goes: the sessions of this shard, other shards, one member of each group. What is
//! kept of it before is `keep`'s business, what each session does with it is told in `deliver`.

use super::{
    Shard,
    keep::{Kept, Member, NotKept, Receipt, Shortage},
};
use crate::{
    effect::Effects,
    held::{AcknowledgementToken, Holding},
    ids::{GroupId, SessionId, listed},
    message::MessageRef,
    outgoing::Outgoing,
    peers::{Recipient, Recorded},
    session::Route,
    subscriptions::{Matches, ShareRequest, Subscriber, Target},
    time::Timestamp,
};
use mqtt_codec::QoS;

impl Shard {
    /// Finds where a message goes, and keeps it for them and for those who come later: nobody comes between.
    #[inline(always)]
    pub(super) fn find_and_keep(
        &mut self,
        outgoing: &mut Outgoing<'_>,
        receipt: Option<Receipt>,
        shortage: Shortage,
        now: Timestamp,
    ) -> (Box<Route>, Result<Kept, NotKept>) {
        let is_retained = outgoing.message.retain;
        if is_retained {
            self.node.retaining.begin(self.id);
        }
        let route = self.find_route(outgoing);
        let kept = self.keep(outgoing, &route.matches, receipt, shortage, now);
        if is_retained {
            self.node.retaining.end(self.id);
        }
        (route, kept)
    }

    /// Finds everyone who subscribed to a message's topic, and nobody else `[MQTT5-3.3.2-3]`; of each group the
    /// member that gets it. What it finds goes back with [`put_route`](Self::put_route).
    #[inline(always)]
    fn find_route(&mut self, outgoing: &mut Outgoing<'_>) -> Box<Route> {
        let mut route = self.take_route(outgoing.message.publisher);
        route.find(&self.node.subscriptions, &self.node.config, &outgoing.message);
        outgoing.message.durability = outgoing.message.durability.min(route.durability());
        self.members.clear();
        if !route.matches.groups().is_empty() {
            self.choose_members(route.matches.groups(), &outgoing.message);
        }
        route
    }

    /// The member of each group that gets a message, in the order of their shards.
    #[inline(never)]
    fn choose_members(&mut self, groups: &[GroupId], message: &MessageRef<'_>) {
        for &group in groups {
            let subscriber = self.choose_member(group, None, message);
            self.members.extend(subscriber.map(|subscriber| Member { group, subscriber }));
        }
        self.members.sort_by_key(Member::shard);
    }

    /// Sends a message along its route. To another shard it goes as one message: what one record says arrives there
    /// at once, or a checkpoint between its parts would take the shard to know all of it.
    pub(super) fn follow_route(
        &mut self,
        route: &Route,
        outgoing: &mut Outgoing<'_>,
        holding: &mut Holding,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let matches = &route.matches;
        for (shard, targets) in matches.by_shard() {
            if shard == self.id {
                let recipients = targets.iter().map(|target| Recipient::new(target, matches));
                if outgoing.message.qos == QoS::AtMostOnce {
                    self.deliver_at_most_once(recipients, outgoing, now, effects);
                } else {
                    recipients.for_each(|recipient| self.deliver(recipient, outgoing, holding, now, effects));
                }
            } else {
                let (held, recorded) = self.note_forwarded(&outgoing.message, holding);
                let first = self.members.partition_point(|member| member.shard() < shard);
                let members = self.members[first..].iter().take_while(|member| member.shard() == shard);
                let targets = targets.iter().map(|target| Recipient::new(target, matches));
                let targets = targets.chain(members.map(Recipient::member));
                outgoing.forward(shard, held, recorded, targets, effects);
            }
        }
        if !self.members.is_empty() {
            self.deliver_to_members(matches, outgoing, holding, now, effects);
        }
    }

    /// Sends a message to the members that groups have chosen, but for those on shards that it has gone to already.
    #[inline(never)]
    fn deliver_to_members(
        &mut self,
        matches: &Matches,
        outgoing: &mut Outgoing<'_>,
        holding: &mut Holding,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let members = std::mem::take(&mut self.members);
        for members in members.chunk_by(|one, next| one.shard() == next.shard()) {
            let shard = members[0].shard();
            if shard == self.id {
                for member in members {
                    self.deliver(Recipient::member(member), outgoing, holding, now, effects);
                }
            } else if !matches.reaches(shard) {
                let (held, recorded) = self.note_forwarded(&outgoing.message, holding);
                let targets = members.iter().map(Recipient::member);
                outgoing.forward(shard, held, recorded, targets, effects);
            }
        }
        self.members = members;
    }

    /// The route of a connected client's last message, or a spare one.
    #[inline]
    pub(super) fn take_route(&mut self, publisher: Option<SessionId>) -> Box<Route> {
        let connection = publisher.and_then(|id| self.connection_mut(id));
        let own = connection.and_then(|connection| connection.route.take());
        self.route_or_spare(own)
    }

    /// The same for who has taken out the client's own, if it had one.
    #[inline]
    pub(super) fn route_or_spare(&mut self, own: Option<Box<Route>>) -> Box<Route> {
        own.or_else(|| self.route.take()).unwrap_or_default()
    }

    /// Keeps a route for the publisher's next message.
    pub(super) fn put_route(&mut self, publisher: Option<SessionId>, route: Box<Route>) {
        match publisher.and_then(|id| self.connection_mut(id)) {
            Some(connection) if route.is_small() => connection.route = Some(route),
            Some(_) | None => self.route = Some(route),
        }
    }

    /// Publishes what no client has sent just now, a Will or a figure of the broker: nobody is told if it
    /// cannot be kept, and it is still worth delivering.
    pub(super) fn publish_of_ourselves(
        &mut self,
        outgoing: &mut Outgoing<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let publisher = outgoing.message.publisher;
        let (route, _) = self.find_and_keep(outgoing, None, Shortage::Deliver, now);
        self.follow_route(&route, outgoing, &mut Holding::Nothing, now, effects);
        self.put_route(publisher, route);
    }

    /// The member of a group that gets a message, other than the one that left it behind.
    pub(super) fn choose_member(
        &self,
        group: GroupId,
        excluding: Option<SessionId>,
        message: &MessageRef<'_>,
    ) -> Option<Subscriber> {
        let request = ShareRequest { topic: message.topic.text(), publisher: message.publisher, excluding };
        self.node.subscriptions.choose(group, self.node.config.share_strategy, &request)
    }

    /// What another shard is told of a message beside it: the acknowledgement that waits for an answer from there, and
    /// its record.
    #[inline]
    fn note_forwarded(
        &mut self,
        message: &MessageRef<'_>,
        holding: &mut Holding,
    ) -> (Option<AcknowledgementToken>, Option<Recorded>) {
        let position = message.position;
        let recorded = position.is_some().then_some(Recorded { shard: self.id, position });
        (self.held.await_one(holding), recorded)
    }
}

impl<'a> Recipient<'a> {
    pub(super) fn new(target: &Target, matches: &'a Matches) -> Self {
        Self {
            session: target.session,
            qos: target.qos,
            retain_as_published: target.retain_as_published,
            identifiers: matches.identifiers(target),
            group: None,
        }
    }

    pub(super) fn member(Member { group, subscriber }: &'a Member) -> Self {
        let Subscriber { session, qos, retain_as_published, ref identifier, .. } = *subscriber;
        Self { session, qos, retain_as_published, identifiers: listed(identifier), group: Some(*group) }
    }
}
