//! Owns the bytes that wait to be written to one connection, in order: copied ones in one buffer,
//! large payloads by reference between them. When they are written is the worker's business.

mod pool;

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf as _, Bytes};

pub(crate) use self::pool::BufferPool;

/// How many parts one vectored write takes: enough for 32 large messages.
const PARTS_MAX: usize = 64;

/// Written bytes at the front of the buffer that are worth moving the others down for.
const DEAD_BYTES_MAX: usize = 64 * 1024;

/// What waits to be written. Empty, it owns nothing. It does not limit itself: whoever appends looks at
/// [`len`](Self::len).
#[derive(Debug, Default)]
pub(crate) struct Outbox(Option<Box<Waiting>>);

/// What waits in an outbox that is not empty: most of very many are, and are to be small.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Everything that was copied; the first `written` bytes are dead.
    copied: Vec<u8>,
    written: usize,
    /// Each goes before the byte of `copied` at its position; positions never fall.
    shared: VecDeque<Shared>,
    /// Bytes waiting, copied and shared.
    len: usize,
}

#[derive(Debug)]
struct Shared {
    position: usize,
    payload: Bytes,
}

impl Outbox {
    /// Bytes that wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |waiting| waiting.len)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends bytes and gives them back for the parts that differ from receiver to receiver.
    #[inline(always)]
    pub(crate) fn copy(&mut self, bytes: &[u8], pool: &mut BufferPool) -> &mut [u8] {
        let waiting = self.0.get_or_insert_with(|| pool.take());
        let start = waiting.copied.len();
        waiting.copied.extend_from_slice(bytes);
        waiting.len += bytes.len();
        &mut waiting.copied[start..]
    }

    /// Appends a payload without copying it.
    pub(crate) fn share(&mut self, payload: Bytes, pool: &mut BufferPool) {
        if payload.is_empty() {
            return;
        }
        let waiting = self.0.get_or_insert_with(|| pool.take());
        waiting.len += payload.len();
        waiting.shared.push_back(Shared { position: waiting.copied.len(), payload });
    }

    /// Writes through `write`, which tells how many of the bytes it was given it took, until nothing
    /// waits. What held them goes back to the pool then.
    ///
    /// # Errors
    /// Those of `write`, `WouldBlock` among them; what it took before is gone from the outbox.
    pub(crate) fn write_with(
        &mut self,
        pool: &mut BufferPool,
        write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<()> {
        if let Some(waiting) = &mut self.0 {
            waiting.write_with(write)?;
        }
        if let Some(written) = self.0.take() {
            pool.give_back(written);
        }
        Ok(())
    }
}

impl Waiting {
    fn write_with(&mut self, mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>) -> io::Result<()> {
        while self.len > 0 {
            let taken = if self.shared.is_empty() {
                write(&[IoSlice::new(&self.copied[self.written..])])?
            } else {
                let mut parts = [IoSlice::new(&[]); PARTS_MAX];
                let count = self.gather(&mut parts);
                write(&parts[..count])?
            };
            if taken == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.advance(taken);
        }
        Ok(())
    }

    /// Lists what waits, in order, as far as there is room for it.
    fn gather<'a>(&'a self, parts: &mut [IoSlice<'a>; PARTS_MAX]) -> usize {
        let copied = |from: usize, to: usize| &self.copied[from..to];
        let mut position = self.written;
        let between = self.shared.iter().flat_map(|shared| {
            let before = copied(position, shared.position);
            position = shared.position;
            [before, &shared.payload]
        });
        let mut count = 0;
        for (slot, part) in parts.iter_mut().zip(between.filter(|part| !part.is_empty())) {
            *slot = IoSlice::new(part);
            count += 1;
        }
        let last = self.shared.back().map_or(self.written, |shared| shared.position);
        if count < PARTS_MAX && last < self.copied.len() {
            parts[count] = IoSlice::new(copied(last, self.copied.len()));
            count += 1;
        }
        count
    }

    /// Forgets the first bytes of what waits.
    fn advance(&mut self, mut taken: usize) {
        assert!(taken <= self.len, "{taken} bytes were written of {}", self.len);
        self.len -= taken;
        while taken > 0 {
            let end = self.shared.front().map_or(self.copied.len(), |shared| shared.position);
            let copied = taken.min(end - self.written);
            self.written += copied;
            taken -= copied;
            if taken > 0 {
                taken = self.advance_shared(taken);
            }
        }
        if self.written > DEAD_BYTES_MAX && self.written > self.copied.len() / 2 {
            self.drop_dead_bytes();
        }
    }

    /// Forgets bytes of the first payload and tells how many are left to be forgotten behind it.
    fn advance_shared(&mut self, taken: usize) -> usize {
        let first = self.shared.front_mut().expect("bytes that were not copied are shared");
        let shared = taken.min(first.payload.len());
        first.payload.advance(shared);
        if first.payload.is_empty() {
            self.shared.pop_front();
        }
        taken - shared
    }

    fn drop_dead_bytes(&mut self) {
        self.copied.drain(..self.written);
        for shared in &mut self.shared {
            shared.position -= self.written;
        }
        self.written = 0;
    }

    /// Bytes of memory held.
    fn capacity_bytes(&self) -> usize {
        self.copied.capacity() + self.shared.capacity() * size_of::<Shared>()
    }

    /// Makes it one that can be used again.
    fn clear(&mut self) {
        self.copied.clear();
        self.written = 0;
        debug_assert!(self.len == 0 && self.shared.is_empty());
    }
}

#[cfg(test)]
mod tests;
