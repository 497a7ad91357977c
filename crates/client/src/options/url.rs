//! Owns the `mqtt://` URL of a server. Nothing is looked up here.

use std::{fmt, str::FromStr};

/// What `mqtt://[user[:password]@]host[:port]` names. User and password are percent-decoded: they may hold `@`, `:` and
/// `/`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// The User Name, if there is one.
    pub user_name: Option<String>,
    /// The Password, if there is one.
    pub password: Option<String>,
    /// A host name or address; an IPv6 address without its brackets.
    pub host: String,
    /// The port, 1883 if none is given.
    pub port: u16,
}

/// What is wrong with a URL. The caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// There is no `scheme://`.
    SchemeMissing,
    /// Another scheme than `mqtt`.
    SchemeUnknown(String),
    /// There is no host.
    HostMissing,
    /// `[` without `]`, or something other than a port behind it.
    BracketUnclosed,
    /// Not a number from 1 to 65535.
    Port(String),
    /// A `%` without two hexadecimal digits, or not UTF-8 when decoded.
    Percent,
    /// Something follows the port: a server's URL names no topic.
    Path(String),
}

impl ServerUrl {
    /// The port of MQTT over plain TCP.
    pub const PORT_DEFAULT: u16 = 1883;
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        parse(url)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServerUrl")
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("host", &self.host)
            .field("port", &self.port)
            .finish()
    }
}

fn parse(url: &str) -> Result<ServerUrl, UrlError> {
    let (scheme, rest) = url.split_once("://").ok_or(UrlError::SchemeMissing)?;
    if !scheme.eq_ignore_ascii_case("mqtt") {
        return Err(UrlError::SchemeUnknown(scheme.to_owned()));
    }
    let authority = match rest.split_once('/') {
        Some((authority, "")) => authority,
        Some((_, path)) => return Err(UrlError::Path(path.to_owned())),
        None => rest,
    };
    // The last `@` separates: a password that was not encoded may hold one.
    let (credentials, place) = match authority.rsplit_once('@') {
        Some((credentials, place)) => (Some(credentials), place),
        None => (None, authority),
    };
    let (user_name, password) = match credentials.map(|text| text.split_once(':').ok_or(text)) {
        None => (None, None),
        Some(Ok((user_name, password))) => {
            (Some(percent_decode(user_name)?), Some(percent_decode(password)?))
        }
        Some(Err(user_name)) => (Some(percent_decode(user_name)?), None),
    };
    let (host, port) = split_host_and_port(place)?;
    Ok(ServerUrl { user_name, password, host: host.to_owned(), port })
}

fn split_host_and_port(place: &str) -> Result<(&str, u16), UrlError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => {
            let (host, behind) = bracketed.split_once(']').ok_or(UrlError::BracketUnclosed)?;
            match behind.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if behind.is_empty() => (host, None),
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
    let port = match port.map(|text| (text, text.parse())) {
        None => ServerUrl::PORT_DEFAULT,
        Some((_, Ok(port))) if port != 0 => port,
        Some((text, Ok(_) | Err(_))) => return Err(UrlError::Port(text.to_owned())),
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
            Self::SchemeMissing => formatter.write_str("a server's URL begins with mqtt://"),
            Self::SchemeUnknown(scheme) => {
                write!(formatter, "unknown scheme {scheme:?}; only mqtt:// is supported")
            }
            Self::HostMissing => formatter.write_str("the URL has no host"),
            Self::BracketUnclosed => {
                formatter.write_str("an IPv6 address is written [address] or [address]:port")
            }
            Self::Port(text) => write!(formatter, "{text:?} is not a port, a number from 1 to 65535"),
            Self::Percent => formatter
                .write_str("in user and password, % must begin an encoded character; write %25 for % itself"),
            Self::Path(path) => write!(formatter, "{path:?} follows the server; its URL names no topic"),
        }
    }
}

impl std::error::Error for UrlError {}

#[cfg(test)]
mod tests {
    use super::{ServerUrl, UrlError, parse};

    #[test]
    fn every_part_but_the_host_may_be_left_out() {
        let right = [
            ("mqtt://example.org", (None, None, "example.org", 1883)),
            ("MQTT://example.org:1884/", (None, None, "example.org", 1884)),
            ("mqtt://ann@h", (Some("ann"), None, "h", 1883)),
            ("mqtt://a%40b:c%3Ad%2fe@h", (Some("a@b"), Some("c:d/e"), "h", 1883)),
            ("mqtt://a:b@c@h:1", (Some("a"), Some("b@c"), "h", 1)),
            ("mqtt://[::1]", (None, None, "::1", 1883)),
            ("mqtt://[fe80::2]:99", (None, None, "fe80::2", 99)),
        ];
        for (url, (user_name, password, host, port)) in right {
            let (user_name, password) = (user_name.map(str::to_owned), password.map(str::to_owned));
            assert_eq!(
                parse(url),
                Ok(ServerUrl { user_name, password, host: host.to_owned(), port }),
                "{url}"
            );
        }
    }

    #[test]
    fn a_wrong_url_is_refused_with_its_reason() {
        let wrong = [
            ("example.org", UrlError::SchemeMissing),
            ("ws://h", UrlError::SchemeUnknown("ws".into())),
            ("mqtt://", UrlError::HostMissing),
            ("mqtt://ann@:1", UrlError::HostMissing),
            ("mqtt://[::1", UrlError::BracketUnclosed),
            ("mqtt://[::1]1", UrlError::BracketUnclosed),
            ("mqtt://h:0", UrlError::Port("0".into())),
            ("mqtt://h:", UrlError::Port(String::new())),
            ("mqtt://h:65536", UrlError::Port("65536".into())),
            ("mqtt://a%4@h", UrlError::Percent),
            ("mqtt://%ff@h", UrlError::Percent),
            ("mqtt://h/a", UrlError::Path("a".into())),
        ];
        for (url, error) in wrong {
            assert_eq!(parse(url), Err(error), "{url}");
        }
    }
}
