//! What every test of the engine stands on: a whole broker in memory, clients that speak packets, and
//! packets as people read them. What a broker has to do is the tests' business.

pub(crate) mod broker;
pub(crate) mod journal;
pub(crate) mod packets;
pub(crate) mod text;

pub(crate) use broker::{Broker, Client, Disk};
pub(crate) use mqtt_codec::{
    Packet, Property, ProtocolVersion,
    QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce},
    ReasonCode,
};
pub(crate) use packets::{
    Hello, Say, acknowledge, disconnect, identifier, maximum_packet_size, publish, receive_maximum, refuse,
    subscribe, subscription, topic_alias, unsubscribe, v5, v31, v311, will,
};

use broker_core::config::{Config, Sys};

/// A configuration without the `$SYS` tree, whose messages would be in every test's way.
pub(crate) fn quiet() -> Config {
    Config { sys: Sys { interval_ms: 0 }, ..Config::default() }
}

/// A broker of one shard and one of four, in memory and with a journal: every behaviour is the same on all.
pub(crate) fn brokers() -> impl Iterator<Item = Broker> {
    brokers_with(quiet())
}

/// As [`brokers`], with a configuration of the test's own.
pub(crate) fn brokers_with(config: Config) -> impl Iterator<Item = Broker> {
    let makers = [Broker::new, Broker::durable];
    makers.into_iter().flat_map(move |make| {
        let config = config.clone();
        [1, 4].into_iter().map(move |shards| make(config.clone(), shards))
    })
}

/// Brokers with a journal, of one shard and of four.
pub(crate) fn durable_brokers() -> impl Iterator<Item = Broker> {
    durable_brokers_with(quiet())
}

/// As [`durable_brokers`], with a configuration of the test's own.
pub(crate) fn durable_brokers_with(config: Config) -> impl Iterator<Item = Broker> {
    [1, 4].into_iter().map(move |shards| Broker::durable(config.clone(), shards))
}

/// A client of each version.
pub(crate) fn versions() -> [fn(&str) -> Hello; 3] {
    [v31, v311, v5]
}
