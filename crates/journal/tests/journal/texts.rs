//! Owns what a person reads when the journal cannot go on: who is guilty, where, and what to do.

use std::error::Error;
use std::io::{self, ErrorKind};

use insta::assert_snapshot;
use journal::{Damage, Failure, Flaw, OpenError, Operation, Position, ReadError, ReplayError};

fn directory() -> String {
    "data".to_owned()
}

fn file() -> String {
    "data/0000000004000000.log".to_owned()
}

fn error(kind: ErrorKind) -> io::Error {
    kind.into()
}

fn lines<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join("\n")
}

#[test]
fn why_a_journal_cannot_be_opened() {
    let errors = [
        OpenError::Missing { directory: directory(), error: error(ErrorKind::NotFound) },
        OpenError::CannotCreate { directory: directory(), error: error(ErrorKind::PermissionDenied) },
        OpenError::NotADirectory { directory: directory() },
        OpenError::ReadOnly { directory: directory(), error: error(ErrorKind::ReadOnlyFilesystem) },
        OpenError::Locked { directory: directory() },
        OpenError::NewerVersion { file: file(), version: 2 },
        OpenError::Corrupt(Damage { file: file(), offset: 1_234, flaw: Flaw::RecordChecksum }),
        OpenError::Refused {
            file: file(),
            position: Position::new(0x400_0068),
            reason: ReplayError::new("unknown kind 9"),
        },
        OpenError::Disk { place: file(), error: error(ErrorKind::Other) },
    ];
    assert_snapshot!(lines(errors), @r"
    data: no such directory: entity not found
    data: the directory is missing and cannot be created: permission denied; create it, or name another
    data: this is not a directory; name another place for the journal
    data: nothing can be written here: read-only filesystem or storage medium; change the owner or the mode of the directory, or name another
    data: another process has this journal open; stop it first, or name another directory
    data/0000000004000000.log: written in format version 2 by a newer program; this one reads up to version 1: use the newer one
    data/0000000004000000.log, offset 1234: the checksum of the record is wrong; this was on disk and is damaged, so nothing was opened and nothing was changed: restore the directory from a backup, or move it away to begin with an empty one
    data/0000000004000000.log: the record at 0x4000068 is intact but not understood: unknown kind 9
    data/0000000004000000.log: other error
    ");
}

#[test]
fn what_can_be_wrong_with_bytes() {
    let position = Position::new(0x400_0000);
    let flaws = [
        Flaw::SegmentHeaderShort,
        Flaw::SegmentMagic,
        Flaw::SegmentHeaderChecksum,
        Flaw::NewerVersion(2),
        Flaw::Misnamed(position),
        Flaw::FloorAhead(position),
        Flaw::BatchHeader,
        Flaw::BatchLength,
        Flaw::BatchRecords,
        Flaw::RecordLength,
        Flaw::RecordChecksum,
        Flaw::Missing(position),
    ];
    assert_snapshot!(lines(flaws), @r"
    the file is shorter than a segment's header
    the file does not begin like a segment of a journal
    the checksum of the segment's header is wrong
    the segment has the newer format version 2
    the header is that of the segment 0000000004000000.log
    the header names a floor that is ahead of it, 0x4000000
    no valid batch header
    the batch is longer than what is left of the segment
    the batch holds another number of records than its header says
    the record is longer than what is left of the batch
    the checksum of the record is wrong
    records are missing from here up to 0000000004000000.log
    ");
}

#[test]
fn why_a_record_cannot_be_read() {
    let damage = Damage { file: file(), offset: 1_234, flaw: Flaw::RecordChecksum };
    let errors = [
        ReadError::Missing(Position::new(0x400_0068)),
        ReadError::Corrupt(damage),
        ReadError::Disk { file: file(), error: error(ErrorKind::Other) },
    ];
    assert!(errors[1].source().is_some() && errors[2].source().is_some());
    assert_snapshot!(lines(errors), @r"
    no record at 0x4000068: its segment is not there
    data/0000000004000000.log, offset 1234: the checksum of the record is wrong; this record is lost, check the disk
    data/0000000004000000.log: cannot be read: other error
    ");
}

#[test]
fn what_fails_while_it_runs() {
    let operations = [
        Operation::Create,
        Operation::Write,
        Operation::Sync,
        Operation::Rename,
        Operation::SyncDirectory,
        Operation::Remove,
    ];
    let failures = operations.map(|operation| Failure {
        operation,
        place: file(),
        kind: ErrorKind::StorageFull,
        os_code: None,
        since_unix_ms: 0,
    });
    assert_snapshot!(lines(failures), @r"
    data/0000000004000000.log: cannot create a segment: no storage space
    data/0000000004000000.log: cannot write: no storage space
    data/0000000004000000.log: cannot sync: no storage space
    data/0000000004000000.log: cannot name a segment: no storage space
    data/0000000004000000.log: cannot sync the directory: no storage space
    data/0000000004000000.log: cannot remove a segment: no storage space
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_commit_that_fails_says_what_to_do() {
    use crate::support::{NOW, fresh};
    let (journal, disk) = fresh(journal::Options::default());
    journal.append(&[b"one"]);
    disk.inner().capacity = 10;
    assert_snapshot!(
        journal.commit(NOW).unwrap_err(),
        @"data/segment.new: cannot write: no storage space; make room: what waits in memory is then written by itself"
    );
    disk.inner().calls_left = Some(0);
    assert_snapshot!(
        journal.commit(NOW).unwrap_err(),
        @"data/segment.new: cannot create a segment: broken pipe; check the disk: what waits in memory is written once it works again"
    );
    let failure = Failure { os_code: Some(28), ..journal.failure().unwrap() };
    assert_snapshot!(failure, @"data/segment.new: cannot create a segment: No space left on device (os error 28)");
}
