//! Owns the invariant that what was in flight to a client comes again with its packet identifier and DUP
//! `[MQTT5-4.4.0-1]` `[MQTT311-4.4.0-1]` `[MQTT5-3.3.1-1]` `[MQTT311-3.3.1-1]`, or goes on with PUBREL. What is
//! in it is judged elsewhere.

use super::{Kind, Violation, owner, told};
use crate::history::{History, Outcome, Span, Unfinished};
use mqtt_codec::QoS;
use std::time::Duration;

/// A QoS 1 message leaves before the broker has its packet identifier on disk: a crash right behind it may give it
/// another one. By this time it has.
const IDENTIFIER_KEPT_AFTER: Duration = Duration::from_millis(500);

pub(super) fn check(history: &History, violations: &mut Vec<Violation>) {
    for unfinished in &history.unfinished {
        if is_promised(history, unfinished)
            && let Some(wrong) = wrong(unfinished)
        {
            let text = format!(
                "{} had received at {}, with packet identifier {}, {}; it was cut off at {}, and then {wrong}",
                owner(history, unfinished.session),
                unfinished.read_at,
                unfinished.packet_id,
                told(history, unfinished.publication),
                unfinished.cut_at
            );
            violations.push(Violation { kind: Kind::Redelivery, text });
        }
    }
}

/// Whether the session goes on, the message does not expire, and nobody else may get it instead.
fn is_promised(history: &History, unfinished: &Unfinished) -> bool {
    let session = &history.sessions[unfinished.session];
    let publication = &history.publications[unfinished.publication];
    let is_kept = match unfinished.qos {
        QoS::AtMostOnce => false,
        QoS::AtLeastOnce => {
            let mut matching = history.matching(unfinished.session, publication);
            unfinished.cut_at.since(unfinished.read_at) >= IDENTIFIER_KEPT_AFTER
                && !matching.any(|it| it.filter.share_name().is_some())
        }
        QoS::ExactlyOnce => true,
    };
    is_kept
        && session.span == Span::Round
        && session.ended_at.is_none()
        && publication.expiry_seconds.is_none_or(|seconds| seconds > 10)
}

fn wrong(unfinished: &Unfinished) -> Option<String> {
    match unfinished.outcome {
        Outcome::Void => None,
        Outcome::Pending => Some("the message never came again".to_owned()),
        Outcome::Released if unfinished.pubrec_sent => None,
        Outcome::Released => Some("PUBREL came though PUBREC was not sent".to_owned()),
        Outcome::Published { publication, dup } => {
            if publication != Some(unfinished.publication) {
                let other = publication.map_or("an empty message".to_owned(), |it| format!("message {it}"));
                Some(format!("the packet identifier came back with {other}"))
            } else if dup {
                None
            } else {
                Some("the message came again without DUP".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::At,
        verify::testing::{Story, kinds},
    };
    use mqtt_codec::PacketId;

    fn check(qos: u8, age_ms: u64, outcome: Outcome, expected: &[Kind]) {
        let mut story = Story::new();
        let session = story.session("s");
        story.subscribed(session, "a", qos, 10);
        for _ in 0..2 {
            let publication = story.published("a", qos, 20, Some(30));
            story.delivered(session, publication, 40);
        }
        story.history.unfinished.push(Unfinished {
            session,
            packet_id: PacketId::FIRST,
            publication: 0,
            qos: QoS::from_bits(qos).expect("a QoS"),
            read_at: At(50),
            cut_at: At(50).plus_ms(age_ms),
            pubrec_sent: false,
            outcome,
        });
        assert_eq!(kinds(&story.history), expected, "QoS {qos}, {age_ms} ms, {outcome:?}");
    }

    #[test]
    fn a_message_in_flight_comes_again_with_its_identifier_and_dup() {
        let same = |dup| Outcome::Published { publication: Some(0), dup };
        for qos in [1, 2] {
            check(qos, 1000, same(true), &[]);
            check(qos, 1000, same(false), &[Kind::Redelivery]);
            check(qos, 1000, Outcome::Pending, &[Kind::Redelivery]);
            check(qos, 1000, Outcome::Published { publication: Some(1), dup: true }, &[Kind::Redelivery]);
            check(qos, 1000, Outcome::Void, &[]);
        }
        check(2, 1000, Outcome::Released, &[Kind::Redelivery]);
    }

    #[test]
    fn only_qos_2_keeps_its_identifier_from_the_first_moment() {
        check(1, 1, Outcome::Pending, &[]);
        check(2, 1, Outcome::Pending, &[Kind::Redelivery]);
    }
}
