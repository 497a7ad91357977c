//! Owns `mqttctl bench`: which load is asked for, and what its outcome means to a script. The load itself is
//! dunlin-load's business.

mod failure;
mod figures;
mod latency;
mod measurement;
mod place;
mod progress;
mod report;

use crate::{
    cli::{url::MqttUrl, values},
    error::Error,
    exit::ExitCode,
    interrupt::InterruptFlag,
    output::Output,
};
use clap::Args;
use dunlin_load::{Lifetime, MARK_BYTES, Target, Topology, Traffic};
use figures::Figures;
use measurement::Measurement;
use mqtt_codec::{ProtocolVersion, QoS, TopicName};
use std::{ffi::OsString, io::Write, net::IpAddr, process, time::Duration};

/// The arguments of `bench`.
#[derive(Clone, Debug, Args)]
pub(crate) struct BenchArguments {
    /// Connect so many publishers, each with a topic and a subscriber of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Clients",
        conflicts_with_all = ["publishers", "subscribers", "topics", "fan_out", "shared"])]
    pairs: Option<u32>,
    /// Connect so many publishers [default: 1 if there are subscribers]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Clients")]
    publishers: Option<u32>,
    /// Connect so many subscribers [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Clients")]
    subscribers: Option<u32>,
    /// Spread publishers and subscribers evenly over so many topics
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Clients",
        conflicts_with_all = ["fan_out", "shared"])]
    topics: Option<u32>,
    /// Have every subscriber take what every publisher sends, which is the default
    #[arg(long, help_heading = "Clients", conflicts_with = "shared")]
    fan_out: bool,
    /// Have the subscribers share what the publishers send, as a Shared Subscription of this name
    #[arg(long, value_name = "NAME", help_heading = "Clients")]
    shared: Option<String>,
    /// Connect so many clients that do nothing
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Clients")]
    idle: Option<u32>,

    /// The quality of service of messages and subscriptions
    #[arg(short = 'q', long, value_name = "QOS", value_parser = values::qos, default_value = "0", help_heading = "Messages")]
    qos: QoS,
    /// Bytes of each payload, at least 16
    #[arg(short = 's', long, value_name = "BYTES", default_value_t = 64, help_heading = "Messages")]
    size: usize,
    /// Publish below this topic [default: mqttctl-bench and the process id]
    #[arg(short = 't', long, value_name = "TOPIC", value_parser = values::topic_name, help_heading = "Messages")]
    topic: Option<TopicName>,
    /// Have the server retain the messages
    #[arg(short = 'r', long, help_heading = "Messages")]
    retain: bool,

    /// Messages of one publisher that may be under way
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=65_535), help_heading = "Pace")]
    window: u32,
    /// Publish so many messages per second in all; latency counts from when each is due [default: as many as the
    /// windows allow]
    #[arg(long, value_name = "RATE", value_parser = rate, help_heading = "Pace")]
    rate: Option<f64>,
    /// Measure for so long [default: 10, with --messages until all are published]
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds, help_heading = "Pace")]
    duration: Option<Duration>,
    /// Publish for so long before anything is measured [default: 1, with --messages 0]
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds, help_heading = "Pace")]
    warm_up: Option<Duration>,
    /// Publish so many messages with each publisher, then end
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Pace")]
    messages: Option<u64>,

    // Its help is no doc comment: the brackets would be taken for links.
    #[arg(
        value_name = "URL",
        help_heading = "Arguments",
        help = "Server and credentials in one: mqtt://[user[:password]@]host[:port]"
    )]
    url: Option<MqttUrl>,
    /// Connect to this host [default: localhost]
    #[arg(short = 'h', long, value_name = "HOST", help_heading = "Connection")]
    host: Option<String>,
    /// Connect to this port [default: 1883]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Connection")]
    port: Option<u16>,
    /// Connect from these local addresses in turn: one has ports for some 28,000 connections
    #[arg(short = 'A', long, value_name = "ADDRESS", value_delimiter = ',', help_heading = "Connection")]
    bind_address: Vec<IpAddr>,
    /// Speak MQTT 5, 3.1.1 (311) or 3.1 (31)
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::protocol_version, default_value = "311", help_heading = "Connection")]
    protocol_version: ProtocolVersion,
    /// Begin each client identifier with this [default: mqttctl-bench and the process id]
    #[arg(short = 'I', long, value_name = "PREFIX", allow_hyphen_values = true, help_heading = "Connection")]
    id_prefix: Option<String>,
    /// Ping twice in this time; 0 turns that off, which some servers refuse
    #[arg(
        short = 'k',
        long = "keepalive",
        value_name = "SECONDS",
        default_value_t = 0,
        help_heading = "Connection"
    )]
    keep_alive: u16,
    /// The user name
    #[arg(short = 'u', long, value_name = "NAME", allow_hyphen_values = true, help_heading = "Connection")]
    username: Option<String>,
    /// The password
    #[arg(
        short = 'P',
        long = "pw",
        value_name = "PASSWORD",
        allow_hyphen_values = true,
        help_heading = "Connection"
    )]
    password: Option<OsString>,

    /// Print the report as JSON
    #[arg(long, help_heading = "Other")]
    json: bool,
    /// Print no progress, which is otherwise shown on a terminal
    #[arg(long, help_heading = "Other")]
    quiet: bool,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help, help_heading = "Other")]
    help: Option<bool>,
}

/// What `bench` will do.
#[derive(Debug)]
struct Bench {
    server: MqttUrl,
    target: Target,
    traffic: Option<Traffic>,
    idle: u32,
    warm_up: Duration,
    /// None: until every message is published.
    duration: Option<Duration>,
}

const DURATION_DEFAULT: Duration = Duration::from_secs(10);
const WARM_UP_DEFAULT: Duration = Duration::from_secs(1);

/// More than none, and not so many that they are never due.
fn rate(text: &str) -> Result<f64, &'static str> {
    let rate: Option<f64> = text.parse().ok();
    rate.filter(|rate| *rate > 0.0 && rate.is_finite()).ok_or("it is a number above 0")
}

impl BenchArguments {
    /// Measures, and prints what came of it.
    ///
    /// # Errors
    /// The options contradict each other, the server refused something or was lost.
    pub(crate) fn run<W: Write>(self, output: &mut Output<W>) -> Result<ExitCode, Error> {
        let (json, quiet) = (self.json, self.quiet);
        let bench = self.resolve()?;
        let interrupt = InterruptFlag::listen();
        let interrupt =
            interrupt.map_err(|error| Error::local(format!("cannot listen to signals: {error}")))?;
        let mut measurement = Measurement::new(&interrupt, progress::Progress::new(quiet));
        let figures = measurement.take(&bench)?;
        if json {
            report::print_json(&bench, &figures, output.buffer());
        } else {
            report::print_text(&bench, &figures, output.buffer());
        }
        output.end_record()?;
        output.flush()?;
        Ok(exit_code(&figures, &interrupt))
    }

    fn resolve(self) -> Result<Bench, Error> {
        let traffic = self.traffic()?;
        if traffic.is_none() && self.idle.is_none() {
            return Err(Error::usage("no clients")
                .with_hint("say how many with --pairs, --publishers and --subscribers, or --idle"));
        }
        let mut server = match self.url {
            Some(url) => url,
            None => "mqtt://localhost".parse().map_err(|error| Error::usage(format!("{error}")))?,
        };
        if let Some(host) = self.host {
            server.server.host = host;
        }
        server.server.port = self.port.unwrap_or(server.server.port);
        let password = self.password.map(OsString::into_encoded_bytes);
        let target = Target {
            sources: self.bind_address,
            version: self.protocol_version,
            user_name: self.username.or_else(|| server.server.user_name.clone()),
            password: password.or_else(|| server.server.password.clone().map(String::into_bytes)),
            keep_alive_seconds: self.keep_alive,
            client_id_prefix: self.id_prefix.unwrap_or_else(|| format!("{}-", unique())),
            // Looked up when it is connected to.
            ..Target::new(([0, 0, 0, 0], 0).into())
        };
        // [MQTT311-3.1.2-22]
        if target.version < ProtocolVersion::V5 && target.password.is_some() && target.user_name.is_none() {
            return Err(Error::usage("before MQTT 5 a password (-P) needs a user name")
                .with_hint("add -u NAME, or speak MQTT 5 with -V 5"));
        }
        Ok(Bench {
            server,
            target,
            traffic,
            idle: self.idle.unwrap_or(0),
            warm_up: self.warm_up.unwrap_or(if self.messages.is_some() {
                Duration::ZERO
            } else {
                WARM_UP_DEFAULT
            }),
            duration: self.duration.or(if self.messages.is_some() { None } else { Some(DURATION_DEFAULT) }),
        })
    }

    fn traffic(&self) -> Result<Option<Traffic>, Error> {
        let Some(topology) = self.topology()? else { return Ok(None) };
        if self.size < MARK_BYTES {
            return Err(Error::usage(format!(
                "--size {}: a payload has at least {MARK_BYTES} bytes",
                self.size
            )));
        }
        Ok(Some(Traffic {
            topology,
            topic_prefix: self.topic.as_ref().map_or_else(unique, ToString::to_string),
            qos: self.qos,
            payload_bytes: self.size,
            window: self.window,
            rate: self.rate,
            messages: self.messages,
            retain: self.retain,
            lifetime: Lifetime::Connection,
        }))
    }

    fn topology(&self) -> Result<Option<Topology>, Error> {
        let (publishers, subscribers) = (self.publishers.unwrap_or(1), self.subscribers.unwrap_or(0));
        Ok(match (self.pairs, &self.shared, self.topics) {
            (Some(pairs), ..) => Some(Topology::Pairs(pairs)),
            (None, shared, topics) if self.publishers.is_none() && self.subscribers.is_none() => {
                if shared.is_some() || topics.is_some() || self.fan_out {
                    return Err(Error::usage(
                        "--topics, --fan-out and --shared need publishers and subscribers",
                    )
                    .with_hint("say how many with --publishers and --subscribers"));
                }
                None
            }
            (None, Some(name), _) => Some(Topology::Shared { publishers, subscribers, name: name.clone() }),
            (None, None, Some(topics)) => Some(Topology::Topics { publishers, subscribers, topics }),
            (None, None, None) => Some(Topology::FanOut { publishers, subscribers }),
        })
    }
}

/// So that what two of them do at once is not mixed up.
fn unique() -> String {
    format!("mqttctl-bench-{}", process::id())
}

fn exit_code(figures: &Figures, interrupt: &InterruptFlag) -> ExitCode {
    match interrupt.signal() {
        Some(signal) => ExitCode::Interrupted(signal),
        None if figures.is_complete() => ExitCode::Success,
        None => ExitCode::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::Bench;
    use crate::cli::{Command, tests::parse_words};
    use dunlin_load::Topology;
    use mqtt_codec::{ProtocolVersion, QoS};
    use std::time::Duration;

    fn resolve(words: &str) -> Result<Bench, String> {
        match parse_words(words).unwrap_or_else(|error| panic!("{words}: {error}")) {
            Command::Bench(arguments) => arguments.resolve().map_err(|error| error.to_string()),
            other => panic!("{words}: {other:?}"),
        }
    }

    #[test]
    fn who_publishes_to_whom_follows_from_the_options() {
        let check = |words: &str, expected: Option<Topology>| {
            let traffic = resolve(&format!("bench {words}")).unwrap().traffic;
            assert_eq!(traffic.map(|traffic| traffic.topology), expected, "{words}");
        };
        check("--pairs 5", Some(Topology::Pairs(5)));
        check("--publishers 2 --subscribers 3", Some(Topology::FanOut { publishers: 2, subscribers: 3 }));
        check("--subscribers 3 --fan-out", Some(Topology::FanOut { publishers: 1, subscribers: 3 }));
        check("--publishers 2", Some(Topology::FanOut { publishers: 2, subscribers: 0 }));
        let topics = Topology::Topics { publishers: 100, subscribers: 1, topics: 1 };
        check("--publishers 100 --subscribers 1 --topics 1", Some(topics));
        let shared = Topology::Shared { publishers: 1, subscribers: 4, name: "g".to_owned() };
        check("--subscribers 4 --shared g", Some(shared));
        check("--idle 10", None);
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let plain = resolve("bench --pairs 1").unwrap();
        assert_eq!((plain.server.server.host.as_str(), plain.server.server.port), ("localhost", 1883));
        assert_eq!(plain.target.version, ProtocolVersion::V311);
        assert_eq!((plain.warm_up, plain.duration), (Duration::from_secs(1), Some(Duration::from_secs(10))));
        let traffic = plain.traffic.unwrap();
        assert_eq!((traffic.qos, traffic.payload_bytes, traffic.window), (QoS::AtMostOnce, 64, 100));

        let full = resolve(
            "bench mqtt://ann:secret@h:1 -p 2 -V 5 -A 127.0.0.1,127.0.0.2 -q 1 -s 16 --messages 9 --pairs 1",
        );
        let full = full.unwrap();
        assert_eq!((full.server.server.host.as_str(), full.server.server.port), ("h", 2));
        assert_eq!(full.target.user_name.as_deref(), Some("ann"));
        assert_eq!(full.target.password.as_deref(), Some(b"secret".as_slice()));
        assert_eq!(full.target.sources.len(), 2);
        assert_eq!((full.warm_up, full.duration), (Duration::ZERO, None));
    }

    #[test]
    fn what_makes_no_load_is_refused() {
        let check = |words: &str, expected: &str| {
            let error = match parse_words(words) {
                Err(error) => error.to_string(),
                Ok(_) => resolve(words).unwrap_err(),
            };
            assert!(error.starts_with(&format!("error: {expected}")), "{words}: {error}");
        };
        check("bench", "no clients\n hint: say how many with --pairs");
        check("bench --shared g --idle 1", "--topics, --fan-out and --shared need publishers");
        check("bench --pairs 1 -s 15", "--size 15: a payload has at least 16 bytes");
        check("bench --pairs 1 --rate 0", "invalid value '0' for '--rate <RATE>': it is a number above 0");
        check("bench --pairs 1 --topics 2", "the argument '--pairs <N>' cannot be used with '--topics <N>'");
        check("bench --pairs 0", "invalid value '0' for '--pairs <N>'");
        check("bench --pairs 1 -P x", "before MQTT 5 a password (-P) needs a user name");
    }
}
