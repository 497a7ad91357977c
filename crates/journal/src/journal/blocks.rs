//! Owns how bytes are written in whole blocks: together with what the first block holds already, and with zeros behind
//! them. What they are, the writer knows.

use std::io;

use crate::disk::{BLOCK_BYTES, DiskFile};

/// Bytes that are put together at once, of whole blocks. A larger batch is written in several pieces.
const PIECE_BYTES: usize = 1 << 20;

/// What the last block of a file holds, up to the file's end.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    /// What is written behind it makes another one of it.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let length = (self.bytes.len() + bytes.len()) % BLOCK_BYTES;
        match bytes.len().checked_sub(length) {
            Some(before) => {
                self.bytes.clear();
                self.bytes.extend_from_slice(&bytes[before..]);
            }
            // So few that the block is still the same one.
            None => self.bytes.extend_from_slice(bytes),
        }
    }
}

/// Memory in which blocks are put together, aligned as the disk wants it. It has none before it is needed.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    memory: Vec<u8>,
}

impl Blocks {
    /// Writes parts behind each other at `offset`, which is where the file ends whose last block `tail` is. Where the
    /// last block ends.
    pub(super) fn write(
        &mut self,
        file: &dyn DiskFile,
        offset: u64,
        tail: &Tail,
        parts: &[&[u8]],
    ) -> io::Result<u64> {
        if self.memory.is_empty() {
            // The system gives zeroed memory a page at a time, as it is used: small batches use one.
            self.memory = vec![0; PIECE_BYTES + BLOCK_BYTES];
        }
        // It may be unable to tell; then the system refuses the memory, and the file takes another way.
        let start = self.memory.as_ptr().align_offset(BLOCK_BYTES) % BLOCK_BYTES;
        let piece = &mut self.memory[start..start + PIECE_BYTES];
        let mut at = offset - tail.bytes.len() as u64;
        let mut filled = 0;
        for mut part in [&[&*tail.bytes], parts].into_iter().flatten().copied() {
            while !part.is_empty() {
                let (now, later) = part.split_at(part.len().min(PIECE_BYTES - filled));
                piece[filled..filled + now.len()].copy_from_slice(now);
                (filled, part) = (filled + now.len(), later);
                if filled == PIECE_BYTES {
                    file.write_blocks_at(at, piece)?;
                    (at, filled) = (at + PIECE_BYTES as u64, 0);
                }
            }
        }
        let end = filled.next_multiple_of(BLOCK_BYTES);
        piece[filled..end].fill(0);
        if end > 0 {
            file.write_blocks_at(at, &piece[..end])?;
        }
        Ok(at + end as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;

    /// What was written, and that it was written in blocks.
    #[derive(Debug, Default)]
    struct Written(Mutex<Vec<u8>>);

    impl DiskFile for Written {
        fn len(&self) -> io::Result<u64> {
            Ok(self.0.lock().len() as u64)
        }

        fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
            unreachable!("nothing reads")
        }

        fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
            let offset = usize::try_from(offset).unwrap();
            assert_eq!((offset % BLOCK_BYTES, bytes.len() % BLOCK_BYTES), (0, 0));
            assert_eq!(bytes.as_ptr().align_offset(BLOCK_BYTES), 0);
            let mut written = self.0.lock();
            let length = written.len().max(offset + bytes.len());
            written.resize(length, 0xff);
            written[offset..offset + bytes.len()].copy_from_slice(bytes);
            Ok(())
        }

        fn sync_data(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whatever_the_lengths_the_file_holds_all_of_it_and_zeros_behind() {
        let (file, mut blocks, mut tail) = (Written::default(), Blocks::default(), Tail::default());
        let mut expected: Vec<u8> = Vec::new();
        let lengths = [1, 4_095, 1, 4_096, 10, 4_086, 70_000, 3 * PIECE_BYTES + 5, PIECE_BYTES, 8, 40];
        for (length, byte) in lengths.into_iter().zip(1..) {
            let bytes = vec![byte; length];
            let end = blocks.write(&file, expected.len() as u64, &tail, &[&bytes]).unwrap();
            tail.push(&bytes);
            expected.extend_from_slice(&bytes);
            assert_eq!(tail.bytes.len(), expected.len() % BLOCK_BYTES);
            let written = file.0.lock();
            assert_eq!(written.len() as u64, end);
            assert!(written[..expected.len()] == expected, "after {length} bytes");
            assert!(written[expected.len()..].iter().all(|&byte| byte == 0));
        }
    }
}
