//! Owns how bytes reach standard output: when they are flushed, and that a reader who leaves is no error.
//! What is printed is decided by the commands.

use std::io::{self, IsTerminal, Write};

/// Output waits for company up to this many bytes, 64 KiB, unless a person is watching.
const BLOCK_BYTES: usize = 64 * 1024;

/// Standard output, or any other sink in tests.
///
/// The caller appends one record to [`buffer`](Self::buffer) and calls [`end_record`](Self::end_record);
/// before it waits for more it calls [`flush`](Self::flush), so that nothing lingers in a pipe.
#[derive(Debug)]
pub(crate) struct Output<W> {
    sink: W,
    buffer: Vec<u8>,
    buffering: Buffering,
}

/// When a finished record leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffering {
    /// At once: a person reads along.
    Records,
    /// With its neighbours, when a block is full or the caller is idle.
    Blocks,
}

/// Why no more output is possible.
#[derive(Debug)]
pub(crate) enum OutputError {
    /// The reader closed its end, as `head` does: stop quietly.
    Closed,
    /// The sink failed, for instance because the disk is full.
    Failed(io::Error),
}

impl Output<io::Stdout> {
    /// Standard output, buffered by what it is connected to.
    pub(crate) fn stdout() -> Self {
        let sink = io::stdout();
        let buffering = if sink.is_terminal() { Buffering::Records } else { Buffering::Blocks };
        Self::new(sink, buffering)
    }
}

impl<W: Write> Output<W> {
    /// Output into `sink`.
    pub(crate) const fn new(sink: W, buffering: Buffering) -> Self {
        Self { sink, buffer: Vec::new(), buffering }
    }

    /// Where the next record is appended.
    pub(crate) const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Says that the record is complete, and writes if it is time to.
    ///
    /// # Errors
    /// [`OutputError`]: nothing more can be printed.
    pub(crate) fn end_record(&mut self) -> Result<(), OutputError> {
        match self.buffering {
            Buffering::Records => self.flush(),
            Buffering::Blocks if self.buffer.len() >= BLOCK_BYTES => self.flush(),
            Buffering::Blocks => Ok(()),
        }
    }

    /// Writes everything that has been appended.
    ///
    /// # Errors
    /// [`OutputError`]: nothing more can be printed; what was buffered is gone.
    pub(crate) fn flush(&mut self) -> Result<(), OutputError> {
        let written = self.sink.write_all(&self.buffer).and_then(|()| self.sink.flush());
        self.buffer.clear();
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => OutputError::Closed,
            _ => OutputError::Failed(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, Buffering, Output, OutputError};
    use std::io::{self, Write};

    /// Fails every write with one kind of error.
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_sees_each_record_at_once() {
        let mut output = Output::new(Vec::new(), Buffering::Records);
        output.buffer().extend(b"one\n");
        output.end_record().unwrap();
        assert_eq!(output.sink, b"one\n");
    }

    #[test]
    fn a_pipe_sees_whole_blocks_until_the_caller_is_idle() {
        let mut output = Output::new(Vec::new(), Buffering::Blocks);
        output.buffer().extend(vec![b'x'; BLOCK_BYTES - 1]);
        output.end_record().unwrap();
        assert_eq!(output.sink.len(), 0);
        output.buffer().push(b'x');
        output.end_record().unwrap();
        assert_eq!(output.sink.len(), BLOCK_BYTES);
        output.buffer().push(b'y');
        output.end_record().unwrap();
        assert_eq!(output.sink.len(), BLOCK_BYTES);
        output.flush().unwrap();
        assert_eq!(output.sink.len(), BLOCK_BYTES + 1);
    }

    #[test]
    fn a_reader_that_leaves_is_told_apart_from_a_failure() {
        let flush = |kind| Output::new(Broken(kind), Buffering::Blocks);
        let mut left = flush(io::ErrorKind::BrokenPipe);
        left.buffer().push(b'x');
        assert!(matches!(left.flush(), Err(OutputError::Closed)));
        let mut full = flush(io::ErrorKind::StorageFull);
        full.buffer().push(b'x');
        assert!(
            matches!(full.flush(), Err(OutputError::Failed(error)) if error.kind() == io::ErrorKind::StorageFull)
        );
    }
}
