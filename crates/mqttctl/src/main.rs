//! The command line for MQTT: publish, subscribe, request, decode.

fn main() {}
