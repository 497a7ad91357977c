//! Proves that every number, text and key is read as it was written, and that nothing else is accepted.

use super::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

#[test]
fn the_borders_of_each_length_are_read_as_they_were_written() {
    let borders = (0..10).flat_map(|bytes| {
        let first = 1u64.checked_shl(bytes * 7).unwrap_or(0);
        [first.wrapping_sub(1), first, first.wrapping_add(1)]
    });
    for number in borders {
        let bytes = written(|out| put_number(out, number));
        let mut reader = Reader::new("a test", &bytes);
        assert_eq!(reader.number("number"), Ok(number));
        assert!(reader.is_empty());
        for signed in [number.cast_signed(), number.cast_signed().wrapping_neg()] {
            let bytes = written(|out| put_signed(out, signed));
            assert_eq!(Reader::new("a test", &bytes).signed("number"), Ok(signed));
        }
    }
}

#[test]
fn times_sessions_and_positions_are_read_as_they_were_written() {
    for time in
        [Timestamp::ZERO, Timestamp::from_millis(1), Timestamp::from_millis(1 << 41), Timestamp::NEVER]
    {
        let bytes = written(|out| put_time(out, time));
        assert_eq!(Reader::new("a test", &bytes).time("time"), Ok(time));
    }
    assert_eq!(written(|out| put_time(out, Timestamp::NEVER)), [0]);
    for (shard, slot, generation) in [(0, 0, 0), (1, 9, 8), (0xFFE, (1 << 28) - 1, 0), (3, 0, (1 << 23) - 1)]
    {
        let session = SessionId::new(ShardId(shard), slot, generation).durable();
        let bytes = written(|out| put_session(out, session));
        assert_eq!(Reader::new("a test", &bytes).session(), Ok(session));
    }
    for (position, former) in [(0, 0), (1, Position::MAX.get()), (Position::MAX.get(), 1), (500, 499)] {
        let (position, former) = (Position::new(position), Position::new(former));
        let bytes = written(|out| put_position_after(out, position, former));
        assert_eq!(Reader::new("a test", &bytes).position_after(former, "position"), Ok(position));
    }
}

#[test]
fn what_cannot_have_been_written_is_refused_with_what_is_wrong() {
    type Read = fn(&mut Reader<'_>) -> Option<InvalidRecord>;
    let cases: &[(&[u8], Read, &str)] = &[
        (&[], |it| it.byte("flags").err(), "a Test ends inside its flags"),
        (&[0x80], |it| it.number("length").err(), "a Test ends inside its length"),
        (&[0xFF; 11], |it| it.number("length").err(), "the length of a Test is larger than it may be"),
        (
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2],
            |it| it.number("length").err(),
            "the length of a Test is larger than it may be",
        ),
        (&[0x80, 0x80, 4], |it| it.u16("length").err(), "the length of a Test is larger than it may be"),
        (&[3, 1, 1], |it| it.count("list").err(), "a Test ends inside its list"),
        (&[3, 1, 1], |it| it.text("topic").err(), "a Test ends inside its topic"),
        (&[1, 0xFF], |it| it.text("topic").err(), "the topic of a Test is not UTF-8"),
        (
            &[0b1000],
            |it| it.flags(0b111, "byte of flags").err(),
            "the byte of flags of a Test has no meaning",
        ),
        (&[2], |it| it.boolean("Will").err(), "the Will of a Test has no meaning"),
        (&[0], |it| it.packet_id().err(), "the Packet Identifier of a Test has no meaning"),
        (&[0xFF, 0x1F], |it| it.shard("writer").err(), "the writer of a Test is larger than it may be"),
        // Slot 0 and generation -1.
        (&[0, 0, 1], |it| it.session().err(), "the session of a Test is larger than it may be"),
        (&[1], |it| it.position("position").err(), "the position of a Test is larger than it may be"),
        (
            &[0],
            |it| it.position_of_message(Position::NONE).err(),
            "the position of a message of a Test has no meaning",
        ),
        (&[1], |it| it.end().err(), "a Test goes on behind its last part"),
    ];
    for (bytes, read, expected) in cases {
        let error = read(&mut Reader::new("a Test", bytes)).map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(*expected), "{bytes:02x?}");
    }
}
