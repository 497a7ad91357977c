//! Owns `mqttctl decode`: hexadecimal text in, packets as a person or a program reads them out.
//! What a packet is, and what is wrong with one, the codec says.

mod describe;
mod field;
mod hex;
mod json;
mod property;
mod text;

use crate::{cli::values, error::Error, exit::ExitCode, output::Output};
use clap::Args;
use hex::HexError;
use mqtt_codec::{
    DecodeError, Frame, FrameHeader, MAXIMUM_PACKET_BYTES, PacketRef, PacketType, ProtocolVersion,
};
use std::io::{BufRead, BufReader, Read, Write};

/// The arguments of `decode`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DecodeArguments {
    /// The bytes of one or more packets; blanks, colons, commas and 0x may stand between them [default: each line of
    /// standard input]
    #[arg(value_name = "HEX")]
    hex: Vec<String>,
    /// The version: 5, 311 or 31 [default: what a CONNECT before it says, else 5]
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::protocol_version)]
    protocol_version: Option<ProtocolVersion>,
    /// Print each packet as a JSON object on one line
    #[arg(long)]
    json: bool,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// Why the bytes of a line could not all be read as packets.
#[derive(Debug)]
enum Problem {
    /// They are no bytes.
    Hex(HexError),
    /// They break a rule.
    Decode(DecodeError),
    /// They end inside a packet.
    Cut {
        /// How many there are of it.
        bytes: usize,
        /// What its fixed header says, if that is whole.
        header: Option<FrameHeader>,
    },
}

impl DecodeArguments {
    /// Decodes the arguments, or each line of `input`.
    ///
    /// # Errors
    /// `input` cannot be read. What is wrong with the packets is printed, and told by the exit code.
    pub(crate) fn run<W: Write>(self, input: impl Read, output: &mut Output<W>) -> Result<ExitCode, Error> {
        let mut all_good = true;
        if !self.hex.is_empty() {
            all_good &= self.print_line(&self.hex.join(" "), output)?;
        } else {
            let mut input = BufReader::new(input);
            let mut line = String::new();
            loop {
                line.clear();
                // The next line may be long in coming: whoever watches wants to see the last one.
                if input.buffer().is_empty() {
                    output.flush()?;
                }
                let read = input.read_line(&mut line);
                if read.map_err(|error| Error::local(format!("cannot read standard input: {error}")))? == 0 {
                    break;
                }
                all_good &= self.print_line(&line, output)?;
            }
        }
        output.flush()?;
        Ok(if all_good { ExitCode::Success } else { ExitCode::Failure })
    }

    /// Prints the packets of one line up to the first problem; tells whether there was none.
    fn print_line<W: Write>(&self, line: &str, output: &mut Output<W>) -> Result<bool, Error> {
        let problem = hex::parse(line).map_err(|error| (0, ProtocolVersion::V5, Problem::Hex(error)));
        let outcome = problem.and_then(|bytes| self.print_packets(&bytes, output.buffer()));
        if let Err((offset, version, problem)) = &outcome {
            if self.json {
                json::append_problem(*offset, *version, problem, output.buffer());
            } else {
                text::append_problem(*offset, *version, problem, output.buffer());
            }
        }
        output.end_record()?;
        Ok(outcome.is_ok())
    }

    /// Appends each packet of `bytes`. The error says where a packet with a problem begins, and by which version it
    /// was judged.
    fn print_packets(
        &self,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), (usize, ProtocolVersion, Problem)> {
        let mut version = self.protocol_version.unwrap_or(ProtocolVersion::V5);
        let mut rest = bytes;
        while !rest.is_empty() {
            let offset = bytes.len() - rest.len();
            let frame = take_frame(rest, version).map_err(|problem| (offset, version, problem))?;
            if self.protocol_version.is_none() {
                version = named_version(frame).unwrap_or(version);
            }
            let packet = PacketRef::decode(frame, version)
                .map_err(|error| (offset, version, Problem::Decode(error)))?;
            let fields = describe::fields(&packet, version);
            if self.json {
                json::append_packet(frame.header, version, &fields, out);
            } else {
                text::append_packet(frame.header, version, &fields, out);
            }
            rest = rest.get(frame.bytes.len()..).unwrap_or_default();
        }
        Ok(())
    }
}

fn take_frame(rest: &[u8], version: ProtocolVersion) -> Result<Frame<'_>, Problem> {
    match mqtt_codec::frame(rest, version, MAXIMUM_PACKET_BYTES) {
        Ok(Some(frame)) => Ok(frame),
        Ok(None) => {
            let header = FrameHeader::peek(rest, version, MAXIMUM_PACKET_BYTES).ok().flatten();
            Err(Problem::Cut { bytes: rest.len(), header })
        }
        Err(error) => Err(Problem::Decode(error)),
    }
}

/// The version that a CONNECT names, so that its own violations are told by the rules of that version.
fn named_version(frame: Frame<'_>) -> Option<ProtocolVersion> {
    if frame.header.packet_type != PacketType::Connect {
        return None;
    }
    let (length, rest) = frame.body().split_first_chunk()?;
    match rest.get(usize::from(u16::from_be_bytes(*length)))? {
        3 => Some(ProtocolVersion::V31),
        4 => Some(ProtocolVersion::V311),
        5 => Some(ProtocolVersion::V5),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        cli::{Command, tests::parse_words},
        exit::ExitCode,
        output::{Buffering, Output},
    };

    /// What `decode` with these arguments prints for `input`, and whether it says that all was good.
    fn decode(words: &str, input: &str) -> String {
        let Ok(Command::Decode(arguments)) = parse_words(words) else { panic!("{words}: it should parse") };
        let mut printed = Vec::new();
        let code =
            arguments.run(input.as_bytes(), &mut Output::new(&mut printed, Buffering::Blocks)).unwrap();
        let verdict = if code == ExitCode::Success { "good" } else { "bad" };
        format!("{}{verdict}", String::from_utf8(printed).unwrap())
    }

    /// One packet of each type, as MQTT 5 writes it.
    const PACKETS_V5: &[&str] = &[
        "104800044d51545405ee003c161100000078210014260001610001622600016100016300026d650718000000050101000a77696c6c2f746f7069630004676f6e650003616e6e0002ff00",
        "201100870e1f000b6e6f2022656e747279220a",
        "310b0003612f620068656c6c6f",
        "3b1d00000007162300030b050b800108000672652f706c7909000201feff00",
        "40020007",
        "5003000710",
        "62100007920c26000377687900046c617465",
        "70020007",
        "821a0001020b050003612f231d000c2473686172652f672f2b2f6222",
        "9006000100000287",
        "a20b0002000003612f23000162",
        "b0050002000011",
        "c000",
        "d000",
        "e000",
        "e00f8b0d1c000a6f746865723a31383833",
        "f00f180d150005534352414d1600020001",
    ];

    /// Those that MQTT 3.1.1 writes differently.
    const PACKETS_V311: &[&str] = &[
        "100e00044d5154540402000a00026d65",
        "20020100",
        "20020005",
        "34050001610008",
        "40020007",
        "820800010003612f2301",
        "b0020002",
        "e000",
    ];

    fn decode_each(words: &str, packets: &[&str]) -> String {
        packets.iter().map(|hex| format!("> {hex}\n{}\n", decode(words, hex))).collect()
    }

    #[test]
    fn each_packet_is_printed_as_a_tree_of_its_fields() {
        insta::assert_snapshot!("decode_tree_v5", decode_each("decode", PACKETS_V5));
        insta::assert_snapshot!("decode_tree_v311", decode_each("decode -V 311", PACKETS_V311));
    }

    #[test]
    fn each_packet_is_printed_as_an_object_on_request() {
        insta::assert_snapshot!("decode_json_v5", decode_each("decode --json", PACKETS_V5));
        insta::assert_snapshot!("decode_json_v311", decode_each("decode --json -V mqttv311", PACKETS_V311));
    }

    #[test]
    fn a_connect_sets_the_version_of_what_follows_on_its_line() {
        let line = "101000064d51497364700302000a00026d6540020007";
        insta::assert_snapshot!(decode("decode", &format!("{line}\n5003000710\n")), @r#"
        CONNECT (MQTT 3.1, 18 bytes)
          Protocol Name: "MQIsdp"
          Protocol Level: 3
          Clean Session: true
          Keep Alive: 10
          Client Identifier: "me"
        PUBACK (MQTT 3.1, 4 bytes)
          Packet Identifier: 7
        PUBREC (MQTT 5.0, 5 bytes)
          Packet Identifier: 7
          Reason Code: 0x10 No matching subscribers
        good
        "#);
        // Told to be MQTT 5, the PUBACK may have a reason code.
        insta::assert_snapshot!(decode("decode -V 5", "100e00044d5154540402000a00026d654003000110"), @r#"
        CONNECT (MQTT 5.0, 16 bytes)
          Protocol Name: "MQTT"
          Protocol Level: 4
          Clean Session: true
          Keep Alive: 10
          Client Identifier: "me"
        PUBACK (MQTT 5.0, 5 bytes)
          Packet Identifier: 1
          Reason Code: 0x10 No matching subscribers
        good
        "#);
    }

    #[test]
    fn a_line_may_be_given_as_arguments_and_hold_several_packets() {
        insta::assert_snapshot!(decode("decode c0 00 0xd0:00", "ignored"), @r"
        PINGREQ (MQTT 5.0, 2 bytes)
        PINGRESP (MQTT 5.0, 2 bytes)
        good
        ");
    }

    #[test]
    fn a_problem_is_printed_where_it_stands_and_told_by_the_exit_code() {
        let lines = [
            "c000 32",
            "c000 320500",
            "3005000161ff",
            "c000 360500",
            "101000044d5154540403003c00046d796964",
            "101000044d5154540503003c00046d796964",
            "c0 0z",
            "",
            "d000",
        ];
        insta::assert_snapshot!("decode_problems", decode("decode", &lines.join("\n")));
        insta::assert_snapshot!("decode_problems_json", decode("decode --json", &lines.join("\n")));
    }
}
