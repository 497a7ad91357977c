//! Wire-level tests of mqttd: each file is about one part of what a broker must do, with 1 and 4 workers, in 3.1.1 and
//! 5.0. Other people's clients are in the `interop` targets.

mod aliases;
mod bad_input;
mod connect;
mod delivery;
mod durability;
mod expiry;
mod flow_control;
mod forwarding;
mod illegal;
mod keep_alive;
mod limits;
mod load;
mod mqtt_3_1;
mod ordering;
mod packet_size;
mod redelivery;
mod refused_connect;
mod retained;
mod session;
mod shared;
mod shutdown;
mod slow_reader;
mod subscriptions;
mod sys;
mod takeover;
mod wills;
mod wills_delayed;
