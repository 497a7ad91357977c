//! Groups of shared subscriptions: who is chosen.

use super::*;
use ShareStrategy::{LeastInFlight, RoundRobin, StickyPublisher, StickyTopic};

const STRATEGIES: [ShareStrategy; 4] = [RoundRobin, LeastInFlight, StickyTopic, StickyPublisher];

const REQUEST: ShareRequest<'static> = ShareRequest { topic: "a/b", publisher: None, excluding: None };

fn index_with_members(count: u32) -> (SubscriptionIndex, GroupId) {
    let index = new_index();
    for number in 0..count {
        assert_eq!(index.subscribe_shared("g", "a/+", subscriber(number)), Subscribed::New);
    }
    let group = matching(&index, "a/b").groups()[0];
    (index, group)
}

fn choose(
    index: &SubscriptionIndex,
    group: GroupId,
    strategy: ShareStrategy,
    request: ShareRequest<'_>,
) -> Option<u32> {
    index.choose(group, strategy, &request).map(|subscriber| subscriber.session.slot())
}

#[test]
fn each_group_matches_once_beside_the_ordinary_subscriptions() {
    let index = new_index();
    for (name, filter) in [("g", "a/b"), ("h", "a/b"), ("g", "a/+"), ("g", "#"), ("g", "x/#")] {
        for number in 1..=3 {
            index.subscribe_shared(name, filter, subscriber(number));
        }
    }
    index.subscribe("a/b", subscriber(1));
    let matches = matching(&index, "a/b");
    assert_eq!(matches.groups().len(), 4);
    assert_eq!(sessions(&matches), [session(1)]);
    let counts = index.counts();
    assert_eq!((counts.subscriptions, counts.shared_subscriptions, counts.shared_groups), (16, 15, 5));
    assert!(matching(&index, "$SYS/a").is_empty(), "[MQTT5-4.7.2-1]");
}

/// `[MQTT5-4.8.2-3]`
#[test]
fn the_chosen_member_comes_with_its_own_options() {
    let index = new_index();
    let member =
        Subscriber { qos: QoS::AtLeastOnce, identifier: 5, retain_as_published: true, ..subscriber(1) };
    index.subscribe_shared("g", "a", subscriber(1));
    assert_eq!(index.subscribe_shared("g", "a", member), Subscribed::Replaced);
    let group = matching(&index, "a").groups()[0];
    for strategy in STRATEGIES {
        assert_eq!(index.choose(group, strategy, &REQUEST), Some(member));
    }
}

#[test]
fn round_robin_gives_each_member_its_turn() {
    let (index, group) = index_with_members(3);
    let chosen: Vec<_> = (0..6).filter_map(|_| choose(&index, group, RoundRobin, REQUEST)).collect();
    assert_eq!(chosen, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn least_in_flight_chooses_the_idlest_and_takes_turns_among_equals() {
    let (index, group) = index_with_members(3);
    let gauges: Vec<_> = (0..3).filter_map(|number| index.load_gauge(session(number))).collect();
    let chosen: Vec<_> = (0..6).filter_map(|_| choose(&index, group, LeastInFlight, REQUEST)).collect();
    assert_eq!(chosen, [0, 1, 2, 0, 1, 2]);
    gauges[0].set(5);
    gauges[1].set(2);
    gauges[2].set(9);
    assert!((0..5).all(|_| choose(&index, group, LeastInFlight, REQUEST) == Some(1)));
    gauges[1].set(6);
    assert_eq!(choose(&index, group, LeastInFlight, REQUEST), Some(0));
    assert!(index.load_gauge(session(9)).is_none(), "a session of no group has no gauge");
}

#[test]
fn a_gauge_serves_every_group_of_its_session() {
    let index = new_index();
    for number in 0..2 {
        index.subscribe_shared("g", "a", subscriber(number));
        index.subscribe_shared("h", "b", subscriber(number));
    }
    index.load_gauge(session(0)).unwrap().set(1);
    for topic in ["a", "b"] {
        let group = matching(&index, topic).groups()[0];
        assert!((0..3).all(|_| choose(&index, group, LeastInFlight, REQUEST) == Some(1)), "{topic}");
    }
}

#[test]
fn sticky_strategies_stay_with_a_member_and_spread_over_all() {
    let (index, group) = index_with_members(4);
    for (strategy, by_topic) in [(StickyTopic, true), (StickyPublisher, false)] {
        let mut load = [0; 4];
        for number in 0..400 {
            let topic = format!("topic/{number}");
            let mut choices = (0..5).map(|turn| {
                let (topic, publisher) = if by_topic { (topic.as_str(), turn) } else { ("", number) };
                let request = ShareRequest { topic, publisher: Some(session(publisher)), excluding: None };
                choose(&index, group, strategy, request).expect("there are members")
            });
            let first = choices.next().unwrap();
            assert!(choices.all(|other| other == first), "{strategy:?}");
            load[first as usize] += 1;
        }
        assert!(load.iter().all(|&count| count > 50), "{strategy:?} is lopsided: {load:?}");
    }
}

#[test]
fn members_that_are_online_come_first_and_offline_ones_stand_in() {
    for strategy in STRATEGIES {
        let (index, group) = index_with_members(3);
        index.set_presence(session(0), Presence::Offline);
        index.set_presence(session(2), Presence::Offline);
        assert!((0..5).all(|_| choose(&index, group, strategy, REQUEST) == Some(1)), "{strategy:?}");
        index.set_presence(session(1), Presence::Offline);
        assert!(choose(&index, group, strategy, REQUEST).is_some(), "{strategy:?}: nobody is online");
        index.set_presence(session(2), Presence::Online);
        index.set_presence(session(2), Presence::Online);
        assert!((0..5).all(|_| choose(&index, group, strategy, REQUEST) == Some(2)), "{strategy:?}");
        // New options do not bring a member online, nor a further group.
        index.subscribe_shared("g", "a/+", Subscriber { identifier: 1, ..subscriber(1) });
        index.subscribe_shared("h", "b", subscriber(1));
        assert!((0..5).all(|_| choose(&index, group, strategy, REQUEST) == Some(2)), "{strategy:?}");
    }
}

#[test]
fn a_sticky_member_that_comes_back_gets_its_topics_back() {
    let (index, group) = index_with_members(5);
    let before = choose(&index, group, StickyTopic, REQUEST).unwrap();
    index.set_presence(session(before), Presence::Offline);
    assert_ne!(choose(&index, group, StickyTopic, REQUEST), Some(before));
    index.set_presence(session(before), Presence::Online);
    assert_eq!(choose(&index, group, StickyTopic, REQUEST), Some(before));
}

#[test]
fn an_excluded_member_is_passed_over() {
    for strategy in STRATEGIES {
        let (index, group) = index_with_members(3);
        index.set_presence(session(2), Presence::Offline);
        let request = ShareRequest { excluding: Some(session(0)), ..REQUEST };
        assert!((0..5).all(|_| choose(&index, group, strategy, request) == Some(1)), "{strategy:?}");
        index.unsubscribe_shared("g", "a/+", session(1));
        assert_eq!(choose(&index, group, strategy, request), Some(2), "{strategy:?}: an offline one instead");
        index.unsubscribe_shared("g", "a/+", session(2));
        assert_eq!(choose(&index, group, strategy, request), None, "{strategy:?}");
    }
}

#[test]
fn a_group_that_has_gone_chooses_nobody_even_when_its_place_is_taken() {
    let (index, group) = index_with_members(2);
    assert!(!index.unsubscribe_shared("g", "a/b", session(0)), "another filter");
    assert!(!index.unsubscribe_shared("h", "a/+", session(0)), "another name");
    assert!(index.unsubscribe_shared("g", "a/+", session(0)));
    assert!(!index.unsubscribe_shared("g", "a/+", session(0)), "no longer a member");
    assert_eq!(choose(&index, group, RoundRobin, REQUEST), Some(1));
    assert!(index.unsubscribe_shared("g", "a/+", session(1)));
    assert_eq!(choose(&index, group, RoundRobin, REQUEST), None);
    assert_eq!(index.counts(), SubscriptionCounts::default());
    index.subscribe_shared("g", "a/+", subscriber(7));
    assert_eq!(choose(&index, group, RoundRobin, REQUEST), None);
    assert!(index.load_gauge(session(0)).is_none());
}
