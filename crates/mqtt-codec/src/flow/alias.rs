//! Owns Topic Aliases of both directions of one connection `[MQTT5-3.3.2-7]`. A new connection starts
//! with none: build new ones.

use crate::{
    error::Violation,
    property::TopicAlias,
    topic::{TopicName, TopicNameRef},
};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

/// Aliases the peer defines. Grows with the highest alias used, within the maximum we announced.
#[derive(Clone, Debug, Default)]
#[allow(clippy::box_collection, reason = "most connections have none, and there are many")]
pub struct InboundAliases {
    topics: Option<Box<Vec<Option<TopicName>>>>,
    maximum: u16,
}

impl InboundAliases {
    /// Accepts aliases from 1 to `maximum` `[MQTT5-3.3.2-10]` `[MQTT5-3.3.2-12]`; 0 accepts none.
    #[must_use]
    pub const fn new(maximum: u16) -> Self {
        Self { topics: None, maximum }
    }

    /// The topic that a PUBLISH is about. With both topic and alias the alias is defined anew.
    ///
    /// # Errors
    /// An alias above the maximum `[MQTT5-3.3.2-9]`, or one that stands for nothing.
    pub fn resolve<'a>(
        &'a mut self,
        topic: Option<TopicNameRef<'a>>,
        alias: Option<TopicAlias>,
    ) -> Result<TopicNameRef<'a>, Violation> {
        let Some(alias) = alias else { return topic.ok_or(Violation::TopicEmptyWithoutAlias) };
        if alias.get() > self.maximum {
            return Err(Violation::TopicAliasAboveMaximum);
        }
        let index = usize::from(alias.get()) - 1;
        let Some(topic) = topic else {
            let known = self.topics.as_ref().and_then(|topics| topics.get(index)?.as_ref());
            return known.map(TopicName::borrow).ok_or(Violation::TopicAliasUndefined);
        };
        let topics = self.topics.get_or_insert_default();
        if topics.len() <= index {
            topics.resize(index + 1, None);
        }
        if let Some(place) = topics.get_mut(index) {
            *place = Some(topic.to_owned());
        }
        Ok(topic)
    }
}

/// Aliases we define. The first topics keep theirs: a topic without one costs nothing more than before.
#[derive(Clone, Debug, Default)]
#[allow(clippy::box_collection, reason = "most connections have none, and there are many")]
pub struct OutboundAliases {
    aliases: Option<Box<BTreeMap<Box<str>, TopicAlias>>>,
    maximum: u16,
}

/// How a topic goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundAlias {
    /// The topic alone.
    None,
    /// Topic and alias: the alias is defined by this PUBLISH.
    Define(TopicAlias),
    /// The alias alone.
    Use(TopicAlias),
}

impl OutboundAliases {
    /// Defines aliases from 1 to `maximum`, which is what the peer allows `[MQTT5-3.1.2-26]`
    /// `[MQTT5-3.2.2-17]` or our own limit `[MQTT5-3.3.2-9]` `[MQTT5-3.3.2-11]`; 0 defines none `[MQTT5-3.1.2-27]` `[MQTT5-3.2.2-18]`.
    #[must_use]
    pub const fn new(maximum: u16) -> Self {
        Self { aliases: None, maximum }
    }

    /// Whether topics can have an alias at all.
    #[must_use]
    #[inline]
    pub const fn is_enabled(&self) -> bool {
        self.maximum > 0
    }

    /// How `topic` goes out now. After [`Define`](OutboundAlias::Define) the PUBLISH must be sent, or
    /// the peer will not know the alias.
    pub fn choose(&mut self, topic: &str) -> OutboundAlias {
        let aliases = self.aliases.get_or_insert_default();
        if let Some(&alias) = aliases.get(topic) {
            return OutboundAlias::Use(alias);
        }
        let next = u16::try_from(aliases.len()).ok().and_then(|count| count.checked_add(1));
        match next.filter(|&number| number <= self.maximum).and_then(TopicAlias::new) {
            Some(alias) => {
                aliases.insert(Box::from(topic), alias);
                OutboundAlias::Define(alias)
            }
            None => OutboundAlias::None,
        }
    }
}
