//! Owns the `-F` language of `mosquitto_sub`: a text parsed once into pieces that render each message.
//! Where the rendered bytes go is not known here.

mod field;
mod json;
mod layout;
mod parse;
mod time;

pub(crate) use json::{JsonStyle, PayloadNotJson};
pub(crate) use parse::FormatError;

use crate::delivered::Delivered;
use field::Field;
use jiff::{Zoned, tz::TimeZone};
use json::JsonPayload;
use layout::Layout;
use time::TimePart;

/// A parsed `-F` text. Rendering it appends to the caller's buffer and allocates nothing else, but for `--pretty`.
#[derive(Debug)]
pub(crate) struct Format {
    pieces: Vec<Piece>,
    json_style: JsonStyle,
    time_zone: TimeZone,
}

/// What the text consists of.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// Printed as it stands, escapes resolved.
    Literal(Vec<u8>),
    /// `%t`, `%-10p` and the like.
    Field(Field, Layout),
    /// `%j` and `%J`.
    Json(JsonPayload),
    /// `@H` and the like.
    Time(TimePart),
}

impl Format {
    /// Parses `text`; times will be told in `time_zone`.
    ///
    /// # Errors
    /// [`FormatError`] names the character that is wrong.
    pub(crate) fn parse(text: &str, json_style: JsonStyle, time_zone: TimeZone) -> Result<Self, FormatError> {
        Ok(Self { pieces: parse::pieces(text)?, json_style, time_zone })
    }

    /// Appends `delivered` to `out`.
    ///
    /// # Errors
    /// [`PayloadNotJson`]: the text has a `%J` and the payload is not JSON. Everything else has been appended.
    pub(crate) fn render(&self, delivered: &Delivered<'_>, out: &mut Vec<u8>) -> Result<(), PayloadNotJson> {
        let time = self.local_time(delivered);
        let mut outcome = Ok(());
        for piece in &self.pieces {
            match piece {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Time(part) => part.append(&time, out),
                Piece::Json(payload) => {
                    outcome = outcome.and(json::append(delivered, &time, *payload, self.json_style, out));
                }
                Piece::Field(field, layout) => {
                    let start = out.len();
                    let kind = field.append(delivered, &time, out);
                    layout.apply(kind, start, out);
                }
            }
        }
        outcome
    }

    fn local_time(&self, delivered: &Delivered<'_>) -> Zoned {
        delivered.received_at.to_zoned(self.time_zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, JsonStyle};
    use crate::delivered::Delivered;
    use jiff::{
        Timestamp,
        tz::{Offset, TimeZone},
    };
    use mqtt_codec::{
        PacketId, PayloadFormat, Properties, PropertiesRef, Property, PropertyOwner, QoS, TopicAlias,
        TopicNameRef,
    };
    use std::num::NonZeroU32;

    fn all_properties() -> Properties {
        let properties = [
            Property::ContentType("text"),
            Property::UserProperty("a", "b"),
            Property::UserProperty("a", "c"),
            Property::CorrelationData(b"corr"),
            Property::PayloadFormatIndicator(PayloadFormat::Utf8),
            Property::ResponseTopic(TopicNameRef::new("rt").unwrap()),
            Property::UserProperty("d", "e"),
            Property::MessageExpiryInterval(5),
            Property::SubscriptionIdentifier(NonZeroU32::new(7).unwrap()),
            Property::SubscriptionIdentifier(NonZeroU32::new(8).unwrap()),
            Property::TopicAlias(TopicAlias::new(3).unwrap()),
        ];
        <Properties>::new(PropertyOwner::Publish, properties).unwrap()
    }

    fn message() -> Delivered<'static> {
        Delivered {
            topic: "a/bc",
            payload: b"abcz",
            qos: QoS::AtLeastOnce,
            retain: false,
            packet_id: PacketId::new(1),
            properties: PropertiesRef::NONE,
            received_at: Timestamp::new(1_795_306_281, 208_727_406).unwrap(),
        }
    }

    fn render(text: &str, delivered: &Delivered<'_>, style: JsonStyle) -> String {
        let format = Format::parse(text, style, TimeZone::fixed(Offset::constant(1))).unwrap();
        let mut out = Vec::new();
        if format.render(delivered, &mut out).is_err() {
            out.extend(b"<not JSON>");
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    fn check(text: &str, delivered: &Delivered<'_>, expected: &str) {
        assert_eq!(render(text, delivered, JsonStyle::Compact), expected, "{text}");
    }

    #[test]
    fn every_parameter_prints_its_part_of_the_message() {
        let properties = all_properties();
        let full = Delivered { properties: properties.borrow(), ..message() };
        let retained = Delivered { qos: QoS::AtMostOnce, packet_id: None, retain: true, ..message() };
        check("%t %p %x %X %l", &message(), "a/bc abcz 6162637a 6162637A 4");
        check("%q %r %m", &message(), "1 0 1");
        check("%q %r %m", &retained, "0 1 0");
        check("%A|%C|%D|%E|%F|%R|%S|%P", &full, "3|text|corr|5|1|rt|7|a:b a:c d:e");
        check("%A|%C|%D|%E|%F|%R|%S|%P", &message(), "|||||||");
        check("100%% @@ \\\\", &message(), "100% @ \\");
        check("ü\\0\\a\\e\\n\\r\\t\\v", &message(), "ü\0\x07\x1b\n\r\t\x0b");
    }

    #[test]
    fn widths_are_minimums_that_pad_left_right_or_with_zeros() {
        check("%-10t|%10t|%010t", &message(), "a/bc      |      a/bc|      a/bc");
        check("%010l|%-5l|%05m|%-05m", &message(), "0000000004|4    |00001|1    ");
        check("%10p|%-10p|%06p|%2p", &message(), "      abcz|abcz      |00abcz|abcz");
        check("%010x|%-10X|%5x", &message(), "006162637a|6162637A  |6162637a");
        check("%05q%5r%9%", &message(), "10%");
        check("%10C|%-5E|%05F|%5A", &message(), "          |     |00000|     ");
    }

    #[test]
    fn precision_is_a_maximum_for_text_in_characters() {
        let wide = Delivered { topic: "äöü/x", ..message() };
        check("%.2t|%5.1t|%-5.3t|%.0t|%.t|", &message(), "a/|    a|a/b  |||");
        check("%.2t|%-7t|%3.9t", &wide, "äö|äöü/x  |äöü/x");
        check("%.2p|%.1l", &message(), "abcz|4");
    }

    #[test]
    fn times_are_told_in_the_zone_that_was_given() {
        check("%I", &message(), "2026-11-22T01:11:21+0100");
        check("%30I|%.4I", &message(), "      2026-11-22T01:11:21+0100|2026");
        check("%U @s.@N", &message(), "1795306281.208727406 1795306281.208727406");
        check("@Y-@m-@dT@H:@M:@S@z", &message(), "2026-11-22T01:11:21+0100");
        check("%@H:%@M", &message(), "01:11");
        check(
            "@c|@x|@X|@r|@D|@%",
            &message(),
            "Sun Nov 22 01:11:21 2026|11/22/26|01:11:21|01:11:21 AM|11/22/26|%",
        );
    }

    #[test]
    fn json_has_the_shape_of_mosquitto_sub() {
        let properties = all_properties();
        let full = Delivered { payload: b"hi \"x\"", properties: properties.borrow(), ..message() };
        check(
            "%j",
            &full,
            concat!(
                r#"{"tst":"2026-11-22T01:11:21.208727Z+0100","topic":"a/bc","qos":1,"retain":0,"payloadlen":6,"mid":1,"#,
                r#""properties":{"content-type":"text","user-properties":{"a":"b","a":"c","d":"e"},"#,
                r#""correlation-data":"corr","payload-format-indicator":1,"response-topic":"rt","#,
                r#""message-expiry-interval":5,"subscription-identifier":7,"subscription-identifier":8,"#,
                r#""topic-alias":3},"payload":"hi \"x\""}"#
            ),
        );
    }

    #[test]
    fn a_json_payload_is_kept_as_written_but_for_blanks() {
        let head =
            r#"{"tst":"2026-11-22T01:11:21.208727Z+0100","topic":"a/bc","qos":0,"retain":0,"payloadlen":"#;
        let quiet = Delivered { qos: QoS::AtMostOnce, packet_id: None, ..message() };
        let with = |payload| Delivered { payload, ..quiet.clone() };
        check(
            "%J",
            &with(b"{\"a\": 1.50, \"b\":[1,\t2 ]}\n"),
            &format!("{head}25,\"payload\":{{\"a\":1.50,\"b\":[1,2]}}}}"),
        );
        check("%J", &with(b""), &format!("{head}0,\"payload\":null}}"));
        check("%j", &with(b""), &format!("{head}0,\"payload\":null}}"));
        check("%j", &with(b"\xff\x01"), &format!("{head}2,\"payload\":[255,1]}}"));
        check("%j", &with("é".as_bytes()), &format!("{head}2,\"payload\":\"é\"}}"));
        check("<%J>", &with(b"nope"), "<><not JSON>");
        check("<%J>", &with(b"{} {}"), "<><not JSON>");
    }

    #[test]
    fn pretty_json_is_indented_by_tabs() {
        let properties =
            <Properties>::new(PropertyOwner::Publish, [Property::UserProperty("a", "b")]).unwrap();
        let quiet = Delivered {
            qos: QoS::AtMostOnce,
            packet_id: None,
            properties: properties.borrow(),
            payload: br#"{"x":[1,{"y":"{,}"}],"z":{}}"#,
            ..message()
        };
        insta::assert_snapshot!(render("%J", &quiet, JsonStyle::Pretty), @r#"
        {
        	"tst":	"2026-11-22T01:11:21.208727Z+0100",
        	"topic":	"a/bc",
        	"qos":	0,
        	"retain":	0,
        	"payloadlen":	28,
        	"properties":	{
        		"user-properties":	{
        			"a":	"b"
        		}
        	},
        	"payload":	{
        		"x":	[1, {
        				"y":	"{,}"
        			}],
        		"z":	{
        		}
        	}
        }
        "#);
    }

    #[test]
    fn an_unknown_sequence_is_refused_with_its_place() {
        let wrong = [
            ("%t %k", "character 4: unknown parameter %k"),
            ("äö%-5", "character 3: unfinished %"),
            ("%", "character 1: unfinished %"),
            ("%t%05.", "character 3: unfinished %"),
            ("%0-5t", "character 1: unknown parameter %-"),
            ("\\q", "character 1: unknown escape \\q"),
            ("%p\\", "character 3: unfinished \\"),
            ("@", "character 1: unfinished @"),
            ("@H@!", "character 3: unknown time @!"),
            ("@E", "character 1: unknown time @E"),
            ("%5@H", "character 1: unknown parameter %@"),
            ("%65536t", "character 1: a width or precision over 65535"),
        ];
        for (text, expected) in wrong {
            let error = Format::parse(text, JsonStyle::Compact, TimeZone::UTC).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
        }
    }
}
