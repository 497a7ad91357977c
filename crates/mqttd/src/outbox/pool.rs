//! Owns the buffers that no outbox needs at the moment, so that the next one that does finds a warm
//! one. What is written into them is the outbox's business.

use super::Waiting;

/// Bytes kept for later use, capacities added up. What comes back beyond it is freed.
const KEPT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The largest buffer kept: one large burst must not stay in memory for ever.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// The capacity of a buffer that is made for want of one to reuse.
const BUFFER_BYTES: usize = 256;

/// The spare buffers of one worker.
#[derive(Debug, Default)]
#[allow(clippy::vec_box, reason = "an outbox owns a box, and is to get it as it is")]
pub(crate) struct BufferPool {
    spare: Vec<Box<Waiting>>,
    kept_bytes: usize,
}

impl BufferPool {
    /// An empty buffer: the one used last, which is most likely still in the processor's cache.
    pub(super) fn take(&mut self) -> Box<Waiting> {
        match self.spare.pop() {
            Some(buffer) => {
                self.kept_bytes -= buffer.capacity_bytes();
                buffer
            }
            None => Box::new(Waiting { copied: Vec::with_capacity(BUFFER_BYTES), ..Waiting::default() }),
        }
    }

    /// Keeps a buffer, or frees it.
    pub(super) fn give_back(&mut self, mut buffer: Box<Waiting>) {
        let bytes = buffer.capacity_bytes();
        if bytes <= BUFFER_BYTES_MAX && self.kept_bytes + bytes <= KEPT_BYTES_MAX {
            buffer.clear();
            self.kept_bytes += bytes;
            self.spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(bytes: usize) -> Box<Waiting> {
        Box::new(Waiting { copied: Vec::with_capacity(bytes), ..Waiting::default() })
    }

    #[test]
    fn a_buffer_comes_back_empty_and_with_its_memory() {
        let mut pool = BufferPool::default();
        let mut buffer = pool.take();
        buffer.copied.resize(10_000, 7);
        let capacity = buffer.capacity_bytes();
        pool.give_back(buffer);
        let again = pool.take();
        assert_eq!((again.copied.len(), again.capacity_bytes(), pool.kept_bytes), (0, capacity, 0));
    }

    #[test]
    fn what_is_kept_is_limited_by_buffer_and_in_all() {
        let mut pool = BufferPool::default();
        pool.give_back(buffer(BUFFER_BYTES_MAX + 1));
        assert_eq!(pool.spare.len(), 0);
        for _ in 0..KEPT_BYTES_MAX / BUFFER_BYTES_MAX + 1 {
            pool.give_back(buffer(BUFFER_BYTES_MAX));
        }
        assert_eq!(pool.spare.len(), KEPT_BYTES_MAX / BUFFER_BYTES_MAX);
        assert_eq!(pool.kept_bytes, KEPT_BYTES_MAX);
    }
}
