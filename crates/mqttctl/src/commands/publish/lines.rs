//! Owns standard input as a stream of lines, read in a thread of its own because reading cannot be given up.
//! What a line becomes is not known here.

use crate::error::Error;
use bytes::{Bytes, BytesMut};
use mqtt_codec::MAXIMUM_PACKET_BYTES;
use std::{
    io::{self, Read},
    thread,
};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// How much is read at once, 64 KiB.
const BLOCK_BYTES: usize = 64 * 1024;

/// How many blocks wait for the publisher: enough that reading and sending overlap.
const BLOCKS_WAITING: usize = 4;

/// The lines to come. What was read and not yet asked for is bounded by [`BLOCKS_WAITING`] blocks and a line.
#[derive(Debug)]
pub(super) struct Lines {
    blocks: Receiver<io::Result<Vec<Bytes>>>,
}

impl Lines {
    /// Begins to read standard input.
    pub(super) fn of_standard_input() -> Self {
        let (sender, blocks) = mpsc::channel(BLOCKS_WAITING);
        thread::spawn(move || read(io::stdin().lock(), &sender, MAXIMUM_PACKET_BYTES as usize));
        Self { blocks }
    }

    /// The lines of the next block, as soon as there is one; none at the end of input.
    ///
    /// # Errors
    /// Input cannot be read.
    ///
    /// Cancel safe: lines are either returned or still there.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Bytes>>, Error> {
        let block = self.blocks.recv().await.transpose();
        block.map_err(|error| Error::local(format!("cannot read standard input: {error}")))
    }
}

/// Reads to the end, or until nobody wants more.
fn read(mut input: impl Read, blocks: &Sender<io::Result<Vec<Bytes>>>, line_bytes_max: usize) {
    let mut splitter = Splitter::default();
    loop {
        let lines = match splitter.fill(&mut input) {
            Ok(0) => break,
            Ok(_) if splitter.buffer.len() > line_bytes_max + BLOCK_BYTES => Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("a line is longer than {line_bytes_max} bytes, the most a packet can hold"),
            )),
            Ok(_) => Ok(splitter.lines()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = lines.is_err();
        if blocks.blocking_send(lines).is_err() || is_last {
            return;
        }
    }
    // A last line without its end is a line as well. Nobody waiting for it is no concern of ours.
    if !splitter.buffer.is_empty() {
        let _ = blocks.blocking_send(Ok(vec![splitter.buffer.freeze()]));
    }
}

/// Cuts input into lines that share its memory.
#[derive(Debug, Default)]
struct Splitter {
    /// What was read of lines that have not ended.
    buffer: BytesMut,
    /// How much of it is known to hold no end of line.
    searched: usize,
}

impl Splitter {
    fn fill(&mut self, input: &mut impl Read) -> io::Result<usize> {
        let filled = self.buffer.len();
        self.buffer.resize(filled + BLOCK_BYTES, 0);
        let outcome = input.read(&mut self.buffer[filled..]);
        self.buffer.truncate(filled + outcome.as_ref().copied().unwrap_or(0));
        outcome
    }

    /// The lines that have ended, without their ends.
    fn lines(&mut self) -> Vec<Bytes> {
        let Some(last) = self.buffer[self.searched..].iter().rposition(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return Vec::new();
        };
        let block = self.buffer.split_to(self.searched + last + 1).freeze();
        self.searched = self.buffer.len();
        let whole = block.slice(..block.len() - 1);
        whole.split(|byte| *byte == b'\n').map(|line| block.slice_ref(line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, read};
    use std::io::{self, Read};
    use tokio::sync::mpsc;

    /// Hands out its pieces one read at a time.
    struct Pieces<'a>(Vec<&'a [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    fn lines(pieces: &[&[u8]], line_bytes_max: usize) -> Result<Vec<Vec<u8>>, io::ErrorKind> {
        let (sender, mut blocks) = mpsc::channel(100);
        read(Pieces(pieces.to_vec()), &sender, line_bytes_max);
        drop(sender);
        let mut lines = Vec::new();
        while let Some(block) = blocks.blocking_recv() {
            lines.extend(block.map_err(|error| error.kind())?.into_iter().map(Vec::from));
        }
        Ok(lines)
    }

    fn check(pieces: &[&str], expected: &[&str]) {
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        let expected: Vec<Vec<u8>> = expected.iter().map(|line| line.as_bytes().to_vec()).collect();
        assert_eq!(lines(&pieces, 1000), Ok(expected), "{pieces:?}");
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut_into_reads() {
        check(&[], &[]);
        check(&["a\nb\n"], &["a", "b"]);
        check(&["a\n", "b\n"], &["a", "b"]);
        check(&["a", "\nb", "c", "d\ne\nf", "\n"], &["a", "bcd", "e", "f"]);
    }

    #[test]
    fn empty_lines_carriage_returns_and_a_last_line_without_an_end_are_kept() {
        check(&["\n\na\r\n"], &["", "", "a\r"]);
        check(&["a\nb"], &["a", "b"]);
        check(&["a\n", "", "never read"], &["a"]);
    }

    #[test]
    fn a_line_that_fits_no_packet_is_an_error_and_not_read_to_its_end() {
        let block = vec![b'x'; BLOCK_BYTES];
        let at_the_limit: [&[u8]; 3] = [&block, &block, b"\n"];
        assert_eq!(lines(&at_the_limit, BLOCK_BYTES + 1).map(|lines| lines.len()), Ok(1));
        let beyond: [&[u8]; 4] = [b"a\n", &block, &block, &block];
        assert_eq!(lines(&beyond, BLOCK_BYTES), Err(io::ErrorKind::FileTooLarge));
    }
}
