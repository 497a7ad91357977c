//! Owns the spelling of single values on the command line. Which option takes which is said where it is declared.

use mqtt_codec::{ProtocolVersion, QoS, TopicFilter, TopicName, Violation};
use std::time::Duration;

/// `0`, `1` or `2`.
pub(crate) fn qos(text: &str) -> Result<QoS, &'static str> {
    text.parse().ok().and_then(QoS::from_bits).ok_or("it is 0, 1 or 2")
}

/// A topic to publish to.
pub(crate) fn topic_name(text: &str) -> Result<TopicName, &'static str> {
    TopicName::owned(text).map_err(Violation::text)
}

/// A filter to subscribe with, of a shared subscription or not.
pub(crate) fn topic_filter(text: &str) -> Result<TopicFilter, &'static str> {
    TopicFilter::owned(text).map_err(Violation::text)
}

/// `5`, `311`, `31`, or the same with `mqttv` before it.
pub(crate) fn protocol_version(text: &str) -> Result<ProtocolVersion, &'static str> {
    match text.strip_prefix("mqttv").unwrap_or(text) {
        "5" => Ok(ProtocolVersion::V5),
        "311" => Ok(ProtocolVersion::V311),
        "31" => Ok(ProtocolVersion::V31),
        _ => Err("it is 5, 311 or 31"),
    }
}

/// Seconds, or `-1` or `∞` for a session that does not expire.
pub(crate) fn session_expiry_interval(text: &str) -> Result<u32, &'static str> {
    match text {
        "∞" | "-1" => Ok(u32::MAX),
        _ => text.parse().map_err(|_| "it is a number of seconds up to 4294967295, or -1 for never"),
    }
}

/// Seconds, with a fraction or without.
pub(crate) fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds: f64 = text.parse().map_err(|_| "it is a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "it is a number of seconds")
}

/// A share of messages, as the number out of a thousand.
pub(crate) fn per_mille(text: &str) -> Result<u16, &'static str> {
    const RANGE: &str = "it is a percentage from 0.1 to 100";
    let percent: f64 = text.parse().map_err(|_| RANGE)?;
    let rounded = (percent * 10.0).round();
    (1_u16..=1000).find(|candidate| f64::from(*candidate) == rounded).ok_or(RANGE)
}

#[cfg(test)]
mod tests {
    use super::{per_mille, protocol_version, qos, seconds, session_expiry_interval};
    use mqtt_codec::{ProtocolVersion, QoS};
    use std::time::Duration;

    #[test]
    fn each_value_has_the_spellings_of_mosquitto() {
        assert_eq!(qos("2"), Ok(QoS::ExactlyOnce));
        for (text, version) in
            [("5", ProtocolVersion::V5), ("311", ProtocolVersion::V311), ("31", ProtocolVersion::V31)]
        {
            assert_eq!(protocol_version(text), Ok(version));
            assert_eq!(protocol_version(&format!("mqttv{text}")), Ok(version));
        }
        for (text, interval) in
            [("0", 0), ("60", 60), ("-1", u32::MAX), ("∞", u32::MAX), ("4294967295", u32::MAX)]
        {
            assert_eq!(session_expiry_interval(text), Ok(interval));
        }
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(per_mille("100"), Ok(1000));
        assert_eq!(per_mille("12.5"), Ok(125));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        assert!(["", "3", "-1", "x"].iter().all(|text| qos(text).is_err()));
        assert!(["", "4", "mqtt5", "v5"].iter().all(|text| protocol_version(text).is_err()));
        assert!(["", "-2", "4294967296"].iter().all(|text| session_expiry_interval(text).is_err()));
        assert!(["", "-1", "NaN", "inf", "1e300"].iter().all(|text| seconds(text).is_err()));
        assert!(["", "0", "0.04", "100.1", "NaN"].iter().all(|text| per_mille(text).is_err()));
    }
}
