//! The short story of PUBLISH packets that differ in their payloads only: who sends them, whether they may be published
//! and who gets them is found out once. Whatever is not as plain is told, packet by packet, in `publish`.

use super::{Shard, send::count_sent};
use crate::{
    config::Durability,
    effect::Effects,
    ids::ConnectionId,
    journal::Position,
    message::{Addressed, MessageRef},
    outgoing::OutgoingRun,
    peers::Recipient,
    session::Route,
    time::Timestamp,
};
use mqtt_codec::{
    Borrowed, Packet, QoS, TopicName,
    packet::{Publish, PublishRun},
};

impl Shard {
    /// Receives the packets.
    #[inline(never)]
    pub(super) fn receive_run<'a>(
        &mut self,
        connection: ConnectionId,
        first: &Publish<Borrowed<'a>>,
        run: PublishRun<'a>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        // Behind a refused CONNECT nothing is heard [MQTT311-3.1.4-5].
        let Some(id) = self.sessions.of_connection(connection) else { return };
        let Some(version) = self.connection_ref(id).map(|connection| connection.version) else { return };
        let Some(topic) = first.topic.as_ref().map(TopicName::borrow) else { return };
        let message = MessageRef {
            topic,
            properties: &[],
            payload: first.payload,
            qos: QoS::AtMostOnce,
            retain: false,
            expires_at: Timestamp::NEVER,
            publisher: Some(id),
            durability: Durability::Disk,
            position: Position::NONE,
        };
        let mut route = self.take_route(Some(id));
        route.find(&self.node.subscriptions, &self.node.config, &message);
        // A group may choose another member for each.
        let is_plain =
            route.matches.groups().is_empty() && self.check(&message, Addressed::default(), version).is_ok();
        if is_plain {
            if let Some(connection) = self.connection_mut(id) {
                connection.last_received = now;
            }
            let (stats, count) = (&self.stats, u64::from(run.count));
            stats.messages_received.add(count);
            stats.publishes_received.add(count);
            stats.publish_bytes_received.add(run.payload_bytes.into());
            let mut outgoing = OutgoingRun::received(message, run, version);
            self.follow_route_together(&route, &mut outgoing, now, effects);
        }
        self.put_route(Some(id), route);
        if !is_plain {
            self.receive_each(connection, first, run, now, effects);
        }
    }

    /// Receives the packets one by one.
    fn receive_each<'a>(
        &mut self,
        connection: ConnectionId,
        first: &Publish<Borrowed<'a>>,
        run: PublishRun<'a>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        for (frame, payload) in run.packets() {
            let packet = Packet::Publish(Publish { payload, ..first.clone() });
            self.receive(connection, &packet, frame, now, effects);
        }
    }

    /// Sends messages along their route.
    fn follow_route_together(
        &mut self,
        route: &Route,
        outgoing: &mut OutgoingRun<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let matches = &route.matches;
        for (shard, targets) in matches.by_shard() {
            let recipients = targets.iter().map(|target| Recipient::new(target, matches));
            if shard == self.id {
                self.deliver_run(recipients, outgoing, now, effects);
            } else {
                outgoing.forward(shard, recipients, effects);
            }
        }
    }

    /// Delivers messages, all of them at once to whoever gets them as they were received. They go now or never: to no
    /// session without connection, behind no full outbox.
    pub(super) fn deliver_run<'a>(
        &mut self,
        recipients: impl Iterator<Item = Recipient<'a>>,
        outgoing: &mut OutgoingRun<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let (count, mut together) = (u64::from(outgoing.run.count), 0);
        for recipient in recipients {
            let Some(connection) = self.connection_mut(recipient.session) else { continue };
            if connection.is_congested {
                self.stats.publishes_dropped.add(count);
            } else if outgoing.suits(connection, recipient.identifiers) {
                outgoing.send(connection, effects);
                together += 1;
            } else {
                for mut outgoing in outgoing.each() {
                    self.deliver_at_most_once([recipient].into_iter(), &mut outgoing, now, effects);
                }
            }
        }
        count_sent(together * count, 0, &self.stats);
        self.stats.publish_bytes_sent.add(together * u64::from(outgoing.run.payload_bytes));
    }
}
