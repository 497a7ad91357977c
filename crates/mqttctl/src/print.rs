//! Owns how a delivered message becomes bytes: `-F`, `-v`, `-N`, or the payload as it is. When they are written is
//! the output's affair.

use crate::{
    delivered::Delivered,
    format::{Format, PayloadNotJson},
    output::{Output, OutputError},
    report::Report,
};
use dunlin_client::Delivery;
use std::io::Write;

/// Prints messages one way.
#[derive(Debug)]
pub(crate) struct Printer {
    /// What is printed of each message.
    pub(crate) style: PrintStyle,
    /// Whether a message ends with a new line.
    pub(crate) newline: bool,
}

/// What is printed of a message.
#[derive(Debug)]
pub(crate) enum PrintStyle {
    /// The payload as it is; nothing for an empty one.
    Payload,
    /// `-v`: topic and payload, `(null)` for an empty one.
    TopicAndPayload,
    /// `-F`
    Format(Format),
}

impl Printer {
    /// Prints a message that arrived just now, as one record of `output`. A payload that is no JSON where the format
    /// wants JSON is a warning.
    ///
    /// # Errors
    /// [`OutputError`]: nothing more can be printed.
    pub(crate) fn print_delivery<W: Write>(
        &self,
        delivery: &Delivery,
        output: &mut Output<W>,
        report: &Report,
    ) -> Result<(), OutputError> {
        if let Err(PayloadNotJson) = self.print(&Delivered::now(delivery), output.buffer()) {
            report.warn(format_args!("the payload of a message on {} is not JSON", delivery.message.topic));
        }
        output.end_record()
    }

    /// Appends what is to be printed of `delivered`.
    ///
    /// # Errors
    /// [`PayloadNotJson`]: the format has a `%J` and the payload is not JSON. Everything else has been appended.
    fn print(&self, delivered: &Delivered<'_>, out: &mut Vec<u8>) -> Result<(), PayloadNotJson> {
        let payload = delivered.payload;
        let mut outcome = Ok(());
        match &self.style {
            PrintStyle::Payload if payload.is_empty() => return Ok(()),
            PrintStyle::Payload => out.extend_from_slice(payload),
            // As mosquitto_sub does: without ends of lines, there is no line to say "(null)" on.
            PrintStyle::TopicAndPayload if payload.is_empty() && !self.newline => return Ok(()),
            PrintStyle::TopicAndPayload => {
                out.extend_from_slice(delivered.topic.as_bytes());
                out.push(b' ');
                out.extend_from_slice(if payload.is_empty() { b"(null)" } else { payload });
            }
            PrintStyle::Format(format) => outcome = format.render(delivered, out),
        }
        if self.newline {
            out.push(b'\n');
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::{PrintStyle, Printer};
    use crate::{
        delivered::Delivered,
        format::{Format, JsonStyle},
    };
    use jiff::{Timestamp, tz::TimeZone};
    use mqtt_codec::{PropertiesRef, QoS};

    fn check(printer: &Printer, payload: &[u8], expected: &str) {
        let delivered = Delivered {
            topic: "a",
            payload,
            qos: QoS::AtMostOnce,
            retain: false,
            packet_id: None,
            properties: PropertiesRef::NONE,
            received_at: Timestamp::UNIX_EPOCH,
        };
        let mut out = Vec::new();
        printer.print(&delivered, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn each_style_prints_what_mosquitto_sub_prints() {
        let format = || PrintStyle::Format(Format::parse("<%p>", JsonStyle::Compact, TimeZone::UTC).unwrap());
        let lines = |style| Printer { style, newline: true };
        let run_on = |style| Printer { style, newline: false };
        check(&lines(PrintStyle::Payload), b"x", "x\n");
        check(&run_on(PrintStyle::Payload), b"x", "x");
        check(&lines(PrintStyle::Payload), b"", "");
        check(&lines(PrintStyle::TopicAndPayload), b"x", "a x\n");
        check(&run_on(PrintStyle::TopicAndPayload), b"x", "a x");
        check(&lines(PrintStyle::TopicAndPayload), b"", "a (null)\n");
        check(&run_on(PrintStyle::TopicAndPayload), b"", "");
        check(&lines(format()), b"", "<>\n");
        check(&run_on(format()), b"x", "<x>");
    }
}
