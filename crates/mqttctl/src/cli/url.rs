//! Owns the `mqtt://` URLs that name a server and a topic at once. How a server is named is the client's business.

use dunlin_client::{ServerUrl, UrlError};
use std::str::FromStr;

/// `mqtt://[user[:password]@]host[:port][/topic]`.
///
/// The topic is everything after the first slash behind the server, taken as it stands: `#`, `?` and `%` are ordinary
/// characters of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MqttUrl {
    /// Where to connect, and as whom.
    pub(crate) server: ServerUrl,
    /// The Topic Name or Topic Filter, if there is one.
    pub(crate) topic: Option<String>,
}

impl FromStr for MqttUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let behind_scheme = url.find("://").map_or(0, |position| position + "://".len());
        let (server, topic) = match url[behind_scheme..].find('/') {
            Some(slash) => (&url[..behind_scheme + slash], &url[behind_scheme + slash + 1..]),
            None => (url, ""),
        };
        let topic = Some(topic).filter(|topic| !topic.is_empty()).map(str::to_owned);
        Ok(Self { server: server.parse()?, topic })
    }
}

#[cfg(test)]
mod tests {
    use super::MqttUrl;
    use dunlin_client::UrlError;

    /// User name, password, host, port, topic.
    type Parts<'a> = (Option<&'a str>, Option<&'a str>, &'a str, u16, Option<&'a str>);

    fn check(url: &str, expected: Parts<'_>) {
        let parsed: MqttUrl = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
        let parts = (
            parsed.server.user_name.as_deref(),
            parsed.server.password.as_deref(),
            &*parsed.server.host,
            parsed.server.port,
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
