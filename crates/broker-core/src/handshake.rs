//! Owns the answer to a CONNECT that cannot be accepted because it is no legal packet. One that is goes
//! to its shard.

use mqtt_codec::{
    DecodeError, Packet, Properties, Property, PropertyOwner, ProtocolVersion, Violation, packet::ConnAck,
};

/// The CONNACK to send before closing, or none where the peer seems to speak something else.
///
/// `frame` holds what was received of the CONNECT, fixed header included. A version that is not
/// supported is answered in the nearest one that is `[MQTT5-3.1.2-2]` `[MQTT311-3.1.2-2]`; what is
/// malformed is answered where the version has a code for it `[MQTT5-3.1.4-1]` `[MQTT311-3.1.4-1]`.
#[must_use]
pub fn refuse_connect(frame: &[u8], error: &DecodeError) -> Option<Vec<u8>> {
    let level = protocol_level(frame)?;
    let version = match (error.violation, level) {
        (Violation::ProtocolLevel, 0..=4) => ProtocolVersion::V311,
        (Violation::ProtocolLevel, _) | (_, 5) => ProtocolVersion::V5,
        // 3.1.1 has no code for a malformed packet: the connection just closes [MQTT311-3.2.2-6]
        // [MQTT311-4.8.0-1].
        _ => return None,
    };
    let reason_string = Property::ReasonString(error.violation.text());
    let properties = <Properties>::new(PropertyOwner::ConnAck, [reason_string]).unwrap_or_default();
    let connack = ConnAck { session_present: false, reason: error.reason(), properties };
    let mut out = Vec::new();
    Packet::ConnAck(connack).encode(version, &mut out).ok()?;
    Some(out)
}

/// The byte behind a protocol name that is MQTT's.
fn protocol_level(frame: &[u8]) -> Option<u8> {
    // One byte of type, one to four of length, the first without its high bit ends it.
    let length_bytes = 1 + frame.get(1..)?.iter().take_while(|&&byte| byte & 0x80 != 0).count();
    let body = frame.get(1 + length_bytes..)?;
    let behind_name = body.strip_prefix(b"\0\x04MQTT").or_else(|| body.strip_prefix(b"\0\x06MQIsdp"))?;
    behind_name.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_codec::PacketRef;

    fn refusal(body: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = vec![0x10, u8::try_from(body.len()).unwrap()];
        bytes.extend_from_slice(body);
        let frame = mqtt_codec::frame(&bytes, ProtocolVersion::V5, 1000).unwrap().unwrap();
        let error = PacketRef::decode(frame, ProtocolVersion::V5).unwrap_err();
        refuse_connect(&bytes, &error)
    }

    /// [MQTT5-3.1.2-2] [MQTT311-3.1.2-2]
    #[test]
    fn an_unknown_version_is_told_so_in_the_nearest_known_one() {
        assert_eq!(refusal(b"\0\x04MQTT\x02\x02\0\0\0\0"), Some(vec![0x20, 2, 0, 1]));
        let answer = refusal(b"\0\x04MQTT\x06\x02\0\0\0\0").unwrap();
        assert_eq!((answer[0], answer[2], answer[3]), (0x20, 0, 0x84));
    }

    /// [MQTT5-3.1.4-1]
    #[test]
    fn a_malformed_v5_connect_is_told_so() {
        let answer = refusal(b"\0\x04MQTT\x05\x03\0\0\0\0\0").unwrap();
        assert_eq!((answer[0], answer[2], answer[3]), (0x20, 0, 0x81));
    }

    /// [MQTT311-3.1.4-1] [MQTT311-3.2.2-6]
    #[test]
    fn what_is_no_mqtt_and_what_has_no_code_gets_no_answer() {
        assert_eq!(refusal(b"\0\x04HTTP\x04\x02\0\0\0\0"), None);
        assert_eq!(refusal(b"\0\x04MQTT\x04\x03\0\0\0\0"), None);
    }
}
