//! Owns `mqttctl rr`: one request, and the response to it.

mod correlation;

use super::publish::payloads;
use crate::{
    cli::{
        arguments::{PayloadArguments, PayloadSource, PrintArguments},
        connection::{Connection, ConnectionArguments},
        values,
    },
    error::{Error, ErrorKind},
    exit::ExitCode,
    output::Output,
    print::Printer,
    report::Report,
    session::{Earlier, Outcome, Plan, Session},
};
use bytes::Bytes;
use clap::Args;
use correlation::Correlation;
use dunlin_client::{
    Delivery, Identifying, Message, PublishError, ReasonCode, RetainHandling, Subscribe, SubscriptionOptions,
};
use mqtt_codec::{ProtocolVersion, QoS, TopicFilter, TopicName};
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
    /// Matches the response topic alone.
    response_filter: TopicFilter,
    source: PayloadSource,
    qos: QoS,
    /// `-R`: a retained message on the response topic is no response.
    skip_retained: bool,
    printer: Printer,
    timeout: Option<Duration>,
}

impl RequestArguments {
    /// Asks, and prints the response.
    ///
    /// # Errors
    /// The options contradict each other, the connection was lost, the server refused, or the time was up.
    pub(crate) fn run(self) -> Result<ExitCode, Error> {
        let report = self.connection.report();
        let request = self.resolve()?;
        request.run(&report).map_err(|error| error.unless_quiet(&report))
    }

    fn resolve(self) -> Result<Request, Error> {
        let connection = self.connection.resolve(ProtocolVersion::V5)?;
        let topic = connection.topic_name(self.topic)?;
        let response_filter = TopicFilter::owned(self.response_topic.as_str())
            .map_err(|violation| Error::usage(format!("-e {}: {}", self.response_topic, violation.text())))?;
        Ok(Request {
            topic,
            response_filter,
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

impl Request {
    fn run(&self, report: &Report) -> Result<ExitCode, Error> {
        // The other sources of payloads are not offered here.
        let payload = payloads::whole(&self.source)?.unwrap_or_default();
        let plan = Plan {
            options: self.connection.options(),
            disconnect_properties: self.connection.properties.disconnect.clone(),
            earlier: Earlier::Dropped,
            timeout: self.timeout,
            report: report.clone(),
        };
        let outcome = plan.run(async |session| {
            let response = self.ask(session, payload).await?;
            let mut output = Output::stdout();
            self.printer.print_delivery(&response, &mut output, report)?;
            Ok(output.flush()?)
        })?;
        Ok(match outcome {
            Outcome::Done => ExitCode::Success,
            Outcome::Interrupted(signal) => ExitCode::Interrupted(signal),
        })
    }

    /// Publishes the request once the response can be received, and waits for it.
    async fn ask(&self, session: &Session, payload: Bytes) -> Result<Delivery, Error> {
        let correlation = Correlation::new(&self.connection.properties.publish, self.connection.version);
        let message = Message {
            qos: self.qos,
            properties: correlation
                .address(&self.response_topic)
                .map_err(|error| Error::usage(format!("-D publish: {error}")))?,
            ..Message::to(self.topic.clone(), payload)
        };
        let mut responses = session.subscribe(self.subscribe()).await?;
        self.publish(session, message).await?;
        while let Some(response) = responses.next().await {
            let is_old = self.skip_retained && response.message.retain;
            if !is_old && correlation.accepts(&response.message) {
                return Ok(response);
            }
        }
        Err(session.stream_ended().await)
    }

    fn subscribe(&self) -> Subscribe {
        let options = SubscriptionOptions {
            retain_handling: if self.skip_retained {
                RetainHandling::DoNotSend
            } else {
                RetainHandling::Send
            },
            ..SubscriptionOptions::qos(self.qos)
        };
        Subscribe {
            properties: self.connection.properties.subscribe.clone(),
            identifying: Identifying::Manual,
            ..Subscribe::filters([(self.response_filter.clone(), options)])
        }
    }

    async fn publish(&self, session: &Session, message: Message) -> Result<(), Error> {
        session.report.step(format_args!(
            "sending PUBLISH (q{}, r0, '{}', ... ({} bytes))",
            message.qos.bits(),
            message.topic,
            message.payload.len()
        ));
        match session.client.publish(message).await {
            Ok(published) => {
                if published.reason == ReasonCode::NoMatchingSubscribers {
                    session.report.warn(format_args!("nobody has subscribed to {}", self.topic));
                }
                Ok(())
            }
            Err(PublishError::Closed | PublishError::ConnectionLost) => Err(session.ended().await),
            Err(error) => {
                Err(Error::remote(ErrorKind::Denied, format!("the request was not published: {error}")))
            }
        }
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
