//! Owns the objects a program reads: one packet or problem per line, names in small letters with underscores.

use super::{
    Problem,
    field::{Field, Multiplicity, Value},
};
use mqtt_codec::{FrameHeader, ProtocolVersion};
use serde_json::{Map, Value as Json, json};

/// Appends a packet.
pub(super) fn append_packet(
    header: FrameHeader,
    version: ProtocolVersion,
    fields: &[Field<'_>],
    out: &mut Vec<u8>,
) {
    let mut object = Map::new();
    object.insert("packet".into(), header.packet_type.to_string().into());
    object.insert("version".into(), version.to_string().into());
    object.insert("bytes".into(), header.packet_bytes.into());
    insert_fields(fields, &mut object);
    append_line(&Json::Object(object), out);
}

/// Appends what is wrong, and where the packet with the problem begins.
pub(super) fn append_problem(offset: usize, version: ProtocolVersion, problem: &Problem, out: &mut Vec<u8>) {
    let object = match problem {
        Problem::Hex(error) => json!({ "error": error.to_string() }),
        Problem::Decode(error) => json!({
            "error": error.violation.text(),
            "offset": offset,
            "packet": error.packet_type.map(|packet_type| packet_type.to_string()),
            "version": version.to_string(),
            "reason_code": { "code": error.reason().byte(), "name": error.reason().name() },
            "statement": error.statement(),
        }),
        Problem::Cut { bytes, header } => json!({
            "error": "the packet is cut off",
            "offset": offset,
            "packet": header.map(|header| header.packet_type.to_string()),
            "version": version.to_string(),
            "bytes": bytes,
            "bytes_expected": header.map(|header| header.packet_bytes),
        }),
    };
    append_line(&object, out);
}

/// Fields that may occur several times are always arrays, so that a reader need not ask how many there are.
fn insert_fields(fields: &[Field<'_>], object: &mut Map<String, Json>) {
    for field in fields {
        let value = value(&field.value);
        match field.multiplicity {
            Multiplicity::One => {
                object.insert(key(field.name), value);
            }
            Multiplicity::Many => {
                if let Json::Array(values) = object.entry(key(field.name)).or_insert_with(|| json!([])) {
                    values.push(value);
                }
            }
        }
    }
}

fn value(value: &Value<'_>) -> Json {
    match value {
        Value::Text(text) => (*text).into(),
        Value::Bytes(bytes) => match str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
        },
        Value::Number(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Code(code, name) => json!({ "code": code, "name": name }),
        Value::Pair(name, value) => json!([name, value]),
        Value::Fields(fields) => {
            let mut object = Map::new();
            insert_fields(fields, &mut object);
            Json::Object(object)
        }
    }
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "_")
}

fn append_line(object: &Json, out: &mut Vec<u8>) {
    out.extend_from_slice(object.to_string().as_bytes());
    out.push(b'\n');
}
