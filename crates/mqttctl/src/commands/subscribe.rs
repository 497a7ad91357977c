//! Owns `mqttctl sub`: what is subscribed to, what of it is printed, and when to stop.

mod inbox;
mod reception;
mod remover;
mod selection;

use crate::{
    cli::{
        arguments::PrintArguments,
        connection::{Connection, ConnectionArguments},
        values,
    },
    error::Error,
    exit::ExitCode,
    output::Output,
    print::Printer,
    report::Report,
    session::{Earlier, Outcome, Plan, Session},
};
use clap::Args;
use dunlin_client::{
    Acknowledging, Backoff, Identifying, Options, Overflow, Reconnect, RetainHandling, Subscribe,
    SubscriptionOptions, Unsubscribe, UnsubscribeError,
};
use inbox::Inbox;
use mqtt_codec::{ProtocolVersion, QoS, TopicFilter};
use reception::{Finish, Reception};
use remover::Remover;
use selection::{Random, RetainedSelection, Selection};
use std::{io::Stdout, num::NonZeroU64, time::Duration};

/// The arguments of `sub`.
#[derive(Clone, Debug, Args)]
pub(crate) struct SubscribeArguments {
    /// Subscribe to this topic filter; may be given several times
    #[arg(short = 't', long = "topic", value_name = "FILTER", allow_hyphen_values = true, value_parser = values::topic_filter, help_heading = "Subscription")]
    topics: Vec<TopicFilter>,
    /// Unsubscribe from this topic filter first; may be given several times
    #[arg(short = 'U', long = "unsubscribe", value_name = "FILTER", allow_hyphen_values = true, value_parser = values::topic_filter, help_heading = "Subscription")]
    unsubscribe: Vec<TopicFilter>,
    /// The highest quality of service to deliver with
    #[arg(short = 'q', long, value_name = "QOS", value_parser = values::qos, default_value = "0", help_heading = "Subscription")]
    qos: QoS,
    /// Keep the retain flag as it was published; MQTT 5 only
    #[arg(long, help_heading = "Subscription")]
    retain_as_published: bool,
    /// Do not print what these topic filters match; may be given several times
    #[arg(short = 'T', long = "filter-out", value_name = "FILTER", allow_hyphen_values = true, value_parser = values::topic_filter, help_heading = "Output")]
    filter_out: Vec<TopicFilter>,
    /// Handle retained messages only, and end when the first other one comes
    #[arg(long, conflicts_with = "no_retained", help_heading = "Output")]
    retained_only: bool,
    /// Clear the retained messages that are printed
    #[arg(long, help_heading = "Output")]
    remove_retained: bool,
    /// Print this share of the messages, chosen at random
    #[arg(long, value_name = "PERCENT", value_parser = values::per_mille, default_value = "100", help_heading = "Output")]
    random_filter: u16,
    #[command(flatten)]
    print: PrintArguments,
    /// End after this many messages
    #[arg(short = 'C', long, value_name = "COUNT", help_heading = "End")]
    count: Option<NonZeroU64>,
    /// End when all subscriptions have been acknowledged
    #[arg(short = 'E', long, help_heading = "End")]
    exit_after_subscribe: bool,
    /// End after this many seconds, with exit code 27
    #[arg(short = 'W', long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..), help_heading = "End")]
    timeout: Option<u32>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// What `sub` will do.
#[derive(Debug)]
struct Subscription {
    connection: Connection,
    topics: Vec<TopicFilter>,
    unsubscribe: Vec<TopicFilter>,
    qos: QoS,
    retain_as_published: bool,
    selection: Selection,
    remove_retained: bool,
    printer: Printer,
    end: End,
}

/// When to stop without being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    count: Option<NonZeroU64>,
    after_subscribe: bool,
    timeout: Option<Duration>,
}

impl SubscribeArguments {
    /// Subscribes, and prints what is delivered.
    ///
    /// # Errors
    /// The options contradict each other, the connection was lost for good, or the time was up.
    pub(crate) fn run(self) -> Result<ExitCode, Error> {
        let report = self.connection.report();
        let subscription = self.resolve()?;
        subscription.run(&report).map_err(|error| error.unless_quiet(&report))
    }

    fn resolve(self) -> Result<Subscription, Error> {
        let connection = self.connection.resolve(ProtocolVersion::V311)?;
        let mut topics = self.topics;
        topics.extend(connection.topic_filter()?);
        if topics.is_empty() && self.unsubscribe.is_empty() {
            return Err(Error::usage("no topic filter")
                .with_hint("name one with -t FILTER, or at the end of the URL"));
        }
        let retained = match (self.print.no_retained, self.retained_only) {
            (true, _) => RetainedSelection::LiveOnly,
            (false, true) => RetainedSelection::RetainedOnly,
            (false, false) => RetainedSelection::All,
        };
        Ok(Subscription {
            topics,
            unsubscribe: self.unsubscribe,
            qos: self.qos,
            retain_as_published: self.retain_as_published,
            selection: Selection {
                filter_out: self.filter_out,
                retained,
                random_per_mille: self.random_filter,
            },
            remove_retained: self.remove_retained,
            printer: self.print.resolve()?,
            end: End {
                count: self.count,
                after_subscribe: self.exit_after_subscribe,
                timeout: self.timeout.map(|seconds| Duration::from_secs(seconds.into())),
            },
            connection,
        })
    }
}

impl Subscription {
    fn run(&self, report: &Report) -> Result<ExitCode, Error> {
        let mut output = Output::stdout();
        // Outlives the connection: what is left in it unacknowledged stays in the session.
        let mut inbox = Inbox::default();
        let plan = Plan {
            options: Options {
                reconnect: Reconnect::Backoff(Backoff::default()),
                ..self.connection.options()
            },
            disconnect_properties: self.connection.properties.disconnect.clone(),
            earlier: Earlier::Received,
            timeout: self.end.timeout,
            report: report.clone(),
        };
        let outcome = plan.run(async |session| self.receive(session, &mut inbox, &mut output).await)?;
        match outcome {
            // A subscriber is ended by Ctrl-C as a matter of course.
            Outcome::Done | Outcome::Interrupted(_) => Ok(ExitCode::Success),
        }
    }

    /// Subscribes, and prints until it is time to end.
    async fn receive(
        &self,
        session: &mut Session,
        inbox: &mut Inbox,
        output: &mut Output<Stdout>,
    ) -> Result<(), Error> {
        inbox.earlier = session.take_earlier();
        if !self.unsubscribe.is_empty() {
            self.unsubscribe(session).await?;
        }
        if !self.topics.is_empty() {
            inbox.subscription = Some(session.subscribe(self.request()).await?);
        }
        if self.end.after_subscribe {
            return Ok(());
        }
        let mut reception = Reception {
            selection: &self.selection,
            printer: &self.printer,
            report: session.report.clone(),
            output,
            remover: self
                .remove_retained
                .then(|| Remover::start(session.client.clone(), session.report.clone())),
            remaining: self.end.count.map(NonZeroU64::get),
            random: Random::new(),
            printed: Vec::new(),
        };
        let finish = reception.run(inbox).await?;
        if let Some(remover) = reception.remover.take() {
            remover.finish().await;
        }
        match finish {
            Finish::Complete => Ok(()),
            Finish::StreamEnded => Err(session.stream_ended().await),
        }
    }

    async fn unsubscribe(&self, session: &Session) -> Result<(), Error> {
        for filter in &self.unsubscribe {
            session.report.step(format_args!("sending UNSUBSCRIBE (Topic: {filter})"));
        }
        let properties = self.connection.properties.unsubscribe.clone();
        let unsubscribe =
            Unsubscribe { properties, ..Unsubscribe::filters(self.unsubscribe.iter().cloned()) };
        match session.client.unsubscribe(unsubscribe).await {
            Ok(_) => session.report.step(format_args!("received UNSUBACK")),
            Err(UnsubscribeError::Closed) => return Err(session.ended().await),
            Err(error) => session.report.warn(format_args!("{error}")),
        }
        Ok(())
    }

    fn request(&self) -> Subscribe {
        let options = SubscriptionOptions {
            maximum_qos: self.qos,
            no_local: false,
            retain_as_published: self.retain_as_published,
            // What would not be printed need not be sent.
            retain_handling: match self.selection.retained {
                RetainedSelection::LiveOnly => RetainHandling::DoNotSend,
                RetainedSelection::All | RetainedSelection::RetainedOnly => RetainHandling::Send,
            },
        };
        Subscribe {
            properties: self.connection.properties.subscribe.clone(),
            // Only what was asked for is to be seen in what is printed.
            identifying: Identifying::Manual,
            acknowledging: Acknowledging::Manual,
            overflow: Overflow::PauseReading,
            ..Subscribe::filters(self.topics.iter().map(|filter| (filter.clone(), options)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{End, RetainedSelection, Subscription};
    use crate::cli::{Command, tests::parse_words};
    use mqtt_codec::QoS;
    use std::{num::NonZeroU64, time::Duration};

    fn resolve(words: &str) -> Subscription {
        match parse_words(words).unwrap_or_else(|error| panic!("{words}: {error}")) {
            Command::Subscribe(arguments) => {
                arguments.resolve().unwrap_or_else(|error| panic!("{words}: {error}"))
            }
            other => panic!("{words}: {other:?}"),
        }
    }

    fn filters(words: &str) -> Vec<String> {
        resolve(words).topics.iter().map(|filter| filter.as_str().to_owned()).collect()
    }

    #[test]
    fn topic_filters_come_from_options_and_the_url() {
        assert_eq!(filters("sub -t a/# -t +/b"), ["a/#", "+/b"]);
        assert_eq!(filters("sub mqtt://h/a/#"), ["a/#"]);
        assert_eq!(filters("sub -L mqtt://h/a -t $share/g/b"), ["$share/g/b", "a"]);
        assert_eq!(filters("sub -U a").len(), 0);
    }

    #[test]
    fn a_command_line_of_mosquitto_sub_means_the_same() {
        let plain = resolve("sub -t a");
        assert_eq!(plain.qos, QoS::AtMostOnce);
        assert_eq!(plain.end, End { count: None, after_subscribe: false, timeout: None });
        assert_eq!(plain.selection.retained, RetainedSelection::All);
        assert_eq!(plain.selection.random_per_mille, 1000);
        assert!(!plain.remove_retained && !plain.retain_as_published);

        let full = resolve(
            "sub -t a -q 1 -C 3 -E -W 5 -R -T b -T c/+ -U d --random-filter 12.5 --remove-retained --retain-as-published",
        );
        assert_eq!(full.qos, QoS::AtLeastOnce);
        let end =
            End { count: NonZeroU64::new(3), after_subscribe: true, timeout: Some(Duration::from_secs(5)) };
        assert_eq!(full.end, end);
        assert_eq!(full.selection.retained, RetainedSelection::LiveOnly);
        assert_eq!(full.selection.random_per_mille, 125);
        assert_eq!((full.selection.filter_out.len(), full.unsubscribe.len()), (2, 1));
        assert!(full.remove_retained && full.retain_as_published);
        assert_eq!(resolve("sub -t a --retained-only").selection.retained, RetainedSelection::RetainedOnly);
    }

    #[test]
    fn without_a_topic_filter_there_is_nothing_to_do() {
        let Ok(Command::Subscribe(arguments)) = parse_words("sub -v") else { panic!("it should parse") };
        let error = arguments.resolve().unwrap_err();
        assert_eq!(
            error.to_string(),
            "error: no topic filter\n hint: name one with -t FILTER, or at the end of the URL"
        );
    }
}
