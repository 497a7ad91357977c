//! Owns `mqttctl rr`: one request, and the response to it.

use crate::{
    cli::{
        arguments::{PayloadArguments, PayloadSource, PrintArguments},
        connection::{Connection, ConnectionArguments},
        values,
    },
    error::Error,
    print::Printer,
};
use clap::Args;
use mqtt_codec::{ProtocolVersion, QoS, TopicName};
use std::time::Duration;

/// The arguments of `rr`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RequestArguments {
    /// Publish the request to this topic
    #[arg(short = 't', long, value_name = "TOPIC", allow_hyphen_values = true, value_parser = values::topic_name, help_heading = "Message")]
    topic: Option<TopicName>,
    /// Expect the response on this topic
    #[arg(short = 'e', long, value_name = "TOPIC", allow_hyphen_values = true, value_parser = values::topic_name, help_heading = "Message")]
    response_topic: TopicName,
    #[command(flatten)]
    payload: PayloadArguments,
    /// The quality of service of request and response
    #[arg(short = 'q', long, value_name = "QOS", value_parser = values::qos, default_value = "0", help_heading = "Message")]
    qos: QoS,
    #[command(flatten)]
    print: PrintArguments,
    /// Wait this many seconds at most, then end with exit code 27
    #[arg(short = 'W', long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..), help_heading = "End")]
    timeout: Option<u32>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// What `rr` will do.
#[derive(Debug)]
struct Request {
    connection: Connection,
    topic: TopicName,
    response_topic: TopicName,
    source: PayloadSource,
    qos: QoS,
    /// `-R`: a retained message on the response topic is no response.
    skip_retained: bool,
    printer: Printer,
    timeout: Option<Duration>,
}

impl RequestArguments {
    fn resolve(self) -> Result<Request, Error> {
        let connection = self.connection.resolve(ProtocolVersion::V5)?;
        let topic = connection.topic_name(self.topic)?;
        Ok(Request {
            topic,
            response_topic: self.response_topic,
            source: self.payload.resolve([])?,
            qos: self.qos,
            skip_retained: self.print.no_retained,
            printer: self.print.resolve()?,
            timeout: self.timeout.map(|seconds| Duration::from_secs(seconds.into())),
            connection,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{PayloadSource, Request};
    use crate::cli::{Command, tests::parse_words};
    use mqtt_codec::{ProtocolVersion, QoS};
    use std::time::Duration;

    fn resolve(words: &str) -> Result<Request, String> {
        match parse_words(words).unwrap_or_else(|error| panic!("{words}: {error}")) {
            Command::Request(arguments) => arguments.resolve().map_err(|error| error.to_string()),
            other => panic!("{words}: {other:?}"),
        }
    }

    #[test]
    fn a_command_line_of_mosquitto_rr_means_the_same() {
        let plain = resolve("rr -t a -e b -m x").unwrap();
        assert_eq!(plain.connection.version, ProtocolVersion::V5);
        assert_eq!((plain.topic.as_str(), plain.response_topic.as_str()), ("a", "b"));
        assert_eq!(plain.source, PayloadSource::Given(b"x".to_vec()));
        assert_eq!((plain.qos, plain.timeout, plain.skip_retained), (QoS::AtMostOnce, None, false));

        let full = resolve("rr mqtt://h/a -e b -s -q 1 -W 2 -R -V 311").unwrap();
        assert_eq!(full.connection.version, ProtocolVersion::V311);
        assert_eq!(full.source, PayloadSource::StandardInput);
        assert_eq!(
            (full.qos, full.timeout, full.skip_retained),
            (QoS::AtLeastOnce, Some(Duration::from_secs(2)), true)
        );
    }

    #[test]
    fn topic_response_topic_and_message_are_all_needed() {
        assert!(resolve("rr -e b -m x").unwrap_err().starts_with("error: no topic"));
        assert!(resolve("rr -t a -e b").unwrap_err().starts_with("error: no message"));
        assert!(parse_words("rr -t a -m x").unwrap_err().to_string().contains("--response-topic <TOPIC>"));
        assert!(parse_words("rr -t a -e b/# -m x").unwrap_err().to_string().contains("contains a wildcard"));
    }
}
