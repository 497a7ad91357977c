//! Owns what the journal asks of a directory and its files, so that a test can put a lying disk in its place. The real
//! one is in `disk/directory`.

mod directory;

pub use directory::Directory;

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

/// Of a block: what every device in use writes as a unit, or a multiple of that.
pub const BLOCK_BYTES: usize = 4096;

/// A directory that holds a journal. File names are plain names without folders.
///
/// A simulated one may do whatever a real one may do when the power fails: lose, reorder and tear (by sectors) whatever
/// was written to a file after its last successful [`DiskFile::sync_data`], and undo any [`create`](Disk::create),
/// [`rename`](Disk::rename) and [`remove`](Disk::remove) after the last successful [`sync_directory`](Disk::sync_directory).
/// A rename is atomic: afterwards the target's name stands for the old file or for the new one, never for neither.
/// Any call may fail. After a failed sync the journal trusts nothing that it had written to that file since the last
/// good one.
///
/// The journal calls it from the thread that commits, `open`, `len` and `read_at` also from threads that read, and
/// `remove` and `sync_directory` from whoever reclaims.
pub trait Disk: Debug + Send + Sync {
    /// What to call the directory in a message, usually its path.
    fn place(&self) -> String;

    /// Takes the lock, until the disk is dropped. To hold it alone creates what it needs; to share it creates nothing.
    ///
    /// # Errors
    /// [`LockError::Held`] if another process holds it.
    fn lock(&self, mode: LockMode) -> Result<(), LockError>;

    /// The names of all files, in any order.
    ///
    /// # Errors
    /// Whatever the system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// A new file, open for reading and writing. One that has this name is emptied.
    ///
    /// # Errors
    /// Whatever the system says.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// An existing file, open for reading.
    ///
    /// # Errors
    /// Whatever the system says.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name; a file that has this name is replaced, in one step.
    ///
    /// # Errors
    /// Whatever the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Who has it open may read on.
    ///
    /// # Errors
    /// Whatever the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns when the names of files are as durable as their contents.
    ///
    /// # Errors
    /// Whatever the system says.
    fn sync_directory(&self) -> io::Result<()>;

    /// Notes that the process lived at this time, in milliseconds since 1970. Need not be durable.
    ///
    /// # Errors
    /// Whatever the system says.
    fn touch(&self, now_unix_ms: u64) -> io::Result<()>;

    /// The last time that was noted, by whatever process; 0 if none was.
    ///
    /// # Errors
    /// Whatever the system says.
    fn touched_unix_ms(&self) -> io::Result<u64>;
}

/// A file of a [`Disk`].
#[expect(clippy::len_without_is_empty, reason = "no file of a journal is ever empty")]
pub trait DiskFile: Debug + Send + Sync {
    /// Bytes it has.
    ///
    /// # Errors
    /// Whatever the system says.
    fn len(&self) -> io::Result<u64>;

    /// Reads into `buffer` and tells how many bytes: fewer than fit only at the end of the file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes`. After an error any part of them may be there.
    ///
    /// # Errors
    /// Whatever the system says.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// The same for whole blocks: the offset and the length are multiples of [`BLOCK_BYTES`], as is the address of
    /// `blocks` in memory. They need not go through the system's cache.
    ///
    /// # Errors
    /// Whatever the system says.
    fn write_blocks_at(&self, offset: u64, blocks: &[u8]) -> io::Result<()> {
        self.write_at(offset, blocks)
    }

    /// Returns when all that was written is durable, with the length of the file.
    ///
    /// # Errors
    /// Whatever the system says; what was written since the last good one may then be lost, whatever later syncs say.
    fn sync_data(&self) -> io::Result<()>;
}

/// How a directory is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Nobody else may lock it: for a journal that is written.
    Alone,
    /// Others may read it too, nobody may write: for inspection.
    Shared,
}

/// Why a directory cannot be locked.
#[derive(Debug)]
pub enum LockError {
    /// Another process holds the lock: wait for it to end.
    Held,
    /// The system refused; its error says why.
    Disk(io::Error),
}

/// A disk that its maker keeps a hand on.
impl<D: Disk + ?Sized> Disk for Arc<D> {
    fn place(&self) -> String {
        (**self).place()
    }

    fn lock(&self, mode: LockMode) -> Result<(), LockError> {
        (**self).lock(mode)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        (**self).list()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        (**self).create(name)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        (**self).open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        (**self).rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        (**self).remove(name)
    }

    fn sync_directory(&self) -> io::Result<()> {
        (**self).sync_directory()
    }

    fn touch(&self, now_unix_ms: u64) -> io::Result<()> {
        (**self).touch(now_unix_ms)
    }

    fn touched_unix_ms(&self) -> io::Result<u64> {
        (**self).touched_unix_ms()
    }
}
