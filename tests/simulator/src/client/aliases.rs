//! Owns the aliases of both directions as a client sees them, kept without the codec's own: what they agree on
//! is to be proven.

use mqtt_codec::TopicAlias;
use std::collections::BTreeMap;

/// What the broker's aliases stand for.
#[derive(Debug, Default)]
pub(super) struct InboundAliases {
    pub(super) maximum: u16,
    topics: BTreeMap<u16, String>,
}

impl InboundAliases {
    pub(super) fn new(maximum: u16) -> Self {
        Self { maximum, topics: BTreeMap::new() }
    }

    /// The topic of a PUBLISH, or why there is none.
    pub(super) fn resolve(&mut self, topic: Option<&str>, alias: Option<u16>) -> Result<String, String> {
        match (topic, alias) {
            (_, Some(alias)) if alias > self.maximum => {
                Err(format!("the alias {alias} is above the maximum"))
            }
            (Some(topic), alias) => {
                if let Some(alias) = alias {
                    self.topics.insert(alias, topic.to_owned());
                }
                Ok(topic.to_owned())
            }
            (None, Some(alias)) => self
                .topics
                .get(&alias)
                .cloned()
                .ok_or_else(|| format!("the alias {alias} stands for nothing")),
            (None, None) => Err("there is neither topic nor alias".to_owned()),
        }
    }
}

/// The client's own aliases. Unlike the broker it gives them to new topics in turn, so that they change.
#[derive(Debug, Default)]
pub(super) struct OutboundAliases {
    maximum: u16,
    topics: BTreeMap<u16, &'static str>,
    next: u16,
}

impl OutboundAliases {
    pub(super) fn new(maximum: u16) -> Self {
        Self { maximum, topics: BTreeMap::new(), next: 0 }
    }

    /// How a topic goes out: its name unless the alias says it, and the alias.
    pub(super) fn choose(&mut self, topic: &'static str) -> (Option<&'static str>, Option<TopicAlias>) {
        if let Some((&alias, _)) = self.topics.iter().find(|(_, known)| **known == topic) {
            return (None, TopicAlias::new(alias));
        }
        if self.maximum == 0 {
            return (Some(topic), None);
        }
        self.next = self.next % self.maximum + 1;
        self.topics.insert(self.next, topic);
        (Some(topic), TopicAlias::new(self.next))
    }
}
