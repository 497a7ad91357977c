//! Owns `mqttctl pub`: what is published, and how often.

mod lines;
pub(super) mod payloads;
mod publisher;

use crate::{
    cli::{
        arguments::{PayloadArguments, PayloadSource},
        connection::{Connection, ConnectionArguments},
        values,
    },
    error::Error,
    exit::ExitCode,
    report::Report,
    session::{Earlier, Outcome, Plan, Session},
};
use clap::Args;
use dunlin_client::{Backoff, Message, Options, Reconnect};
use lines::Lines;
use mqtt_codec::{ProtocolVersion, QoS, TopicName};
use payloads::Payloads;
use publisher::{MESSAGES_MAX, Publisher};
use std::{
    num::{NonZeroU16, NonZeroU64},
    time::Duration,
};

/// The arguments of `pub`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PublishArguments {
    /// Publish to this topic
    #[arg(short = 't', long, value_name = "TOPIC", allow_hyphen_values = true, value_parser = values::topic_name, help_heading = "Message")]
    pub(crate) topic: Option<TopicName>,
    #[command(flatten)]
    payload: PayloadArguments,
    /// Send each line of standard input as a message, as it comes
    #[arg(short = 'l', long, help_heading = "Message", conflicts_with_all = ["repeat", "repeat_delay"])]
    stdin_line: bool,
    /// The quality of service
    #[arg(short = 'q', long, value_name = "QOS", value_parser = values::qos, default_value = "0", help_heading = "Message")]
    pub(crate) qos: QoS,
    /// Ask the server to retain the message
    #[arg(short = 'r', long, help_heading = "Message")]
    retain: bool,
    /// Publish the message this many times
    #[arg(long, value_name = "COUNT", default_value = "1", help_heading = "Message")]
    repeat: NonZeroU64,
    /// Wait this long before each repetition
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds, default_value = "0", allow_hyphen_values = true, help_heading = "Message")]
    repeat_delay: Duration,
    /// Have at most this many messages of QoS 1 and 2 in flight
    #[arg(short = 'M', long, value_name = "COUNT", default_value = "20", help_heading = "Message")]
    max_inflight: NonZeroU16,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

/// What `pub` will do.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Publication {
    connection: Connection,
    topic: TopicName,
    source: PayloadSource,
    qos: QoS,
    retain: bool,
    repeat: NonZeroU64,
    repeat_delay: Duration,
    /// Messages of QoS 1 and 2 in flight at once.
    inflight_max: NonZeroU16,
}

impl PublishArguments {
    /// Publishes, and ends when the server has taken everything over.
    ///
    /// # Errors
    /// The options contradict each other, or there was no connection long enough.
    pub(crate) fn run(self) -> Result<ExitCode, Error> {
        let report = self.connection.report();
        let publication = self.resolve()?;
        publication.run(&report).map_err(|error| error.unless_quiet(&report))
    }

    fn resolve(self) -> Result<Publication, Error> {
        let connection = self.connection.resolve(ProtocolVersion::V311)?;
        let topic = connection.topic_name(self.topic)?;
        Ok(Publication {
            topic,
            source: self.payload.resolve(self.stdin_line.then_some(PayloadSource::Lines))?,
            qos: self.qos,
            retain: self.retain,
            repeat: self.repeat,
            repeat_delay: self.repeat_delay,
            inflight_max: self.max_inflight,
            connection,
        })
    }
}

impl Publication {
    fn run(&self, report: &Report) -> Result<ExitCode, Error> {
        // What cannot be read is found out before anybody is bothered.
        let mut payloads = match payloads::whole(&self.source)? {
            Some(payload) => Payloads::repeated(payload, self.repeat, self.repeat_delay),
            None => Payloads::Lines(Lines::of_standard_input()),
        };
        let plan = Plan {
            options: self.options(),
            disconnect_properties: self.connection.properties.disconnect.clone(),
            earlier: Earlier::Dropped,
            timeout: None,
            report: report.clone(),
        };
        let mut failed = 0;
        let outcome = plan.run(async |session| {
            failed = self.publish(session, &mut payloads).await?;
            Ok(())
        })?;
        Ok(match outcome {
            Outcome::Done if failed == 0 => ExitCode::Success,
            Outcome::Done => ExitCode::Failure,
            Outcome::Interrupted(signal) => ExitCode::Interrupted(signal),
        })
    }

    fn options(&self) -> Options {
        Options {
            send_maximum: self.inflight_max,
            queue_messages_max: MESSAGES_MAX,
            reconnect: match self.source {
                // As mosquitto_pub has it: a stream outlives a connection, a single message does not.
                PayloadSource::Lines => Reconnect::Backoff(Backoff::default()),
                PayloadSource::Given(_) | PayloadSource::File(_) | PayloadSource::StandardInput => {
                    Reconnect::Never
                }
            },
            ..self.connection.options()
        }
    }

    /// Publishes all payloads and awaits their outcomes. Tells how many were not published.
    async fn publish(&self, session: &Session, payloads: &mut Payloads) -> Result<u64, Error> {
        let mut publisher = Publisher::new(session, self.template());
        loop {
            tokio::select! {
                biased;
                batch = payloads.next() => match batch? {
                    Some(batch) => {
                        for payload in batch {
                            publisher.publish(payload).await?;
                        }
                    }
                    None => break,
                },
                settled = publisher.settle_one(), if publisher.has_pending() => settled?,
            }
        }
        while publisher.has_pending() {
            publisher.settle_one().await?;
        }
        Ok(publisher.failed())
    }

    fn template(&self) -> Message {
        Message {
            qos: self.qos,
            retain: self.retain,
            properties: self.connection.properties.publish.clone(),
            ..Message::to(self.topic.clone(), "")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PayloadSource, Publication};
    use crate::cli::{
        Command,
        connection::{Connection, tests::connection},
        tests::parse_words,
    };
    use mqtt_codec::{ProtocolVersion, QoS, TopicName};
    use std::{
        num::{NonZeroU16, NonZeroU64},
        time::Duration,
    };

    fn publication() -> Publication {
        Publication {
            connection: connection(),
            topic: TopicName::owned("a").unwrap(),
            source: PayloadSource::Given(b"x".to_vec()),
            qos: QoS::AtMostOnce,
            retain: false,
            repeat: NonZeroU64::MIN,
            repeat_delay: Duration::ZERO,
            inflight_max: NonZeroU16::new(20).unwrap(),
        }
    }

    fn resolve(words: &str) -> Result<Publication, String> {
        match parse_words(words).unwrap_or_else(|error| panic!("{words}: {error}")) {
            Command::Publish(arguments) => arguments.resolve().map_err(|error| error.to_string()),
            other => panic!("{words}: {other:?}"),
        }
    }

    fn check(words: &str, expected: Publication) {
        assert_eq!(resolve(words), Ok(expected), "{words}");
    }

    #[test]
    fn a_command_line_of_mosquitto_pub_means_the_same() {
        check("pub -t a -m x", publication());
        check("pub --topic a --message x", publication());
        check("pub -m x -h localhost -p 1883 -k 60 -V mqttv311 -M 20 -t a -q 0", publication());
        check("pub -t a -m x -q 2 -r", Publication { qos: QoS::ExactlyOnce, retain: true, ..publication() });
        check(
            "pub -t a -m x --qos 1 --retain",
            Publication { qos: QoS::AtLeastOnce, retain: true, ..publication() },
        );
        check(
            "pub -t a -m -5",
            Publication { source: PayloadSource::Given(b"-5".to_vec()), ..publication() },
        );
        check("pub -t a -n", Publication { source: PayloadSource::Given(Vec::new()), ..publication() });
        check(
            "pub -t a --null-message",
            Publication { source: PayloadSource::Given(Vec::new()), ..publication() },
        );
        check(
            "pub -t a -f x.bin",
            Publication { source: PayloadSource::File("x.bin".into()), ..publication() },
        );
        check("pub -t a -s", Publication { source: PayloadSource::StandardInput, ..publication() });
        check("pub -t a --stdin-file", Publication { source: PayloadSource::StandardInput, ..publication() });
        check("pub -t a -l", Publication { source: PayloadSource::Lines, ..publication() });
        check("pub -t a --stdin-line", Publication { source: PayloadSource::Lines, ..publication() });
        check("pub -t a -m x -M 1", Publication { inflight_max: NonZeroU16::MIN, ..publication() });
        check(
            "pub -t a -m x --repeat 3 --repeat-delay 0.5",
            Publication {
                repeat: NonZeroU64::new(3).unwrap(),
                repeat_delay: Duration::from_millis(500),
                ..publication()
            },
        );
    }

    #[test]
    fn a_topic_comes_from_an_option_or_a_url() {
        let at = |host: &str, topic: &str| Publication {
            connection: Connection { host: host.into(), topic: Some("b/c".into()), ..connection() },
            topic: TopicName::owned(topic).unwrap(),
            ..publication()
        };
        check("pub -L mqtt://h/b/c -m x", at("h", "b/c"));
        check("pub mqtt://h/b/c -m x", at("h", "b/c"));
        check("pub -m x mqtt://h/b/c -t a", at("h", "a"));
    }

    #[test]
    fn a_property_makes_it_mqtt_5() {
        let publication = resolve("pub -t a -m x -D publish content-type text").unwrap();
        assert_eq!(publication.connection.version, ProtocolVersion::V5);
        assert_eq!(publication.connection.properties.publish.content_type(), Some("text"));
    }

    #[test]
    fn an_incomplete_command_line_is_refused_with_what_is_missing() {
        let wrong = [
            ("pub -m x", "error: no topic\n hint: name one with -t TOPIC, or at the end of the URL"),
            (
                "pub -m x mqtt://h/a/#",
                "error: the topic \"a/#\" of the URL: the Topic Name contains a wildcard",
            ),
            ("pub -t a", "error: no message\n hint: give one with -m, -f, -s or -n (see --help)"),
            (
                "pub -t a -m x -n",
                "error: more than one message\n hint: only one of -m, -f, -l, -s and -n can be given, once",
            ),
            (
                "pub -t a -m x -m y",
                "error: more than one message\n hint: only one of -m, -f, -l, -s and -n can be given, once",
            ),
            (
                "pub -t a -l -s",
                "error: more than one message\n hint: only one of -m, -f, -l, -s and -n can be given, once",
            ),
        ];
        for (words, expected) in wrong {
            assert_eq!(resolve(words).unwrap_err(), expected, "{words}");
        }
    }
}
