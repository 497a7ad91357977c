//! Owns the outermost command line: which commands there are, and turning arguments into one of them.
//! What a command's own arguments mean is said in its file under `commands`.

pub(crate) mod arguments;
pub(crate) mod connection;
mod fold;
pub(crate) mod property;
pub(crate) mod url;
pub(crate) mod values;
pub(crate) mod will;

use crate::commands::{
    bench::BenchArguments, decode::DecodeArguments, publish::PublishArguments, request::RequestArguments,
    subscribe::SubscribeArguments,
};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

/// The command line for MQTT: publish, subscribe, request, measure, decode.
#[derive(Debug, Parser)]
#[command(
    name = "mqttctl",
    version,
    disable_help_flag = true,
    disable_help_subcommand = true,
    disable_version_flag = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// Print the version
    #[arg(long, action = clap::ArgAction::Version)]
    version: Option<bool>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Publish messages: an argument, a file, standard input or its lines
    #[command(name = "pub", disable_help_flag = true, args_override_self = true)]
    Publish(PublishArguments),
    /// Subscribe and print what is delivered
    #[command(name = "sub", disable_help_flag = true, args_override_self = true)]
    Subscribe(SubscribeArguments),
    /// Publish a request and print its response
    #[command(name = "rr", disable_help_flag = true, args_override_self = true)]
    Request(RequestArguments),
    /// Measure what a server delivers, how soon and whether all of it
    #[command(name = "bench", disable_help_flag = true, args_override_self = true)]
    Bench(BenchArguments),
    /// Print packets given as hexadecimal text
    #[command(name = "decode", disable_help_flag = true, args_override_self = true)]
    Decode(DecodeArguments),
}

/// Parses a whole command line, the program's name included.
///
/// # Errors
/// What the reader should see: usage errors, and also help and version, which end the program too.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let mut definition = Cli::command();
    definition.build();
    let arguments = fold::fold_properties(&definition, arguments);
    let matches = definition.try_get_matches_from_mut(arguments)?;
    Ok(Cli::from_arg_matches(&matches)?.command)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Cli, Command, parse};
    use clap::CommandFactory;

    /// Parses a command line written as in a shell, without quoting, and without the program's name.
    pub(crate) fn parse_words(words: &str) -> Result<Command, clap::Error> {
        parse(std::iter::once("mqttctl").chain(words.split(' ')).map(Into::into))
    }

    fn help(path: &[&str]) -> String {
        let mut command = Cli::command().term_width(100);
        command.build();
        let mut command = &mut command;
        for name in path {
            command = command.find_subcommand_mut(name).unwrap();
        }
        command.clone().term_width(100).render_help().to_string()
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_each_command_is_what_a_reader_needs() {
        insta::assert_snapshot!("help", help(&[]));
        for name in ["pub", "sub", "rr", "bench", "decode"] {
            insta::assert_snapshot!(format!("help_{name}"), help(&[name]));
        }
    }

    #[test]
    fn the_last_of_a_repeated_option_counts() {
        let Ok(Command::Publish(arguments)) = parse_words("pub -q 1 -t a -q 2 -t b -n") else {
            panic!("it should parse");
        };
        assert_eq!(arguments.topic.unwrap().as_str(), "b");
        assert_eq!(arguments.qos.bits(), 2);
    }

    #[test]
    fn usage_errors_name_the_option() {
        let wrong = [
            ("pub -t a -m x -q 3", "invalid value '3' for '--qos <QOS>': it is 0, 1 or 2"),
            ("sub -t a -V 4", "invalid value '4' for '--protocol-version <VERSION>': it is 5, 311 or 31"),
            (
                "sub -t a -i b -I c",
                "the argument '--id <CLIENT ID>' cannot be used with '--id-prefix <PREFIX>'",
            ),
            (
                "sub -t a -x x",
                "invalid value 'x' for '--session-expiry-interval <SECONDS>': it is a number of seconds up to 4294967295, or -1 for never",
            ),
            ("sub -t a -p 65536", "invalid value '65536' for '--port <PORT>': 65536 is not in 1..=65535"),
            ("sub -t a -C 0", "invalid value '0' for '--count <COUNT>'"),
            ("sub -t a -W 0", "invalid value '0' for '--timeout <SECONDS>'"),
            (
                "sub -t a --random-filter 0",
                "invalid value '0' for '--random-filter <PERCENT>': it is a percentage from 0.1 to 100",
            ),
            (
                "sub -t a -F %k",
                "invalid value '%k' for '--format <FORMAT>': character 1: unknown parameter %k",
            ),
            (
                "sub -t a -R --retained-only",
                "the argument '--no-retained' cannot be used with '--retained-only'",
            ),
            ("sub -t a -m x", "unexpected argument '-m' found"),
            ("sub world", "invalid value 'world' for '[URL]': a server's URL begins with mqtt://"),
            (
                "sub -L mqtts://h/a",
                "invalid value 'mqtts://h/a' for '--url <URL>': unknown scheme \"mqtts\"; only mqtt:// is supported",
            ),
            (
                "pub -t a -m x --repeat-delay -1",
                "invalid value '-1' for '--repeat-delay <SECONDS>': it is a number of seconds",
            ),
            (
                "pub -t a -m x --will-payload y",
                "the following required arguments were not provided:\n  --will-topic <TOPIC>",
            ),
            ("pub -t a -l --repeat 2", "the argument '--stdin-line' cannot be used with '--repeat <COUNT>'"),
            ("frobnicate", "unrecognized subcommand 'frobnicate'"),
        ];
        for (words, expected) in wrong {
            let error = parse_words(words).unwrap_err();
            assert!(error.to_string().starts_with(&format!("error: {expected}")), "{words}: {error}");
        }
    }
}
