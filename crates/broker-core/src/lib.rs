//! A sans-IO MQTT broker engine: sessions, subscriptions, retained messages, delivery and limits, without sockets, clocks or threads.
