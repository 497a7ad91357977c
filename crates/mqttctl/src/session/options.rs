//! Owns what the connection's command line options mean to the client library. What they are is `cli`'s.

use crate::cli::connection::Connection;
use bytes::Bytes;
use dunlin_client::{Options, Reconnect, Will};
use std::ffi::OsString;

impl Connection {
    /// How the client connects; a lost connection is not made again.
    pub(crate) fn options(&self) -> Options {
        let defaults = Options::to(self.host.clone(), self.port);
        let properties = &self.properties.connect;
        Options {
            bind_address: self.bind_address.clone(),
            version: self.version,
            client_id: self.client_id.clone(),
            clean_start: self.clean_start,
            keep_alive_seconds: self.keep_alive,
            session_expiry_interval: self.session_expiry_interval,
            receive_maximum: properties.receive_maximum().unwrap_or(defaults.receive_maximum),
            maximum_packet_size: properties.maximum_packet_size().unwrap_or(defaults.maximum_packet_size),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(defaults.topic_alias_maximum),
            // There is one topic to publish to, so there is one alias to use, whatever its number was to be.
            outbound_topic_alias_maximum: u16::from(self.properties.publish.topic_alias().is_some()),
            user_name: self.username.clone(),
            password: self.password.clone().map(Bytes::from),
            will: self.will(),
            properties: properties.clone(),
            reconnect: Reconnect::Never,
            ..defaults
        }
    }

    fn will(&self) -> Option<Will> {
        let will = &self.will;
        Some(Will {
            qos: will.will_qos,
            retain: will.will_retain,
            topic: will.will_topic.clone()?,
            payload: will.will_payload.clone().map(OsString::into_encoded_bytes).unwrap_or_default().into(),
            properties: self.properties.will.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Command, tests::parse_words};
    use dunlin_client::{Options, ProtocolVersion, QoS, Reconnect, TopicName, Will};
    use std::num::{NonZeroU16, NonZeroU32};

    fn options(words: &str) -> Options {
        match parse_words(&format!("pub -t a -n {words}")).unwrap() {
            Command::Publish(arguments) => {
                arguments.connection.resolve(ProtocolVersion::V311).unwrap().options()
            }
            other => panic!("{words}: {other:?}"),
        }
    }

    fn plain() -> Options {
        Options { reconnect: Reconnect::Never, ..Options::to("localhost", 1883) }
            .version(ProtocolVersion::V311)
    }

    fn check(words: &str, expected: &Options) {
        let found = options(words);
        // The password is not shown.
        assert!(&found == expected, "{words}: {found:#?}");
    }

    #[test]
    fn each_option_reaches_the_client() {
        check("-k 60", &plain());
        check(
            "-h h -p 5 -A 127.0.0.2 -k 0 -i me -u u -P p -c",
            &Options {
                host: "h".into(),
                port: 5,
                bind_address: Some("127.0.0.2".into()),
                clean_start: false,
                ..plain().keep_alive_seconds(0).client_id("me").credentials("u", "p")
            },
        );
        check(
            "--will-topic w --will-payload x --will-qos 2 --will-retain",
            &plain().will(Will {
                qos: QoS::ExactlyOnce,
                retain: true,
                topic: TopicName::owned("w").unwrap(),
                payload: "x".into(),
                properties: dunlin_client::Properties::NONE,
            }),
        );
    }

    #[test]
    fn properties_that_steer_the_client_do() {
        let found = options(
            "-D connect receive-maximum 7 -D connect maximum-packet-size 99 -D connect topic-alias-maximum 3 \
             -D connect session-expiry-interval 60 -D publish topic-alias 5",
        );
        assert_eq!(found.version, ProtocolVersion::V5);
        assert_eq!(Some(found.receive_maximum), NonZeroU16::new(7));
        assert_eq!(Some(found.maximum_packet_size), NonZeroU32::new(99));
        assert_eq!((found.topic_alias_maximum, found.outbound_topic_alias_maximum), (3, 1));
        assert_eq!(found.session_expiry_interval, 60);
    }
}
