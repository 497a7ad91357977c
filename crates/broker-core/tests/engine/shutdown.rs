//! Owns the proof of the broker's own end.

use crate::support::*;

/// [MQTT5-4.13.2-1]
#[test]
fn every_client_is_told_that_the_broker_goes_down() {
    for mut broker in brokers() {
        let hellos = (0..30).map(|number| versions()[number % 3](&format!("c{number}")));
        let clients: Vec<_> = hellos.map(|hello| broker.connect(hello)).collect();
        broker.shut_down();
        for client in clients {
            broker.expect_end(client, ReasonCode::ServerShuttingDown);
        }
        assert_eq!((broker.connections(), broker.totals().clients_connected), (0, 0));
    }
}

#[test]
fn wills_stay_unpublished_because_nobody_would_be_there() {
    for mut broker in brokers() {
        let bob = broker.connect(v5("bob").keeping(100));
        broker.subscribe(bob, "#", AtLeastOnce);
        broker.connect(v5("alice").will(will("a", "x", AtLeastOnce, &[])));
        broker.shut_down();
        assert_eq!(broker.totals().queued_messages, 0);
    }
}
