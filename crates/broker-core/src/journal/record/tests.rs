//! Proves that every kind of record is read as it was written, and that cut and altered ones are refused
//! or read as something legal, but never as more than there was.

use super::{samples::Samples, *};
use crate::journal::QueuedState;
use crate::journal::{
    Operation, Recovery, SessionState,
    state::{QUEUE_PART_MAX, SessionPart},
};

/// A target with what belongs to it.
type OwnedTarget = (SessionId, QueuedState);

fn message_record(samples: &mut Samples) -> (Vec<u8>, Vec<String>) {
    let (writer, message) = (samples.shard(), samples.message());
    let retained_by = samples.chance().then(|| samples.text());
    let receipt = samples.chance().then(|| (samples.session(), samples.packet_id()));
    let targets: Vec<OwnedTarget> = samples.up_to(5, |samples| (samples.session(), samples.queued()));
    let mut record = Vec::new();
    MessageHead { writer, message, retained_by, receipt }.encode(&mut record);
    record.extend_from_slice(message.topic.text().as_bytes());
    record.extend_from_slice(message.properties);
    record.extend_from_slice(message.payload);
    for (session, queued) in &targets {
        let (qos, retain, session) = (queued.qos, queued.retain, *session);
        let target =
            Target { session, qos, retain, identifiers: queued.identifiers(), group: queued.group() };
        put_target(&mut record, &target);
    }
    let mut items = vec![format!("{writer:?} {message:?} {retained_by:?} {receipt:?}")];
    items.extend(targets.into_iter().map(|(session, QueuedState { qos, retain, rest, .. })| {
        format!("{session:?} {:?}", Delivery { qos, retain, rest })
    }));
    (record, items)
}

fn operations_record(samples: &mut Samples) -> (Vec<u8>, Vec<String>) {
    let writer = samples.shard();
    let mut operations = Operations::new(writer);
    let mut session = samples.session();
    let mut items = vec![format!("{writer:?}")];
    let first = samples.below(16);
    for turn in first..first + samples.below(20) {
        if samples.chance() {
            session = samples.session();
        }
        let operation = samples.operation(turn, session);
        operations.push(&operation);
        items.push(format!("{operation:?}"));
    }
    assert_eq!(operations.is_empty(), items.len() == 1);
    (operations.bytes().to_vec(), items)
}

fn slice_record(samples: &mut Samples) -> (Vec<u8>, Vec<String>) {
    let writer = samples.shard();
    let seen = samples.up_to(4, Samples::position);
    let mut record = Vec::new();
    SliceHead { writer, seen: &seen }.encode(&mut record);
    let mut items = vec![format!("{writer:?} {seen:?}")];
    for state in samples.up_to(3, Samples::state) {
        state.encode(&mut record);
        let queue = std::collections::VecDeque::new();
        items.push(format!(
            "{:?}",
            SessionPart { session: state.id, first: Some(state), queue, is_last: true }
        ));
    }
    (record, items)
}

fn other_record(samples: &mut Samples) -> (Vec<u8>, Vec<String>) {
    let mut record = Vec::new();
    let item = match samples.below(3) {
        0 => {
            let topic = samples.text();
            retained_cleared_record(topic, &mut record);
            format!("{:?}", Record::RetainedCleared(topic))
        }
        1 => {
            let as_of = samples.position();
            let slice = RetainedSlice { as_of, positions: samples.up_to(9, Samples::position) };
            slice.encode(&mut record);
            format!("{:?}", Record::RetainedSlice(slice))
        }
        _ => {
            let (ShardId(shards), at) = (samples.shard(), samples.time());
            epoch_record(shards, at, &mut record);
            format!("{:?}", Record::Epoch { shards, at })
        }
    };
    (record, vec![item])
}

/// What a record says, item by item.
fn items_of(record: &[u8]) -> Result<Vec<String>, InvalidRecord> {
    Ok(match Record::decode(record)? {
        Record::Message(record) => {
            let (writer, retained_by, receipt) = (record.writer, record.retained_by, record.receipt);
            let message = record.message()?;
            assert_eq!((record.bytes as usize, record.expires_at), (message.len(), message.expires_at));
            let mut items = vec![format!("{writer:?} {message:?} {retained_by:?} {receipt:?}")];
            for target in record.targets {
                let (session, delivery) = target?;
                items.push(format!("{session:?} {delivery:?}"));
            }
            items
        }
        Record::Operations { writer, operations } => {
            let mut items = vec![format!("{writer:?}")];
            for operation in operations {
                items.push(format!("{:?}", operation?));
            }
            items
        }
        Record::Slice(slice) => {
            let mut items = vec![format!("{:?} {:?}", slice.writer, slice.seen)];
            for part in slice.parts {
                items.push(format!("{:?}", part?));
            }
            items
        }
        Record::Copy(record) => vec![format!("{:?}", record.message()?)],
        record @ (Record::RetainedCleared(_) | Record::RetainedSlice(_) | Record::Epoch { .. }) => {
            vec![format!("{record:?}")]
        }
    })
}

/// Makes a record, and what it says item by item.
type Make = fn(&mut Samples) -> (Vec<u8>, Vec<String>);

const KINDS: [Make; 4] = [message_record, operations_record, slice_record, other_record];

#[test]
fn every_kind_of_record_is_read_as_it_was_written() {
    for seed in 0..500 {
        for make in KINDS {
            let (record, items) = make(&mut Samples::new(seed));
            assert_eq!(items_of(&record).as_ref(), Ok(&items), "seed {seed}: {record:02x?}");
        }
    }
}

#[test]
fn a_record_that_is_cut_anywhere_says_nothing_that_the_whole_did_not_say() {
    for seed in 0..60 {
        for make in KINDS {
            let (record, items) = make(&mut Samples::new(seed));
            for end in 0..record.len() {
                if let Ok(cut) = items_of(&record[..end]) {
                    assert!(cut.len() < items.len() && items.starts_with(&cut), "seed {seed}, cut at {end}");
                }
                let _ = Recovery::new().replay(Position::MAX, &record[..end]);
            }
        }
    }
}

#[test]
fn records_with_altered_bytes_are_read_or_refused_without_a_panic() {
    let (mut read, mut refused) = (0, 0);
    for seed in 0..2000 {
        let samples = &mut Samples::new(seed);
        let mut recovery = Recovery::new();
        for make in KINDS {
            let (mut record, _) = make(samples);
            for _ in 0..=samples.below(3) {
                let index = samples.below(record.len());
                record[index] =
                    samples.pick(&[0, 1, 0x7F, 0x80, 0xFF, record[index] ^ 1, record[index] ^ 0x80]);
            }
            match items_of(&record) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
            let _ = message_of(&record);
            let _ = recovery.replay(Position::MAX, &record);
        }
        let mut recovered = recovery.finish();
        for position in recovered.unread().to_vec() {
            let _ = recovered.supply(position, &message_record(samples).0);
        }
        assert!(recovered.references().all(Position::is_some), "seed {seed}");
    }
    assert!(read > 500 && refused > 500, "{read} read, {refused} refused");
}

#[test]
fn a_message_is_found_in_its_record_and_in_no_other() {
    for seed in 0..50 {
        let samples = &mut Samples::new(seed);
        let (record, _) = message_record(samples);
        let message = message_of(&record).expect("a Message");
        let read = items_of(&record).expect("a Message");
        assert!(read[0].contains(&format!("{:?}", message.borrow())), "{} has no {message:?}", read[0]);
        for make in [operations_record, slice_record, other_record] {
            assert_eq!(message_of(&make(samples).0), None);
        }
    }
    assert_eq!(message_of(&[]), None);
}

#[test]
fn a_long_queue_is_written_in_parts_that_make_it_up_again() {
    for extra in [0, 1] {
        let samples = &mut Samples::new(extra as u64);
        let queue = (0..2 * QUEUE_PART_MAX + extra).map(|_| samples.queued()).collect();
        let whole = SessionState { queue, ..samples.state() };
        assert_eq!(whole.parts(), 2 + extra);
        let mut parts = Vec::new();
        for part in 0..whole.parts() {
            let mut record = Vec::new();
            SliceHead { writer: ShardId(0), seen: &[] }.encode(&mut record);
            whole.encode_numbered(part, &mut record);
            let Ok(Record::Slice(slice)) = Record::decode(&record) else { panic!("no slice") };
            parts.extend(slice.parts.map(|part| part.expect("a part")));
        }
        let mut parts = parts.into_iter();
        let mut read = parts.next().and_then(|part| part.first).expect("a first part");
        for (number, part) in (1..).zip(parts) {
            assert_eq!(
                (part.session, part.first, part.is_last),
                (whole.id, None, number == whole.parts() - 1)
            );
            read.queue.extend(part.queue);
        }
        assert!(read == whole);
    }
}

#[test]
fn a_buffer_of_operations_is_as_new_once_it_is_cleared() {
    let session = Samples::new(1).session();
    let mut operations = Operations::new(ShardId(3));
    let operation = Operation::Dropped { session, position: Position::new(77), mark: 0 };
    operations.push(&operation);
    let first = operations.bytes().to_vec();
    operations.push(&operation);
    assert!(operations.bytes().len() - first.len() < 4, "the session and the position are those of before");
    operations.clear();
    assert!(operations.is_empty());
    operations.push(&operation);
    assert_eq!(operations.bytes(), first);
}

#[test]
fn a_copy_says_what_the_message_was_and_nothing_else() {
    for seed in 0..200 {
        let mut samples = Samples::new(seed);
        let (record, _) = message_record(&mut samples);
        let mut copy = Vec::new();
        copied(&record, &mut copy).unwrap();
        let (Record::Message(original), Record::Copy(made)) =
            (Record::decode(&record).unwrap(), Record::decode(&copy).unwrap())
        else {
            panic!("seed {seed}");
        };
        assert_eq!(made.message().unwrap().payload, original.message().unwrap().payload, "seed {seed}");
        assert_eq!(message_of(&copy), message_of(&record), "seed {seed}");
        assert_eq!((made.retained_by, made.receipt), (original.retained_by, None), "seed {seed}");
        assert_eq!(made.targets.count(), 0, "seed {seed}");
        let mut again = Vec::new();
        copied(&copy, &mut again).unwrap();
        assert_eq!(again, copy, "seed {seed}");
    }
    assert!(copied(b"\x04\x01a", &mut Vec::new()).is_err());
}
