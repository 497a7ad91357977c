//! Owns which subscribers match which topic. What they get is noted elsewhere.

use std::collections::HashMap;

use mqtt_codec::{TopicFilter, TopicName};

/// The filters of all subscribers.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    exact: HashMap<String, Vec<Route>>,
    wildcards: Vec<(TopicFilter, Route)>,
    /// By the whole filter, share name included.
    groups: HashMap<String, u32>,
}

/// One that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    /// The group of a shared subscription, of which one member gets each message.
    pub(crate) group: Option<u32>,
    pub(crate) client: u32,
}

impl Routes {
    pub(crate) fn add(&mut self, filter: &TopicFilter, client: u32) {
        let group = filter.share_name().map(|_| {
            let new = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
            *self.groups.entry(filter.as_str().to_owned()).or_insert(new)
        });
        let route = Route { group, client };
        if filter.has_wildcard() {
            self.wildcards.push((filter.clone(), route));
        } else {
            self.exact.entry(filter.matched().to_owned()).or_default().push(route);
        }
    }

    /// Who matches, groups last and their members side by side. Whoever matches with two filters comes once.
    pub(crate) fn matching(&self, topic: &TopicName) -> Vec<Route> {
        let exact = self.exact.get(topic.as_str()).into_iter().flatten();
        let wildcards = self.wildcards.iter().filter(|(filter, _)| filter.matches(topic));
        let mut routes: Vec<_> = exact.chain(wildcards.map(|(_, route)| route)).copied().collect();
        routes.sort_unstable();
        routes.dedup();
        routes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_finds_each_client_once_and_each_group_with_its_members() {
        let mut routes = Routes::default();
        let filters =
            [("a/b", 0), ("a/+", 0), ("a/#", 1), ("$share/g/a/b", 3), ("$share/g/a/b", 2), ("c", 4)];
        for (filter, client) in filters {
            routes.add(&TopicFilter::owned(filter).expect("a legal filter"), client);
        }
        let check = |topic, expected: &[(Option<u32>, u32)]| {
            let topic = TopicName::owned(topic).expect("a legal topic");
            let found: Vec<_> =
                routes.matching(&topic).iter().map(|route| (route.group, route.client)).collect();
            assert_eq!(found, expected, "{topic:?}");
        };
        check("a/b", &[(None, 0), (None, 1), (Some(0), 2), (Some(0), 3)]);
        check("a/c", &[(None, 0), (None, 1)]);
        check("c", &[(None, 4)]);
        check("d", &[]);
    }
}
