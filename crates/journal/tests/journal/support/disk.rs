//! Owns a disk in memory that may do what a real one may: forget, reorder and tear what was not synced, undo names,
//! fail, fill up, and after a failed sync show bytes that it does not have. What a journal makes of it is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use journal::{Disk, DiskFile, LockError, LockMode};

use super::random::Random;

const SECTOR: usize = 512;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The process is gone, the machine goes on: what was written stays readable.
    Kill,
    /// The power is gone: of what was not synced, any sectors are there, lost or torn.
    PowerLoss,
}

/// What no disk may do, and a checker must find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    Never,
    /// A sync succeeds and does nothing.
    Sync,
    /// One of the directory does.
    SyncDirectory,
}

/// One handle of a disk; the test keeps another.
#[derive(Clone, Debug)]
pub(crate) struct LyingDisk(Arc<Mutex<Platters>>);

#[derive(Debug)]
pub(crate) struct Platters {
    random: Random,
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    unsynced: Vec<NameChange>,
    /// One of so many calls that change something fails; 0 is none.
    pub fails_one_in: u64,
    /// Bytes that fit.
    pub capacity: usize,
    /// Calls that are still carried out, until the power goes.
    pub calls_left: Option<u64>,
    is_locked: bool,
    touched_unix_ms: u64,
    pub syncs: u64,
    pub lie: Lie,
}

#[derive(Debug, Default)]
struct Inode {
    /// What a reader sees.
    bytes: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Is(String, usize),
    /// The file that has the second name now, which is no longer called the first.
    Moved(String, String, usize),
    Removed(String),
}

impl LyingDisk {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Platters {
            random: Random(seed),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced: Vec::new(),
            fails_one_in: 0,
            capacity: usize::MAX,
            calls_left: None,
            is_locked: false,
            touched_unix_ms: 0,
            syncs: 0,
            lie: Lie::Never,
        })))
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Platters> {
        self.0.lock().unwrap()
    }

    /// The bytes of all segments that can be seen, by name.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let inner = self.inner();
        let named =
            inner.names.iter().map(|(name, &inode)| (name.clone(), inner.inodes[inode].bytes.clone()));
        named.filter(|(name, _)| name.ends_with(".log")).collect()
    }

    /// The same without the zeros that are room for what was not written; no record may end with zeros.
    pub(crate) fn files_without_room(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.files();
        for bytes in files.values_mut() {
            bytes.truncate(bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1));
        }
        files
    }

    /// A disk with these files, all durable.
    pub(crate) fn with_files(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let disk = Self::new(0);
        {
            let mut inner = disk.inner();
            for (name, bytes) in files {
                inner.inodes.push(Inode {
                    bytes: bytes.clone(),
                    durable: bytes.clone(),
                    dirty: BTreeSet::new(),
                });
                let inode = inner.inodes.len() - 1;
                inner.names.insert(name.clone(), inode);
                inner.durable_names.insert(name.clone(), inode);
            }
        }
        disk
    }

    /// The process that used the disk is gone, and perhaps the power was; it is back, and the disk works again.
    pub(crate) fn crash(&self, crash: Crash) {
        let mut inner = self.inner();
        inner.is_locked = false;
        inner.calls_left = None;
        inner.fails_one_in = 0;
        if crash == Crash::PowerLoss {
            inner.lose_power();
        }
    }
}

impl Platters {
    fn lose_power(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            if self.random.one_in(2) {
                apply(&mut self.durable_names, change);
            }
        }
        self.names = self.durable_names.clone();
        let random = &mut self.random;
        self.inodes.iter_mut().for_each(|inode| inode.lose_power(random));
    }

    /// The file is not longer than that.
    pub(crate) fn cut_room(&mut self, name: &str, length: usize) {
        let inode = self.names[name];
        self.inodes[inode].bytes.truncate(length);
    }

    /// The system takes what was written for durable, and it is not.
    pub(crate) fn forget_dirty(&mut self) {
        self.inodes.iter_mut().for_each(|inode| inode.dirty.clear());
    }

    /// Every call that changes something passes here.
    fn call(&mut self) -> io::Result<()> {
        self.read_call()?;
        if let Some(left) = &mut self.calls_left {
            *left = left.saturating_sub(1);
        }
        if self.fails_one_in > 0 && self.random.one_in(self.fails_one_in) {
            return Err(ErrorKind::Other.into());
        }
        Ok(())
    }

    fn read_call(&self) -> io::Result<()> {
        if self.calls_left == Some(0) { Err(ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    fn inode(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn change_name(&mut self, change: NameChange) {
        apply(&mut self.names, change.clone());
        self.unsynced.push(change);
    }

    fn used(&self) -> usize {
        self.names.values().map(|&inode| self.inodes[inode].bytes.len()).sum()
    }

    fn write(&mut self, inode: usize, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let called = self.call();
        let room = self.capacity.saturating_sub(self.used());
        let grows = (offset + bytes.len()).saturating_sub(self.inodes[inode].bytes.len());
        let fits = if grows > room { bytes.len() - (grows - room).min(bytes.len()) } else { bytes.len() };
        // A write that fails may have written some of it.
        let written = match &called {
            Ok(()) => fits,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => 0,
            Err(_) => self.random.index(fits + 1),
        };
        self.inodes[inode].write(offset, &bytes[..written]);
        called?;
        if written < bytes.len() { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self, inode: usize) -> io::Result<()> {
        let called = self.call();
        self.syncs += 1;
        match called {
            Ok(()) if self.lie == Lie::Sync => Ok(()),
            Ok(()) => {
                self.inodes[inode].sync();
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(error),
            Err(error) => {
                let mut random = self.random.clone();
                self.inodes[inode].fail_sync(&mut random);
                self.random = random;
                Err(error)
            }
        }
    }
}

fn apply(names: &mut BTreeMap<String, usize>, change: NameChange) {
    match change {
        NameChange::Is(name, inode) => _ = names.insert(name, inode),
        NameChange::Moved(from, to, inode) => {
            names.remove(&from);
            names.insert(to, inode);
        }
        NameChange::Removed(name) => _ = names.remove(&name),
    }
}

impl Inode {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }

    fn sync(&mut self) {
        for sector in std::mem::take(&mut self.dirty) {
            self.keep(sector, SECTOR);
        }
    }

    /// Some sectors get to disk, and the system forgets that the others did not.
    fn fail_sync(&mut self, random: &mut Random) {
        for sector in std::mem::take(&mut self.dirty) {
            if random.one_in(2) {
                self.keep(sector, SECTOR);
            }
        }
    }

    fn lose_power(&mut self, random: &mut Random) {
        for sector in std::mem::take(&mut self.dirty) {
            match random.below(5) {
                0 | 1 => self.keep(sector, SECTOR),
                2 => self.keep(sector, random.index(SECTOR)),
                _ => {}
            }
        }
        self.bytes = self.durable.clone();
    }

    /// The first bytes of a sector get to disk. Sectors before it that did not are zero.
    fn keep(&mut self, sector: usize, length: usize) {
        let start = sector * SECTOR;
        let end = (start + length).min(self.bytes.len());
        if start >= end {
            return;
        }
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[start..end].copy_from_slice(&self.bytes[start..end]);
    }
}

#[derive(Debug)]
struct LyingFile {
    disk: LyingDisk,
    inode: usize,
}

impl Disk for LyingDisk {
    fn place(&self) -> String {
        "data".to_owned()
    }

    fn lock(&self, mode: LockMode) -> Result<(), LockError> {
        let mut inner = self.inner();
        if inner.is_locked {
            return Err(LockError::Held);
        }
        inner.is_locked = mode == LockMode::Alone;
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let inner = self.inner();
        inner.read_call()?;
        Ok(inner.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.inner();
        inner.call()?;
        inner.inodes.push(Inode::default());
        let inode = inner.inodes.len() - 1;
        inner.change_name(NameChange::Is(name.to_owned(), inode));
        Ok(Arc::new(LyingFile { disk: self.clone(), inode }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let inner = self.inner();
        inner.read_call()?;
        Ok(Arc::new(LyingFile { disk: self.clone(), inode: inner.inode(name)? }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.inner();
        inner.call()?;
        let inode = inner.inode(from)?;
        inner.change_name(NameChange::Moved(from.to_owned(), to.to_owned(), inode));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        inner.call()?;
        inner.inode(name)?;
        inner.change_name(NameChange::Removed(name.to_owned()));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut inner = self.inner();
        inner.call()?;
        if inner.lie != Lie::SyncDirectory {
            inner.unsynced.clear();
            inner.durable_names = inner.names.clone();
        }
        Ok(())
    }

    fn touch(&self, now_unix_ms: u64) -> io::Result<()> {
        self.inner().touched_unix_ms = now_unix_ms;
        Ok(())
    }

    fn touched_unix_ms(&self) -> io::Result<u64> {
        Ok(self.inner().touched_unix_ms)
    }
}

impl DiskFile for LyingFile {
    fn len(&self) -> io::Result<u64> {
        let inner = self.disk.inner();
        inner.read_call()?;
        Ok(inner.inodes[self.inode].bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let inner = self.disk.inner();
        inner.read_call()?;
        let bytes = &inner.inodes[self.inode].bytes;
        let rest = bytes.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.inner().write(self.inode, usize::try_from(offset).unwrap(), bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.inner().sync(self.inode)
    }
}
