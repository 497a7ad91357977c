//! Owns what SUBACK and UNSUBACK do: who is told, and which streams go on.

use super::{Ask, Sent, contains};
use crate::{
    error::{ServerViolation, SubscribeError, UnsubscribeError},
    event::Event,
    protocol::{Effect, Effects, Protocol, Tickets, subscriptions::Remaining},
    stream::Granted,
};
use mqtt_codec::{
    PacketId, PacketType, ReasonCode, TopicFilter,
    packet::{SubAck, UnsubAck},
};

impl<T: Tickets> Protocol<T> {
    /// SUBACK answers filter by filter `[MQTT5-3.8.4-6]` `[MQTT311-3.8.4-5]`.
    pub(in crate::protocol) fn suback(
        &mut self,
        suback: &SubAck,
        effects: &mut Effects<T>,
    ) -> Result<(), ServerViolation> {
        let is_subscribe = |ask: &Ask<T>| !matches!(ask, Ask::Unsubscribe(..));
        let (packet_id, kind) = (suback.packet_id, PacketType::SubAck);
        let Sent { filters, ask, .. } = self.take_sent(packet_id, kind, is_subscribe)?;
        let reasons: Vec<_> = suback.reason_codes().collect();
        check_count(kind, &filters, &reasons)?;
        let key = match ask {
            Ask::Subscribe(key, _) | Ask::Resubscribe(key) => key,
            Ask::Unsubscribe(..) => return Ok(()),
        };
        let refused: Vec<_> = with_errors(&filters, &reasons).collect();
        let remaining = self.subscriptions.remove_filters(key, &refused);
        if let Ask::Resubscribe(_) = ask {
            let report = filters.into_iter().zip(reasons).collect();
            effects.push(Effect::Report(Event::Resubscribed(report)));
            if remaining == Remaining::None {
                effects.push(Effect::StreamEnded(key));
            }
            return Ok(());
        }
        let properties = suback.properties.clone();
        match ask {
            Ask::Subscribe(_, ticket) if refused.len() < filters.len() => {
                effects.push(Effect::Subscribed(ticket, key, Ok(Granted { reasons, properties })));
            }
            ask => self.subscribe_failed(ask, key, SubscribeError::Refused { reasons, properties }, effects),
        }
        Ok(())
    }

    /// UNSUBACK answers filter by filter in 5.0 `[MQTT5-3.11.3-1]`; in 3.x it is success.
    pub(in crate::protocol) fn unsuback(
        &mut self,
        unsuback: &UnsubAck,
        effects: &mut Effects<T>,
    ) -> Result<(), ServerViolation> {
        let is_unsubscribe = |ask: &Ask<T>| matches!(ask, Ask::Unsubscribe(..));
        let (packet_id, kind) = (unsuback.packet_id, PacketType::UnsubAck);
        let Sent { filters, ask, .. } = self.take_sent(packet_id, kind, is_unsubscribe)?;
        let reasons: Vec<_> = if self.options.version.has_properties() {
            unsuback.reason_codes().collect()
        } else {
            filters.iter().map(|_| ReasonCode::Success).collect()
        };
        check_count(kind, &filters, &reasons)?;
        let Ask::Unsubscribe(_, target, ticket) = ask else { return Ok(()) };
        let refused: Vec<_> = with_errors(&filters, &reasons).collect();
        let removed: Vec<_> = filters.into_iter().filter(|filter| !contains(&refused, filter)).collect();
        self.remove_filters(target, &removed, effects);
        let outcome = if refused.is_empty() {
            Ok(reasons)
        } else {
            Err(UnsubscribeError::Refused { reasons, properties: unsuback.properties.clone() })
        };
        effects.push(Effect::Unsubscribed(ticket, outcome));
        Ok(())
    }

    fn take_sent(
        &mut self,
        packet_id: PacketId,
        packet_type: PacketType,
        is_kind: impl Fn(&Ask<T>) -> bool,
    ) -> Result<Sent<T>, ServerViolation> {
        let sent = &mut self.subscribing.sent;
        let position = sent.iter().position(|sent| sent.packet_id == packet_id && is_kind(&sent.ask));
        let unexpected = ServerViolation::AcknowledgementUnexpected { packet_type, packet_id };
        position.map(|position| sent.remove(position)).ok_or(unexpected)
    }
}

fn check_count(
    packet_type: PacketType,
    filters: &[TopicFilter],
    reasons: &[ReasonCode],
) -> Result<(), ServerViolation> {
    let (expected, received) = (filters.len(), reasons.len());
    if expected == received {
        return Ok(());
    }
    Err(ServerViolation::ReasonCodeCount { packet_type, expected, received })
}

fn with_errors(filters: &[TopicFilter], reasons: &[ReasonCode]) -> impl Iterator<Item = TopicFilter> {
    let pairs = filters.iter().zip(reasons);
    pairs.filter(|(_, reason)| reason.is_error()).map(|(filter, _)| filter.clone())
}
