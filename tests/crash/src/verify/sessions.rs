//! Owns the invariant that CONNACK tells of a session that was established and of no other `[MQTT5-3.2.2-2]`
//! `[MQTT5-3.2.2-3]` `[MQTT311-3.2.2-2]`. What is in the session is judged elsewhere.

use super::{Kind, Violation};
use crate::history::{History, Presence};

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    for connection in &history.connections {
        let wrong = match (connection.presence, connection.session_present) {
            (Presence::Expected, false) => "its session was lost",
            (Presence::Forbidden, true) => "a session came back that was ended, had expired, or never was",
            (Presence::Expected, true) | (Presence::Forbidden, false) | (Presence::Open, _) => continue,
        };
        let peer = &history.peers[connection.peer];
        let text = format!("{} ({}) connected at {}: {wrong}", peer.name, peer.version, connection.at);
        violations.push(Violation { kind: Kind::SessionPresent, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::testing::{Story, kinds};

    fn check(presence: Presence, session_present: bool, expected: &[Kind]) {
        let mut story = Story::new();
        let session = story.session("s");
        let connection = story.connected(session, 10, None);
        (connection.presence, connection.session_present) = (presence, session_present);
        assert_eq!(kinds(&story.history), expected, "{presence:?} {session_present}");
    }

    #[test]
    fn a_session_is_present_exactly_when_it_should_be() {
        let wrong = &[Kind::SessionPresent];
        check(Presence::Expected, true, &[]);
        check(Presence::Expected, false, wrong);
        check(Presence::Forbidden, true, wrong);
        check(Presence::Forbidden, false, &[]);
        check(Presence::Open, true, &[]);
        check(Presence::Open, false, &[]);
    }
}
