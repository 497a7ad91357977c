//! Owns what an inspection shows, as a person reads it.

use insta::assert_snapshot;
use journal::{Entry, Options, dump, verify};

use crate::support::disk::LyingDisk;
use crate::support::{NOW, fresh};

/// A journal with a floor in its third segment.
fn disk() -> LyingDisk {
    let (journal, disk) = fresh(Options { segment_bytes: 400, ..Options::default() });
    for number in 1..5_u8 {
        journal.append(&[&[number; 50]]);
        journal.append(&[&[number; 20]]);
        journal.commit(NOW + u64::from(number)).unwrap();
    }
    let floor = journal.begin_checkpoint();
    journal.append(&[b"all"]);
    journal.commit(NOW).unwrap();
    journal.set_floor(floor);
    journal.commit(NOW).unwrap();
    journal.append(&[b"after"]);
    journal.commit(NOW).unwrap();
    LyingDisk::with_files(&disk.files_without_room())
}

fn dumped(disk: &LyingDisk) -> String {
    let mut lines = Vec::new();
    dump(disk, &mut |entry| {
        lines.push(match entry {
            Entry::Segment(segment) => {
                format!("{} from {} floor {}", segment.name, segment.first, segment.floor)
            }
            Entry::Batch(batch) => format!("  batch {}: {} records", batch.position, batch.records),
            Entry::Record { position, bytes } => format!("    {position}: {} bytes", bytes.len()),
            Entry::Damage(damage) => format!("    damage: {damage}"),
            Entry::TornTail(tail) | Entry::Void(tail) => {
                format!("    tail: {} bytes at {}", tail.bytes, tail.offset)
            }
        });
    })
    .unwrap();
    lines.join("\n")
}

#[test]
fn a_sound_journal_is_shown_in_the_order_of_the_log() {
    assert_snapshot!(dumped(&disk()), @r"
    0000000000000000.log from 0x0 floor 0x0
      batch 0x0: 2 records
        0x28: 50 bytes
        0x62: 20 bytes
      batch 0x7e: 2 records
        0xa6: 50 bytes
        0xe0: 20 bytes
    00000000000000fc.log from 0xfc floor 0x0
      batch 0xfc: 2 records
        0x124: 50 bytes
        0x15e: 20 bytes
      batch 0x17a: 2 records
        0x1a2: 50 bytes
        0x1dc: 20 bytes
    00000000000001f8.log from 0x1f8 floor 0x0
      batch 0x1f8: 1 records
        0x220: 3 bytes
    000000000000022b.log from 0x22b floor 0x1f8
      batch 0x22b: 0 records
      batch 0x253: 1 records
        0x27b: 5 bytes
    ");
    assert_snapshot!(verify(&disk()).unwrap(), @r"
    segments  4, 904 bytes
    batches   7
    records   10
    floor     0x1f8
    sound
    ");
}

#[test]
fn around_what_is_damaged_everything_else_is_shown() {
    let mut files = disk().files();
    let names: Vec<_> = files.keys().cloned().collect();
    // The bytes of one record, the length of another, and the header of a batch.
    files.get_mut(&names[0]).unwrap()[64 + 40 + 20] ^= 1;
    files.get_mut(&names[0]).unwrap()[64 + 126 + 40] ^= 1;
    files.get_mut(&names[1]).unwrap()[64] ^= 1;
    files.get_mut(&names[3]).unwrap().extend([9; 17]);
    let damaged = LyingDisk::with_files(&files);
    assert_snapshot!(dumped(&damaged), @r"
    0000000000000000.log from 0x0 floor 0x0
      batch 0x0: 2 records
        damage: data/0000000000000000.log, offset 104: the checksum of the record is wrong
        0x62: 20 bytes
      batch 0x7e: 2 records
        damage: data/0000000000000000.log, offset 230: the checksum of the record is wrong
    00000000000000fc.log from 0xfc floor 0x0
        damage: data/00000000000000fc.log, offset 64: no valid batch header
      batch 0x17a: 2 records
        0x1a2: 50 bytes
        0x1dc: 20 bytes
    00000000000001f8.log from 0x1f8 floor 0x0
      batch 0x1f8: 1 records
        0x220: 3 bytes
    000000000000022b.log from 0x22b floor 0x1f8
      batch 0x22b: 0 records
      batch 0x253: 1 records
        0x27b: 5 bytes
        tail: 17 bytes at 157
    ");
    assert_snapshot!(verify(&damaged).unwrap(), @r"
    segments  4, 921 bytes
    batches   6
    records   5
    floor     0x1f8
    torn tail data/000000000000022b.log, offset 157: 17 bytes that a crash interrupted; none was durable
    damage    data/0000000000000000.log, offset 104: the checksum of the record is wrong
    damage    data/0000000000000000.log, offset 230: the checksum of the record is wrong
    damage    data/00000000000000fc.log, offset 64: no valid batch header
    damaged in 3 places
    ");
}

#[test]
fn an_empty_directory_is_a_sound_journal() {
    assert_snapshot!(verify(&LyingDisk::new(0)).unwrap(), @r"
    segments  0, 0 bytes
    batches   0
    records   0
    floor     0x0
    sound
    ");
}
