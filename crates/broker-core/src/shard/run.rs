//! The short story of a plain PUBLISH, and of several that differ in their payloads only: who sends them, whether they
//! may be published and who gets them is found out once. Whatever is not as plain is told, packet by packet, in `publish`.

use super::{Shard, send::count_sent};
use crate::{
    effect::Effects, ids::ConnectionId, message::Addressed, outgoing::OutgoingRun, peers::Recipient,
    session::Route, time::Timestamp,
};
use mqtt_codec::{Packet, packet::PublishRun};

impl Shard {
    /// Receives the packets.
    #[inline(never)]
    pub(super) fn receive_run(
        &mut self,
        connection: ConnectionId,
        run: PublishRun<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        // Behind a refused CONNECT nothing is heard [MQTT311-3.1.4-5].
        let Some(id) = self.sessions.of_connection(connection) else { return };
        let Some(publisher) = self.connection_mut(id) else { return };
        publisher.last_received = now;
        let (version, last_route) = (publisher.version, publisher.route.take());
        let mut outgoing = OutgoingRun::received(run, id, version);
        let message = outgoing.message();
        let mut route = self.route_or_spare(last_route);
        route.find(&self.node.subscriptions, &self.node.config, &message);
        // A group may choose another member for each.
        let is_plain =
            route.matches.groups().is_empty() && self.check(&message, Addressed::default(), version).is_ok();
        if is_plain {
            let (stats, count) = (&self.stats, u64::from(run.count));
            stats.messages_received.add(count);
            stats.publishes_received.add(count);
            stats.publish_bytes_received.add(run.payload_bytes.into());
            self.follow_route_together(&route, &mut outgoing, now, effects);
        }
        self.put_route(Some(id), route);
        if !is_plain {
            for (frame, publish) in run.packets() {
                self.receive(connection, &Packet::Publish(publish), frame, now, effects);
            }
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

    /// Delivers messages, all of them at once to whoever gets them as they were received. As every QoS 0 message they
    /// go now or never.
    pub(super) fn deliver_run<'a>(
        &mut self,
        recipients: impl Iterator<Item = Recipient<'a>>,
        outgoing: &mut OutgoingRun<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let (messages, payload_bytes) =
            (u64::from(outgoing.run.count), u64::from(outgoing.run.payload_bytes));
        let mut receivers = 0;
        for recipient in recipients {
            let Some(connection) = self.receiver(recipient.session, messages) else { continue };
            if outgoing.suits(connection, recipient.identifiers) {
                outgoing.send(connection, effects);
                receivers += 1;
            } else {
                for mut outgoing in outgoing.each() {
                    self.deliver_at_most_once([recipient].into_iter(), &mut outgoing, now, effects);
                }
            }
        }
        count_sent(receivers * messages, receivers * payload_bytes, &self.stats);
    }
}
