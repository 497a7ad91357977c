//! Tests of the client library against mqttd, through a proxy that cuts connections, and against a scripted server.

mod drain;
mod exchange;
mod limits;
mod reconnect;
mod scripted_server;
mod subscriptions;
mod support;
