//! Owns groups of options that several commands share: what to send, and how to print. The connection has its own file.

use crate::{
    error::Error,
    format::{Format, FormatError, JsonStyle},
    print::{PrintStyle, Printer},
};
use clap::Args;
use jiff::tz::TimeZone;
use std::{ffi::OsString, path::PathBuf};

/// The payload of a single message, or where it comes from.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Message")]
pub(crate) struct PayloadArguments {
    /// Send this text
    #[arg(short = 'm', long = "message", value_name = "TEXT", allow_hyphen_values = true)]
    messages: Vec<OsString>,
    /// Send the contents of this file
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Send all of standard input as one message
    #[arg(short = 's', long)]
    stdin_file: bool,
    /// Send an empty message
    #[arg(short = 'n', long)]
    null_message: bool,
}

/// Where payloads come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PayloadSource {
    /// `-m`, and `-n` with nothing in it.
    Given(Vec<u8>),
    /// `-f`: the contents of a file.
    File(PathBuf),
    /// `-s`: all of standard input.
    StandardInput,
    /// `-l`: each line of standard input is a message.
    Lines,
}

impl PayloadArguments {
    /// The one source that was given; `others` are those the command knows besides.
    ///
    /// # Errors
    /// None was given, or more than one.
    pub(crate) fn resolve(
        self,
        others: impl IntoIterator<Item = PayloadSource>,
    ) -> Result<PayloadSource, Error> {
        let given = self.messages.into_iter().map(|text| PayloadSource::Given(text.into_encoded_bytes()));
        let files = self.files.into_iter().map(PayloadSource::File);
        let empty = self.null_message.then(|| PayloadSource::Given(Vec::new()));
        let whole = self.stdin_file.then_some(PayloadSource::StandardInput);
        let mut sources = given.chain(files).chain(empty).chain(whole).chain(others);
        match (sources.next(), sources.next()) {
            (Some(source), None) => Ok(source),
            (None, _) => {
                Err(Error::usage("no message").with_hint("give one with -m, -f, -s or -n (see --help)"))
            }
            (Some(_), Some(_)) => Err(Error::usage("more than one message")
                .with_hint("only one of -m, -f, -l, -s and -n can be given, once")),
        }
    }
}

/// How delivered messages are printed.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct PrintArguments {
    /// Print messages in this format, for example "@H:@M %t %p", or "%j" for JSON
    #[arg(short = 'F', long, value_name = "FORMAT", allow_hyphen_values = true, value_parser = checked_format)]
    format: Option<String>,
    /// Print JSON on several lines
    #[arg(long)]
    pretty: bool,
    /// Print the topic before each payload
    #[arg(short = 'v', long)]
    verbose: bool,
    /// Print no end of line after each message
    #[arg(short = 'N', long)]
    no_newline: bool,
    /// Print no messages that were retained before
    #[arg(short = 'R', long)]
    pub(crate) no_retained: bool,
}

impl PrintArguments {
    /// The printer these options ask for; times are told in the zone of this machine.
    ///
    /// # Errors
    /// The format is not one, which parsing the command line has already refused.
    pub(crate) fn resolve(self) -> Result<Printer, Error> {
        let json_style = if self.pretty { JsonStyle::Pretty } else { JsonStyle::Compact };
        let style = match self.format {
            Some(text) => PrintStyle::Format(
                Format::parse(&text, json_style, TimeZone::system())
                    .map_err(|error| Error::usage(format!("-F: {error}")))?,
            ),
            None if self.verbose => PrintStyle::TopicAndPayload,
            None => PrintStyle::Payload,
        };
        Ok(Printer { style, newline: !self.no_newline })
    }
}

/// Refuses a wrong format where the other wrong values are refused.
fn checked_format(text: &str) -> Result<String, FormatError> {
    Format::parse(text, JsonStyle::Compact, TimeZone::UTC).map(|_| text.to_owned())
}
