//! Owns what becomes of the messages of shared subscriptions when the member that had them is gone for
//! good. Choosing a member is `subscriptions`' business.

use super::Shard;
use crate::{
    effect::Effects,
    ids::SessionId,
    outgoing::Outgoing,
    session::{Outbound, Queued},
    time::Timestamp,
};
use mqtt_codec::QoS;

impl Shard {
    /// Gives the messages that an ended session had from groups to other members: those never sent, and
    /// those in flight at QoS 1. One in flight at QoS 2 is lost with its session: elsewhere it might
    /// arrive twice `[MQTT5-4.8.2-4]` `[MQTT5-4.8.2-5]`.
    pub(super) fn pass_on(
        &mut self,
        from: SessionId,
        outbound: &mut Outbound,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let in_flight: Vec<_> = outbound.sender.drain().collect();
        let unacknowledged =
            in_flight.into_iter().filter(|it| it.qos == QoS::AtLeastOnce).filter_map(|it| it.message);
        let waiting = std::iter::from_fn(|| outbound.pop());
        for Queued { message, group, .. } in unacknowledged.chain(waiting) {
            if let Some(group) = group
                && !message.is_expired(now)
            {
                self.route_to_group(group, Some(from), &mut Outgoing::shared(&message), None, now, effects);
            }
        }
    }
}
