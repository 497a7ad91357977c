//! Owns what is promised for a topic, and what a publisher that asks is to be told of its message: where it is once it
//! is acknowledged. It is written down once more from the broker's manual.

use super::{PublicationId, SessionKey, Truth, filter};
use broker_core::config::Durability;
use mqtt_codec::{Properties, Property, QoS};
use std::collections::BTreeSet;

/// The User Property by which it is asked and told.
const NAME: &str = "dunlin-durability";

/// Whether a publisher asks.
pub(super) fn asks(properties: &Properties) -> bool {
    told(properties).any(|value| value == "?")
}

/// What an acknowledgement tells: at most one word.
pub(crate) fn told(properties: &Properties) -> impl Iterator<Item = &str> {
    properties.iter().filter_map(|property| match property {
        Property::UserProperty(NAME, value) => Some(value),
        _ => None,
    })
}

/// What an acknowledgement calls it.
pub(crate) fn word(durability: Durability) -> &'static str {
    match durability {
        Durability::None => "none",
        Durability::Memory => "memory",
        Durability::Disk => "disk",
    }
}

impl Truth {
    /// What the operator has promised for a topic: what the first rule says that matches.
    pub(super) fn rule_of(&self, topic: &str) -> Durability {
        let mut rules = self.settings.config.durability.iter();
        let rule = rules.find(|rule| filter::matches(rule.filter.as_str(), topic));
        rule.map_or(Durability::Disk, |rule| rule.durability)
    }

    /// What may have been reached with a message that is being published at QoS 1 or 2: on disk if it is retained or
    /// for a session that is recorded, in memory if it is for others, unless the rule promises less. Which member a
    /// group chooses is not known.
    pub(super) fn reachable(&self, id: PublicationId) -> BTreeSet<Durability> {
        let publication = &self.publications[id];
        let is_kept = publication.retain && !publication.payload.is_empty();
        let retained = match is_kept {
            false => Durability::None,
            true if self.settings.storage.is_some() => Durability::Disk,
            true => Durability::Memory,
        };
        let of_publication = self.copies.iter().rev().take_while(|copy| copy.publication == id);
        let own = of_publication.map(|copy| self.reached_with(copy.session, copy.qos)).max();
        let mut reachable = BTreeSet::from([own.unwrap_or(Durability::None).max(retained)]);
        for copy in self.shared_copies.iter().rev().take_while(|copy| copy.publication == id) {
            let members = &self.groups[&copy.group].members;
            let choices = members.iter().map(|(&member, options)| self.reached_with(member, options.qos));
            let choices: BTreeSet<Durability> = choices.collect();
            let with = |former: Durability| choices.iter().map(move |&choice| former.max(choice));
            reachable = reachable.iter().copied().flat_map(with).collect();
        }
        reachable.into_iter().map(|reached| reached.min(publication.rule)).collect()
    }

    fn reached_with(&self, receiver: SessionKey, qos: QoS) -> Durability {
        match (qos, self.sessions[receiver].is_durable) {
            (QoS::AtMostOnce, _) => Durability::None,
            (QoS::AtLeastOnce | QoS::ExactlyOnce, true) => Durability::Disk,
            (QoS::AtLeastOnce | QoS::ExactlyOnce, false) => Durability::Memory,
        }
    }
}
