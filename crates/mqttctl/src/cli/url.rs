//! Owns the `mqtt://` URLs that name a server, credentials and a topic at once. Nothing is looked up here.

use std::{fmt, str::FromStr};

/// The port of MQTT over plain TCP.
pub(crate) const PORT_DEFAULT: u16 = 1883;

/// `mqtt://[user[:password]@]host[:port][/topic]`.
///
/// User and password are percent-decoded, since they may hold `@`, `:` and `/`. The topic is everything
/// after the first slash, taken as it stands: `#`, `?` and `%` are ordinary characters of a topic.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MqttUrl {
    /// The User Name, if there is one.
    pub(crate) username: Option<String>,
    /// The Password, if there is one.
    pub(crate) password: Option<String>,
    /// A host name or address; an IPv6 address without its brackets.
    pub(crate) host: String,
    /// The port, 1883 if none is given.
    pub(crate) port: u16,
    /// The Topic Name or Topic Filter, if there is one.
    pub(crate) topic: Option<String>,
}

/// What is wrong with a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UrlError {
    /// There is no `scheme://`.
    SchemeMissing,
    /// Another scheme than `mqtt`.
    SchemeUnknown(String),
    /// Nothing between the scheme, the credentials and the topic.
    HostMissing,
    /// `[` without `]`, or something other than a port after it.
    BracketUnclosed,
    /// Not a number from 1 to 65535.
    Port(String),
    /// A `%` without two hexadecimal digits, or not UTF-8 when decoded.
    Percent,
}

impl FromStr for MqttUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::SchemeMissing)?;
        if !scheme.eq_ignore_ascii_case("mqtt") {
            return Err(UrlError::SchemeUnknown(scheme.to_owned()));
        }
        let (authority, topic) = match rest.split_once('/') {
            Some((authority, topic)) => (authority, Some(topic).filter(|topic| !topic.is_empty())),
            None => (rest, None),
        };
        // The last `@` separates: a password that was not encoded may hold one.
        let (credentials, place) = match authority.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, authority),
        };
        let (username, password) = match credentials.map(|text| text.split_once(':').ok_or(text)) {
            None => (None, None),
            Some(Ok((username, password))) => {
                (Some(percent_decode(username)?), Some(percent_decode(password)?))
            }
            Some(Err(username)) => (Some(percent_decode(username)?), None),
        };
        let (host, port) = split_host_and_port(place)?;
        Ok(Self { username, password, host: host.to_owned(), port, topic: topic.map(str::to_owned) })
    }
}

fn split_host_and_port(place: &str) -> Result<(&str, u16), UrlError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']').ok_or(UrlError::BracketUnclosed)?;
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err(UrlError::BracketUnclosed),
            }
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() {
        return Err(UrlError::HostMissing);
    }
    let port = match port {
        None => PORT_DEFAULT,
        Some(text) => match text.parse() {
            Ok(port) if port != 0 => port,
            Ok(_) | Err(_) => return Err(UrlError::Port(text.to_owned())),
        },
    };
    Ok((host, port))
}

fn percent_decode(text: &str) -> Result<String, UrlError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit =
            || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(UrlError::Percent);
        let (high, low) = (digit()?, digit()?);
        decoded.extend(u8::try_from(high * 16 + low));
    }
    String::from_utf8(decoded).map_err(|_| UrlError::Percent)
}

impl fmt::Display for UrlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SchemeMissing => formatter.write_str("it must begin with mqtt://"),
            Self::SchemeUnknown(scheme) => {
                write!(formatter, "unknown scheme \"{scheme}\"; only mqtt:// is supported")
            }
            Self::HostMissing => formatter.write_str("the host is missing"),
            Self::BracketUnclosed => {
                formatter.write_str("an IPv6 address is written [address] or [address]:port")
            }
            Self::Port(text) => write!(formatter, "\"{text}\" is not a port, a number from 1 to 65535"),
            Self::Percent => formatter
                .write_str("in user and password, % must begin an encoded character; write %25 for % itself"),
        }
    }
}

impl std::error::Error for UrlError {}

impl fmt::Debug for MqttUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MqttUrl")
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("host", &self.host)
            .field("port", &self.port)
            .field("topic", &self.topic)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{MqttUrl, UrlError};

    /// username, password, host, port, topic.
    type Parts<'a> = (Option<&'a str>, Option<&'a str>, &'a str, u16, Option<&'a str>);

    fn check(url: &str, expected: Parts<'_>) {
        let parsed: MqttUrl = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
        let parts = (
            parsed.username.as_deref(),
            parsed.password.as_deref(),
            &*parsed.host,
            parsed.port,
            parsed.topic.as_deref(),
        );
        assert_eq!(parts, expected, "{url}");
    }

    #[test]
    fn every_part_but_the_host_may_be_left_out() {
        check("mqtt://example.org", (None, None, "example.org", 1883, None));
        check("mqtt://example.org/", (None, None, "example.org", 1883, None));
        check("MQTT://example.org:1884/a", (None, None, "example.org", 1884, Some("a")));
        check("mqtt://ann@example.org/a", (Some("ann"), None, "example.org", 1883, Some("a")));
        check("mqtt://ann:pw@example.org:1/a/b", (Some("ann"), Some("pw"), "example.org", 1, Some("a/b")));
        check("mqtt://ann:@h/a", (Some("ann"), Some(""), "h", 1883, Some("a")));
    }

    #[test]
    fn the_topic_is_taken_as_it_stands() {
        check("mqtt://h//a", (None, None, "h", 1883, Some("/a")));
        check("mqtt://h/+/x/#", (None, None, "h", 1883, Some("+/x/#")));
        check("mqtt://h/50%25?", (None, None, "h", 1883, Some("50%25?")));
        check("mqtt://h/a@b:c", (None, None, "h", 1883, Some("a@b:c")));
    }

    #[test]
    fn credentials_are_percent_decoded_and_may_hold_an_at_sign() {
        check("mqtt://a%40b:c%3Ad%2fe@h", (Some("a@b"), Some("c:d/e"), "h", 1883, None));
        check("mqtt://a:b@c@h", (Some("a"), Some("b@c"), "h", 1883, None));
        check("mqtt://%C3%BC@h", (Some("ü"), None, "h", 1883, None));
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        check("mqtt://[::1]/a", (None, None, "::1", 1883, Some("a")));
        check("mqtt://[fe80::2]:99", (None, None, "fe80::2", 99, None));
    }

    #[test]
    fn a_wrong_url_is_refused_with_its_reason() {
        let wrong = [
            ("example.org/a", UrlError::SchemeMissing),
            ("mqtts://h/a", UrlError::SchemeUnknown("mqtts".into())),
            ("ws://h/a", UrlError::SchemeUnknown("ws".into())),
            ("mqtt:///a", UrlError::HostMissing),
            ("mqtt://ann@/a", UrlError::HostMissing),
            ("mqtt://:1883/a", UrlError::HostMissing),
            ("mqtt://[::1/a", UrlError::BracketUnclosed),
            ("mqtt://[::1]1883/a", UrlError::BracketUnclosed),
            ("mqtt://h:0/a", UrlError::Port("0".into())),
            ("mqtt://h:65536/a", UrlError::Port("65536".into())),
            ("mqtt://h:http/a", UrlError::Port("http".into())),
            ("mqtt://h:/a", UrlError::Port(String::new())),
            ("mqtt://a%4@h", UrlError::Percent),
            ("mqtt://a%zz@h", UrlError::Percent),
            ("mqtt://%ff@h", UrlError::Percent),
        ];
        for (url, error) in wrong {
            assert_eq!(url.parse::<MqttUrl>(), Err(error), "{url}");
        }
    }

    #[test]
    fn a_password_does_not_reach_a_debug_print() {
        let url: MqttUrl = "mqtt://ann:secret@h".parse().unwrap();
        assert!(!format!("{url:?}").contains("secret"));
    }
}
