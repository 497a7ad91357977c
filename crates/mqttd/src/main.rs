//! The Dunlin MQTT broker: a daemon that never loses what it acknowledged.

fn main() {}
