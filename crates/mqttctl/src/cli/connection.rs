//! Owns the options that say where to connect and as whom, and what they amount to together.
//! Connecting is the client's affair.

use super::{fold, property::PropertyList, url::MqttUrl, values, will::WillArguments};
use crate::{error::Error, report::Report};
use clap::Args;
use dunlin_client::ServerUrl;
use mqtt_codec::{ProtocolVersion, TopicFilter, TopicName};
use std::{ffi::OsString, process};

/// Where to connect and as whom.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArguments {
    // Its help is no doc comment: the brackets would be taken for links.
    #[arg(
        value_name = "URL",
        conflicts_with = "url",
        help_heading = "Arguments",
        help = "Server, credentials and topic in one: mqtt://[user[:password]@]host[:port][/topic]"
    )]
    positional_url: Option<MqttUrl>,
    /// The same as an option; the options below take precedence over its parts
    #[arg(short = 'L', long, value_name = "URL")]
    url: Option<MqttUrl>,
    /// Connect to this host [default: localhost]
    #[arg(short = 'h', long, value_name = "HOST")]
    host: Option<String>,
    /// Connect to this port [default: 1883]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Connect from this local address or host name
    #[arg(short = 'A', long, value_name = "ADDRESS")]
    bind_address: Option<String>,
    /// Speak MQTT 5, 3.1.1 (311) or 3.1 (31); -D chooses 5 [default: 311, for rr 5]
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::protocol_version)]
    protocol_version: Option<ProtocolVersion>,
    /// The client identifier [default: the server chooses]
    #[arg(
        short = 'i',
        long,
        value_name = "CLIENT ID",
        allow_hyphen_values = true,
        conflicts_with = "id_prefix"
    )]
    id: Option<String>,
    /// A client identifier made of this prefix and the process id
    #[arg(short = 'I', long, value_name = "PREFIX", allow_hyphen_values = true)]
    id_prefix: Option<String>,
    /// The user name
    #[arg(short = 'u', long, value_name = "NAME", allow_hyphen_values = true)]
    username: Option<String>,
    /// The password
    #[arg(short = 'P', long = "pw", value_name = "PASSWORD", allow_hyphen_values = true)]
    password: Option<OsString>,
    /// Resume the session of this client identifier, and keep it after the end; needs -i
    #[arg(short = 'c', long)]
    disable_clean_session: bool,
    /// Keep the session this long, -1 for ever; MQTT 5 only [default: 0, with -c -1]
    #[arg(short = 'x', long, value_name = "SECONDS", allow_hyphen_values = true, value_parser = values::session_expiry_interval)]
    session_expiry_interval: Option<u32>,
    /// Send something at least this often; 0 turns that off
    #[arg(short = 'k', long = "keepalive", value_name = "SECONDS", default_value_t = 60)]
    keep_alive: u16,
    /// Add a property: PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; with NAME
    /// user-property, VALUE is two words
    #[arg(id = fold::PROPERTIES, short = 'D', long = "property", value_name = "PACKET NAME VALUE", allow_hyphen_values = true)]
    pub(crate) properties: Vec<String>,
    /// Send small packets without delay, which is always done
    #[arg(long = "nodelay")]
    no_delay: bool,
    /// Print each step to standard error
    #[arg(short = 'd', long, help_heading = "Other")]
    debug: bool,
    /// Print no error messages, except for wrong usage
    #[arg(long, help_heading = "Other")]
    quiet: bool,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help, help_heading = "Other")]
    help: Option<bool>,
    #[command(flatten)]
    will: WillArguments,
}

/// Where to connect and as whom, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// A host name or an address.
    pub(crate) host: String,
    /// The TCP port.
    pub(crate) port: u16,
    /// The local address or host name to connect from.
    pub(crate) bind_address: Option<String>,
    /// The version to speak.
    pub(crate) version: ProtocolVersion,
    /// The Client Identifier; empty lets the server choose one.
    pub(crate) client_id: String,
    /// The User Name.
    pub(crate) username: Option<String>,
    /// The Password.
    pub(crate) password: Option<Vec<u8>>,
    /// Clean Start, in MQTT 3 Clean Session.
    pub(crate) clean_start: bool,
    /// Session Expiry Interval in seconds; 0 before MQTT 5.
    pub(crate) session_expiry_interval: u32,
    /// Keep Alive in seconds; 0 is off.
    pub(crate) keep_alive: u16,
    /// The Will Message.
    pub(crate) will: WillArguments,
    /// The properties for each packet; empty before MQTT 5.
    pub(crate) properties: PropertyList,
    /// What the URL names as topic.
    pub(crate) topic: Option<String>,
}

impl ConnectionArguments {
    /// How progress is told.
    pub(crate) fn report(&self) -> Report {
        Report::new(self.debug, self.quiet)
    }

    /// Decides what the options amount to together; `version_default` is the command's.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub(crate) fn resolve(self, version_default: ProtocolVersion) -> Result<Connection, Error> {
        let version = self.version(version_default)?;
        let properties = PropertyList::parse(&self.properties)?;
        let session_expiry_interval = self.session_expiry_interval(version, &properties)?;
        let local = ServerUrl {
            user_name: None,
            password: None,
            host: "localhost".into(),
            port: ServerUrl::PORT_DEFAULT,
        };
        let url = self.url.or(self.positional_url).unwrap_or(MqttUrl { server: local, topic: None });
        let ServerUrl { user_name, password, host, port } = url.server;
        let connection = Connection {
            host: self.host.unwrap_or(host),
            port: self.port.unwrap_or(port),
            bind_address: self.bind_address,
            version,
            client_id: client_id(self.id, self.id_prefix, version),
            username: self.username.or(user_name),
            password: self.password.map(OsString::into_encoded_bytes).or(password.map(String::into_bytes)),
            clean_start: !self.disable_clean_session,
            session_expiry_interval,
            keep_alive: self.keep_alive,
            will: self.will,
            properties,
            topic: url.topic,
        };
        // [MQTT311-3.1.2-22]
        if connection.version < ProtocolVersion::V5
            && connection.password.is_some()
            && connection.username.is_none()
        {
            return Err(Error::usage("before MQTT 5 a password (-P) needs a user name")
                .with_hint("add -u NAME, or speak MQTT 5 with -V 5"));
        }
        Ok(connection)
    }

    fn version(&self, version_default: ProtocolVersion) -> Result<ProtocolVersion, Error> {
        match self.protocol_version {
            Some(version) if version < ProtocolVersion::V5 && !self.properties.is_empty() => {
                Err(Error::usage(format!("MQTT {version} has no properties (-D)"))
                    .with_hint("leave out -V, or use -V 5"))
            }
            Some(version) => Ok(version),
            None if !self.properties.is_empty() => Ok(ProtocolVersion::V5),
            None => Ok(version_default),
        }
    }

    /// A session that outlives the connection is worth nothing if its name is not known.
    fn session_expiry_interval(
        &self,
        version: ProtocolVersion,
        properties: &PropertyList,
    ) -> Result<u32, Error> {
        let interval = match (self.session_expiry_interval, properties.connect.session_expiry_interval()) {
            _ if version < ProtocolVersion::V5 => 0,
            (Some(_), Some(_)) => {
                return Err(Error::usage("the session expiry interval is given twice")
                    .with_hint("leave out either -x or -D connect session-expiry-interval"));
            }
            (Some(interval), None) | (None, Some(interval)) => interval,
            (None, None) if self.disable_clean_session => u32::MAX,
            (None, None) => 0,
        };
        let kept =
            if version < ProtocolVersion::V5 { self.disable_clean_session } else { interval == u32::MAX };
        if kept && self.id.is_none() {
            return Err(Error::usage("a session that never expires needs a client identifier")
                .with_hint("add -i CLIENT_ID"));
        }
        Ok(interval)
    }
}

fn client_id(id: Option<String>, prefix: Option<String>, version: ProtocolVersion) -> String {
    match (id, prefix) {
        (Some(id), _) => id,
        (None, Some(prefix)) => format!("{prefix}{}", process::id()),
        // MQTT 3.1 has no client identifier that the server chooses.
        (None, None) if version == ProtocolVersion::V31 => format!("mqttctl-{}", process::id()),
        (None, None) => String::new(),
    }
}

impl Connection {
    /// The topic to publish to: the option's, else the URL's.
    ///
    /// # Errors
    /// There is none, or the URL's is none to publish to.
    pub(crate) fn topic_name(&self, option: Option<TopicName>) -> Result<TopicName, Error> {
        match (option, &self.topic) {
            (Some(topic), _) => Ok(topic),
            (None, Some(topic)) => {
                values::topic_name(topic).map_err(|problem| wrong_url_topic(topic, problem))
            }
            (None, None) => {
                Err(Error::usage("no topic").with_hint("name one with -t TOPIC, or at the end of the URL"))
            }
        }
    }

    /// The URL's topic filter, if it has one.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn topic_filter(&self) -> Result<Option<TopicFilter>, Error> {
        let parse =
            |topic: &String| values::topic_filter(topic).map_err(|problem| wrong_url_topic(topic, problem));
        self.topic.as_ref().map(parse).transpose()
    }
}

fn wrong_url_topic(topic: &str, problem: &str) -> Error {
    Error::usage(format!("the topic \"{topic}\" of the URL: {problem}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Connection, WillArguments};
    use crate::cli::{Command, property::PropertyList, tests::parse_words};
    use crate::commands::publish::PublishArguments;
    use mqtt_codec::{ProtocolVersion, QoS, TopicName};

    /// What no option at all amounts to.
    pub(crate) fn connection() -> Connection {
        Connection {
            host: "localhost".into(),
            port: 1883,
            bind_address: None,
            version: ProtocolVersion::V311,
            client_id: String::new(),
            username: None,
            password: None,
            clean_start: true,
            session_expiry_interval: 0,
            keep_alive: 60,
            will: WillArguments::default(),
            properties: PropertyList::parse(&[]).unwrap(),
            topic: None,
        }
    }

    fn resolve(words: &str) -> Result<Connection, String> {
        match parse_words(&format!("pub {words}")).unwrap_or_else(|error| panic!("{words}: {error}")) {
            Command::Publish(PublishArguments { connection, .. }) => {
                connection.resolve(ProtocolVersion::V311).map_err(|error| error.to_string())
            }
            other => panic!("{words}: {other:?}"),
        }
    }

    fn check(words: &str, expected: Connection) {
        assert_eq!(resolve(words), Ok(expected), "{words}");
    }

    #[test]
    fn each_option_sets_its_part() {
        check(
            "-h h -p 1 -A 127.0.0.1 -k 5",
            Connection {
                host: "h".into(),
                port: 1,
                bind_address: Some("127.0.0.1".into()),
                keep_alive: 5,
                ..connection()
            },
        );
        let credentials =
            Connection { username: Some("u".into()), password: Some(b"-p".to_vec()), ..connection() };
        check("-u u -P -p", credentials.clone());
        check("--username u --pw -p", credentials);
        check("-i me", Connection { client_id: "me".into(), ..connection() });
        check(
            "-V 31 --id me",
            Connection { client_id: "me".into(), version: ProtocolVersion::V31, ..connection() },
        );
        check("-I me-", Connection { client_id: format!("me-{}", std::process::id()), ..connection() });
        check(
            "--host h --port 1 --keepalive 7 --protocol-version mqttv5 --nodelay --quiet -d",
            Connection {
                host: "h".into(),
                port: 1,
                keep_alive: 7,
                version: ProtocolVersion::V5,
                ..connection()
            },
        );
        check(
            "--will-topic w --will-payload -x --will-qos 1 --will-retain",
            Connection {
                will: WillArguments {
                    will_topic: Some(TopicName::owned("w").unwrap()),
                    will_payload: Some("-x".into()),
                    will_qos: QoS::AtLeastOnce,
                    will_retain: true,
                },
                ..connection()
            },
        );
    }

    #[test]
    fn options_take_precedence_over_the_url() {
        let url = Connection {
            host: "h".into(),
            port: 5,
            username: Some("u".into()),
            password: Some(b"p".to_vec()),
            topic: Some("a/b".into()),
            ..connection()
        };
        check("mqtt://u:p@h:5/a/b", url.clone());
        check("--url mqtt://u:p@h:5/a/b", url.clone());
        check(
            "-h i -L mqtt://u:p@h:5/a/b -u v -P q -p 6",
            Connection {
                host: "i".into(),
                port: 6,
                username: Some("v".into()),
                password: Some(b"q".to_vec()),
                ..url
            },
        );
    }

    #[test]
    fn a_session_is_kept_as_long_as_mosquitto_would_keep_it() {
        let me = |version| Connection { version, client_id: "me".into(), ..connection() };
        let (v5, v311) = (me(ProtocolVersion::V5), me(ProtocolVersion::V311));
        check("-i me -c", Connection { clean_start: false, ..v311.clone() });
        check("-i me -c -x 5", Connection { clean_start: false, ..v311 });
        check("-V 5 -i me", v5.clone());
        check("-V 5 -i me -x 5", Connection { session_expiry_interval: 5, ..v5.clone() });
        check("-V 5 -i me -x ∞", Connection { session_expiry_interval: u32::MAX, ..v5.clone() });
        let resumed = Connection { clean_start: false, ..v5 };
        check("-V 5 -i me -c", Connection { session_expiry_interval: u32::MAX, ..resumed.clone() });
        check("-V 5 -i me -c -x 0", resumed);
        assert_eq!(resolve("-V 5 -x 5").map(|connection| connection.session_expiry_interval), Ok(5));
        let property = resolve("-D connect session-expiry-interval 9").unwrap();
        assert_eq!((property.version, property.session_expiry_interval), (ProtocolVersion::V5, 9));
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        let nameless =
            "error: a session that never expires needs a client identifier\n hint: add -i CLIENT_ID";
        let wrong = [
            ("-c", nameless),
            ("-c -I me-", nameless),
            ("-V 5 -c", nameless),
            ("-V 5 -x -1", nameless),
            (
                "-P p",
                "error: before MQTT 5 a password (-P) needs a user name\n hint: add -u NAME, or speak MQTT 5 with -V 5",
            ),
            (
                "-V 311 -D connect receive-maximum 1",
                "error: MQTT 3.1.1 has no properties (-D)\n hint: leave out -V, or use -V 5",
            ),
            (
                "-x 5 -D connect session-expiry-interval 9",
                "error: the session expiry interval is given twice\n hint: leave out either -x or -D connect session-expiry-interval",
            ),
        ];
        for (words, expected) in wrong {
            assert_eq!(resolve(words), Err(expected.to_owned()), "{words}");
        }
    }
}
