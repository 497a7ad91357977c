//! Owns the tree a person reads: one field per line, indented by what it belongs to.

use super::{
    Problem,
    field::{Field, Value},
};
use mqtt_codec::{FrameHeader, ProtocolVersion};
use std::io::Write;

/// Appends a packet: a line of its own, and its fields below.
pub(super) fn append_packet(
    header: FrameHeader,
    version: ProtocolVersion,
    fields: &[Field<'_>],
    out: &mut Vec<u8>,
) {
    let (name, bytes) = (header.packet_type, header.packet_bytes);
    append(format_args!("{name} (MQTT {version}, {bytes} bytes)\n"), out);
    append_fields(fields, 1, out);
}

/// Appends what is wrong, and where the packet with the problem begins.
pub(super) fn append_problem(offset: usize, version: ProtocolVersion, problem: &Problem, out: &mut Vec<u8>) {
    match problem {
        Problem::Hex(error) => append(format_args!("error: {error}\n"), out),
        Problem::Decode(error) => append(format_args!("error at byte {offset}: {error}\n"), out),
        Problem::Cut { bytes: _, header: None } => {
            append(format_args!("error at byte {offset}: the fixed header is cut off\n"), out);
        }
        Problem::Cut { bytes, header: Some(header) } => {
            let (name, whole) = (header.packet_type, header.packet_bytes);
            let cut = format_args!("{name} is cut off after {bytes} of {whole} bytes (MQTT {version})");
            append(format_args!("error at byte {offset}: {cut}\n"), out);
        }
    }
}

fn append_fields(fields: &[Field<'_>], depth: usize, out: &mut Vec<u8>) {
    for field in fields {
        append(format_args!("{:indent$}{}:", "", field.name, indent = depth * 2), out);
        match &field.value {
            Value::Text(text) => append(format_args!(" {text:?}\n"), out),
            Value::Bytes(bytes) => append_bytes(bytes, out),
            Value::Number(number) => append(format_args!(" {number}\n"), out),
            Value::Flag(flag) => append(format_args!(" {flag}\n"), out),
            Value::Code(code, name) => append(format_args!(" 0x{code:02X} {name}\n"), out),
            Value::Pair(name, value) => append(format_args!(" {name:?} = {value:?}\n"), out),
            Value::Fields(fields) => {
                out.push(b'\n');
                append_fields(fields, depth + 1, out);
            }
        }
    }
}

/// Text in quotes; everything else in digits, with its length.
fn append_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    match str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|letter| letter.is_control() && !letter.is_ascii_whitespace()) => {
            append(format_args!(" {text:?}\n"), out);
        }
        Ok(_) | Err(_) => {
            out.extend_from_slice(b" 0x");
            bytes.iter().for_each(|byte| append(format_args!("{byte:02x}"), out));
            append(format_args!(" ({} bytes)\n", bytes.len()), out);
        }
    }
}

fn append(arguments: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    let _ = out.write_fmt(arguments);
}
