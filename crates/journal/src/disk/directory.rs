//! Owns the real disk: a directory of the file system. What the files mean is not known here.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use super::{Disk, DiskFile, LockError, LockMode};
use crate::error::OpenError;

/// The file whose lock is that of the directory, and whose modification time is the last sign of life.
const LOCK: &str = "lock";

/// A directory of the file system. Its lock is an advisory one on the file `lock` in it, which the system lifts when
/// the process ends, however it ends.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    lock: Mutex<Option<File>>,
}

impl Directory {
    /// The directory with this path, which is created if it is missing, with its parents.
    ///
    /// # Errors
    /// [`OpenError::CannotCreate`] and [`OpenError::NotADirectory`].
    pub fn create(path: &Path) -> Result<Self, OpenError> {
        match create_durably(path) {
            Ok(()) => Ok(Self::at(path)),
            Err(_) if path.exists() && !path.is_dir() => {
                Err(OpenError::NotADirectory { directory: path.display().to_string() })
            }
            Err(error) => Err(OpenError::CannotCreate { directory: path.display().to_string(), error }),
        }
    }

    /// The directory with this path, which must exist: for inspection.
    ///
    /// # Errors
    /// [`OpenError::Missing`] and [`OpenError::NotADirectory`].
    pub fn existing(path: &Path) -> Result<Self, OpenError> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Ok(Self::at(path)),
            Ok(_) => Err(OpenError::NotADirectory { directory: path.display().to_string() }),
            Err(error) => Err(OpenError::Missing { directory: path.display().to_string(), error }),
        }
    }

    fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), lock: Mutex::new(None) }
    }

    fn open_lock(&self, mode: LockMode) -> io::Result<Option<File>> {
        let path = self.path.join(LOCK);
        match mode {
            LockMode::Alone => {
                OpenOptions::new().write(true).create(true).truncate(false).open(path).map(Some)
            }
            // Without a lock file no journal was ever written here by a process that still lives.
            LockMode::Shared => match File::open(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                other => other.map(Some),
            },
        }
    }
}

impl Disk for Directory {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn lock(&self, mode: LockMode) -> Result<(), LockError> {
        let Some(file) = self.open_lock(mode).map_err(LockError::Disk)? else { return Ok(()) };
        let locked = match mode {
            LockMode::Alone => file.try_lock(),
            LockMode::Shared => file.try_lock_shared(),
        };
        match locked {
            Ok(()) => {
                *self.lock.lock() = Some(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => Err(LockError::Held),
            Err(TryLockError::Error(error)) => Err(LockError::Disk(error)),
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?;
        // A name that is no text is not one of ours.
        entries
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path.join(name);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        let past_cache = open_past_cache(&path);
        Ok(Arc::new(RealFile { file, past_cache }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile { file: File::open(self.path.join(name))?, past_cache: None }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_directory(&self) -> io::Result<()> {
        sync_directory(&self.path)
    }

    fn touch(&self, now_unix_ms: u64) -> io::Result<()> {
        match &*self.lock.lock() {
            Some(file) => file.set_modified(UNIX_EPOCH + Duration::from_millis(now_unix_ms)),
            None => Ok(()),
        }
    }

    fn touched_unix_ms(&self) -> io::Result<u64> {
        match fs::metadata(self.path.join(LOCK)).and_then(|found| found.modified()) {
            Ok(time) => Ok(unix_ms(time)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// Creates a directory and its parents, and makes the names of those it created durable.
fn create_durably(path: &Path) -> io::Result<()> {
    let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
    fs::create_dir_all(path)?;
    for created in missing {
        match created.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent)?,
            Some(_) => sync_directory(Path::new("."))?,
            None => {}
        }
    }
    Ok(())
}

/// A directory is synced through a handle of its own, where the system has such handles.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Windows keeps the names of files durable by itself.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A second handle, whose writes go from our memory to the device. Not every file system has that.
#[cfg(target_os = "linux")]
fn open_past_cache(path: &Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let direct = rustix::fs::OFlags::DIRECT.bits().cast_signed();
    OpenOptions::new().write(true).custom_flags(direct).open(path).ok()
}

/// Elsewhere the cache is worth its price or is told in other ways.
#[cfg(not(target_os = "linux"))]
fn open_past_cache(_path: &Path) -> Option<File> {
    None
}

#[derive(Debug)]
struct RealFile {
    file: File,
    past_cache: Option<File>,
}

impl DiskFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        self.file.metadata().map(|found| found.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match read_some(&self.file, offset + filled as u64, &mut buffer[filled..]) {
                Ok(0) => break,
                Ok(bytes) => filled += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        write_all(&self.file, offset, bytes)
    }

    fn write_blocks_at(&self, offset: u64, blocks: &[u8]) -> io::Result<()> {
        match &self.past_cache {
            Some(file) => match write_all(file, offset, blocks) {
                // The system knows this way, and this device wants larger blocks.
                Err(error) if error.kind() == ErrorKind::InvalidInput => self.write_at(offset, blocks),
                other => other,
            },
            None => self.write_at(offset, blocks),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn write_all(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut written = 0;
    while written < bytes.len() {
        match write_some(file, offset + written as u64, &bytes[written..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(bytes) => written += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn read_some(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(unix)]
fn write_some(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_some(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(windows)]
fn write_some(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
}
