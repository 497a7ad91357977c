//! Owns how one thing that is found in a journal is written on a line, for people and for programs. What a record says
//! is told by the engine.

use broker_core::journal::describe;
use journal::{BatchEntry, Damage, Entry, SegmentEntry, TornTail};
use serde_json::{Value, json};

use crate::log::UtcTime;

/// For people.
pub(super) fn as_text(entry: &Entry<'_>) -> String {
    match entry {
        Entry::Segment(SegmentEntry { name, first: _, floor, created_unix_ms, bytes }) => {
            let created = UtcTime(created_unix_ms / 1000);
            format!("segment {name} created {created}, {bytes} bytes, floor {floor}")
        }
        Entry::Batch(BatchEntry { position, time_unix_ms, records, bytes }) => {
            let time = UtcTime(time_unix_ms / 1000);
            format!("batch {position} written {time}, {records} records, {bytes} bytes")
        }
        Entry::Record { position, bytes } => format!("{position} {}", text(bytes)),
        Entry::Damage(damage) => format!("damage {damage}"),
        Entry::TornTail(TornTail { file, offset, bytes }) => {
            format!("torn tail {file}, offset {offset}: {bytes} bytes that a crash interrupted")
        }
        Entry::Void(TornTail { file, offset, bytes }) => {
            format!("void {file}, offset {offset}: {bytes} bytes that a failed write left")
        }
    }
}

/// For programs. Positions are text: they have more digits than every reader of JSON keeps.
pub(super) fn as_json(entry: &Entry<'_>) -> String {
    let object: Value = match entry {
        Entry::Segment(SegmentEntry { name, first, floor, created_unix_ms, bytes }) => json!({
            "kind": "segment",
            "file": name,
            "position": first.to_string(),
            "floor": floor.to_string(),
            "created_unix_ms": created_unix_ms,
            "bytes": bytes,
        }),
        Entry::Batch(BatchEntry { position, time_unix_ms, records, bytes }) => json!({
            "kind": "batch",
            "position": position.to_string(),
            "time_unix_ms": time_unix_ms,
            "records": records,
            "bytes": bytes,
        }),
        Entry::Record { position, bytes } => json!({
            "kind": "record",
            "position": position.to_string(),
            "bytes": bytes.len(),
            "text": text(bytes),
        }),
        Entry::Damage(Damage { file, offset, flaw }) => json!({
            "kind": "damage",
            "file": file,
            "offset": offset,
            "flaw": flaw.to_string(),
        }),
        Entry::TornTail(tail) => unfinished("torn_tail", tail),
        Entry::Void(tail) => unfinished("void", tail),
    };
    object.to_string()
}

/// What a record says. One that is whole and makes no sense is shown all the same.
fn text(record: &[u8]) -> String {
    describe(record).unwrap_or_else(|error| format!("not understood: {error}"))
}

fn unfinished(kind: &str, TornTail { file, offset, bytes }: &TornTail) -> Value {
    json!({ "kind": kind, "file": file, "offset": offset, "bytes": bytes })
}

#[cfg(test)]
mod tests {
    use journal::{Flaw, Position};

    use super::*;

    fn every_kind(write: impl Fn(&Entry<'_>) -> String) -> String {
        let tail = TornTail { file: "d/0000000000000040.log".to_owned(), offset: 900, bytes: 12 };
        let entries = [
            Entry::Segment(SegmentEntry {
                name: "0000000000000040.log",
                first: Position::new(64),
                floor: Position::new(64),
                created_unix_ms: 1_795_305_600_123,
                bytes: 1_024,
            }),
            Entry::Batch(BatchEntry {
                position: Position::new(64),
                time_unix_ms: 1_795_305_601_999,
                records: 1,
                bytes: 80,
            }),
            Entry::Damage(Damage { file: tail.file.clone(), offset: 400, flaw: Flaw::RecordChecksum }),
            Entry::TornTail(tail.clone()),
            Entry::Void(tail),
        ];
        entries.iter().map(write).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn people_read_a_line_for_each() {
        insta::assert_snapshot!(every_kind(as_text), @r"
        segment 0000000000000040.log created 2026-11-22T00:00:00Z, 1024 bytes, floor 0x40
        batch 0x40 written 2026-11-22T00:00:01Z, 1 records, 80 bytes
        damage d/0000000000000040.log, offset 400: the checksum of the record is wrong
        torn tail d/0000000000000040.log, offset 900: 12 bytes that a crash interrupted
        void d/0000000000000040.log, offset 900: 12 bytes that a failed write left
        ");
    }

    #[test]
    fn programs_read_an_object_for_each() {
        insta::assert_snapshot!(every_kind(as_json), @r#"
        {"kind":"segment","file":"0000000000000040.log","position":"0x40","floor":"0x40","created_unix_ms":1795305600123,"bytes":1024}
        {"kind":"batch","position":"0x40","time_unix_ms":1795305601999,"records":1,"bytes":80}
        {"kind":"damage","file":"d/0000000000000040.log","offset":400,"flaw":"the checksum of the record is wrong"}
        {"kind":"torn_tail","file":"d/0000000000000040.log","offset":900,"bytes":12}
        {"kind":"void","file":"d/0000000000000040.log","offset":900,"bytes":12}
        "#);
    }
}
