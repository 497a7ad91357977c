//! Owns what must hold of opening whatever bytes: the body of the fuzz target `journal_recovery`. An input is a program
//! of changes to a valid log, or the bytes of segments. Where inputs come from is not known here.

#[path = "recovery/disk.rs"]
mod disk;
#[path = "recovery/edit.rs"]
mod edit;
#[path = "recovery/reference.rs"]
pub(crate) mod reference;

use journal::{Journal, OpenError, Opened, Options, Position, verify};
use std::collections::BTreeMap;

use disk::PlainDisk;

/// The segments of a journal by their names.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

type Record = (u64, Vec<u8>);

const NOW: u64 = 1_800_000_000_000;
const OPTIONS: Options = Options {
    segment_bytes: 500,
    checkpoint_bytes: 1 << 20,
    idle_ms: 1_000,
    idle_gain_bytes: 1_000,
    seed: 7,
};

/// How opening ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With all there was.
    Whole,
    /// With a torn tail.
    Torn,
    /// It was refused.
    Refused,
}

/// Opens what the input says, and holds it against a reference that was written for clarity.
pub(crate) fn run(input: &[u8]) -> Ending {
    let files = edit::files(input, valid());
    let expected = reference::recover(&files);
    let disk = PlainDisk::new(files);
    let report = verify(&disk);
    let (journal, opened, replayed) = match open(&disk) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(expected.is_none(), "refused without a reason: {error}");
            assert!(!error.to_string().is_empty());
            match (error, report) {
                (OpenError::NewerVersion { .. }, Err(OpenError::NewerVersion { .. })) => {}
                (OpenError::Corrupt(damage), Ok(report)) => {
                    assert!(report.damages.contains(&damage), "{damage} is not in: {report}");
                }
                (OpenError::Corrupt(_), Err(OpenError::NewerVersion { .. })) => {}
                other => panic!("{other:?}"),
            }
            return Ending::Refused;
        }
    };
    assert_eq!(Some(&replayed), expected.as_ref(), "invented, altered or passed over");
    assert!(report.is_ok_and(|report| report.torn_tail == opened.torn_tail));
    goes_on(&disk, journal, &replayed);
    if opened.torn_tail.is_some() { Ending::Torn } else { Ending::Whole }
}

/// Whatever was found, records can be appended behind it, and all of them are there the next time.
fn goes_on(disk: &PlainDisk, journal: Journal, replayed: &[Record]) {
    let mut record = Vec::new();
    for (position, bytes) in replayed {
        journal.read(Position::new(*position), &mut record).unwrap();
        assert_eq!(record, *bytes);
    }
    let appended = journal.append(&[b"one more"]);
    assert!(replayed.last().is_none_or(|(last, _)| *last < appended.get()));
    journal.commit(NOW).unwrap();
    drop(journal);
    let (_, opened, again) = open(disk).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again[..replayed.len()], *replayed);
    assert_eq!(again[replayed.len()..], [(appended.get(), b"one more".to_vec())]);
    assert_eq!(opened.torn_tail, None);
}

fn open(disk: &PlainDisk) -> Result<(Journal, Opened, Vec<Record>), OpenError> {
    let mut replayed = Vec::new();
    let (journal, opened) = Journal::open(Box::new(disk.clone()), OPTIONS, NOW, &mut |position, record| {
        replayed.push((position.get(), record.to_vec()));
        Ok(())
    })?;
    Ok((journal, opened, replayed))
}

/// Segments of a few batches each, with a floor in the middle of a batch.
pub(crate) fn valid() -> Files {
    let disk = PlainDisk::new(Files::new());
    let (journal, ..) = open(&disk).unwrap_or_else(|error| panic!("{error}"));
    for number in 0..12_u8 {
        for length in [0, 10, 70] {
            journal.append(&[&vec![number; length]]);
        }
        journal.commit(NOW).unwrap();
        if number == 5 {
            journal.set_floor(Position::new(journal.durable().get() - 222));
        }
    }
    disk.files()
}
