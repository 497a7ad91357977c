//! Owns the proof that an outbox gives out exactly what was put in, however it is written.

use super::*;

/// What a test appends.
enum Put {
    Copied(usize),
    Shared(usize),
}
use Put::{Copied, Shared as Payload};

/// Appends runs of distinct bytes and tells what they add up to.
fn put(outbox: &mut Outbox, pool: &mut BufferPool, puts: &[Put], next: &mut u8) -> Vec<u8> {
    let mut expected = Vec::new();
    for put in puts {
        let (Copied(count) | Payload(count)) = put;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            *next = next.wrapping_add(1);
            *next
        })
        .take(*count)
        .collect();
        expected.extend_from_slice(&bytes);
        match put {
            Copied(_) => assert_eq!(outbox.copy(&bytes, pool).len(), *count),
            Payload(_) => outbox.share(bytes.into(), pool),
        }
    }
    expected
}

/// Writes at most `window` bytes a call and at most `calls` calls.
fn drain(outbox: &mut Outbox, pool: &mut BufferPool, window: usize, calls: usize) -> (Vec<u8>, bool) {
    let mut written = Vec::new();
    let mut calls_left = calls;
    let outcome = outbox.write_with(pool, |parts| {
        if calls_left == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        calls_left -= 1;
        assert!(parts.iter().all(|part| !part.is_empty()), "an empty part costs the kernel time");
        let offered: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let taken = offered.len().min(window);
        written.extend_from_slice(&offered[..taken]);
        Ok(taken)
    });
    (written, outcome.is_ok())
}

#[test]
fn what_was_appended_is_written_in_order_whatever_the_socket_takes() {
    let cases: &[&[Put]] = &[
        &[],
        &[Copied(1)],
        &[Payload(5)],
        &[Copied(3), Payload(5)],
        &[Payload(5), Copied(3)],
        &[Copied(3), Payload(5), Copied(2), Payload(1), Payload(7), Copied(4)],
        &[Payload(2), Payload(0), Copied(0), Payload(3)],
    ];
    for puts in cases {
        for window in [1, 2, 3, 7, 1000] {
            let (mut outbox, mut pool) = (Outbox::default(), BufferPool::default());
            let expected = put(&mut outbox, &mut pool, puts, &mut 0);
            assert_eq!(outbox.len(), expected.len());
            assert_eq!(drain(&mut outbox, &mut pool, window, 1000), (expected, true));
            assert!(outbox.is_empty());
        }
    }
}

#[test]
fn appending_goes_on_between_partial_writes() {
    let (mut outbox, mut pool) = (Outbox::default(), BufferPool::default());
    let (mut expected, mut written, mut next) = (Vec::new(), Vec::new(), 0);
    for round in 0..200 {
        let puts = [Copied(round % 11), Payload(round % 7), Copied(round % 3)];
        expected.extend(put(&mut outbox, &mut pool, &puts, &mut next));
        written.extend(drain(&mut outbox, &mut pool, 1 + round % 5, 2).0);
        assert_eq!(written.len() + outbox.len(), expected.len());
    }
    written.extend(drain(&mut outbox, &mut pool, 13, usize::MAX).0);
    assert_eq!(written, expected);
}

#[test]
fn an_empty_outbox_owns_no_buffer() {
    let (mut outbox, mut pool) = (Outbox::default(), BufferPool::default());
    put(&mut outbox, &mut pool, &[Copied(100), Payload(100)], &mut 0);
    drain(&mut outbox, &mut pool, 1000, 10);
    assert!(outbox.0.is_none(), "{outbox:?}");
}

#[test]
fn a_reader_that_is_always_behind_does_not_make_the_buffer_grow() {
    let (mut outbox, mut pool) = (Outbox::default(), BufferPool::default());
    let mut next = 0;
    put(&mut outbox, &mut pool, &[Copied(50_000), Payload(100), Copied(50_000)], &mut next);
    for _ in 0..1000 {
        put(&mut outbox, &mut pool, &[Copied(10_000)], &mut next);
        drain(&mut outbox, &mut pool, 10_000, 1);
    }
    assert_eq!(outbox.len(), 100_100);
    let capacity = outbox.0.expect("it is not empty").copied.capacity();
    assert!(capacity < 1_000_000, "{capacity}");
}

#[test]
fn more_parts_than_one_write_takes_are_written_by_several() {
    let (mut outbox, mut pool) = (Outbox::default(), BufferPool::default());
    let puts: Vec<Put> = (0..PARTS_MAX).flat_map(|_| [Copied(1), Payload(2)]).collect();
    let expected = put(&mut outbox, &mut pool, &puts, &mut 0);
    assert_eq!(drain(&mut outbox, &mut pool, usize::MAX, 2), (expected, true));
}

#[test]
fn a_copied_frame_can_be_patched_behind_others() {
    let (mut outbox, mut pool) = (Outbox::default(), BufferPool::default());
    outbox.copy(&[1, 2, 3], &mut pool);
    outbox.copy(&[4, 5, 6], &mut pool)[1..].copy_from_slice(&[8, 9]);
    assert_eq!(drain(&mut outbox, &mut pool, 100, 1), (vec![1, 2, 3, 4, 8, 9], true));
}

#[test]
fn a_socket_that_takes_nothing_is_an_error() {
    let (mut outbox, mut pool) = (Outbox::default(), BufferPool::default());
    outbox.copy(&[1], &mut pool);
    let outcome = outbox.write_with(&mut pool, |_| Ok(0));
    assert_eq!(outcome.expect_err("no progress").kind(), io::ErrorKind::WriteZero);
}
