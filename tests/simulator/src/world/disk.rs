//! Owns a directory that does all that a real one may do to a journal: it forgets what was not synced, tears it, fills
//! up, fails, and loses power in the middle of anything. When it does so is decided in `power` and `storage`.

mod file;
#[cfg(test)]
mod tests;

use crate::random::Random;
use file::Contents;
use journal::{Disk, DiskFile, LockError, LockMode};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
};

/// The bytes that a disk writes at once: all of them or none.
pub(super) const SECTOR_BYTES: usize = 512;

/// The disk of a run. It outlives every process that uses it.
#[derive(Clone, Debug)]
pub(super) struct LyingDisk(Arc<Mutex<State>>);

/// What a disk does to those who write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It does what it is told.
    Good,
    /// No more than so many bytes in all.
    Full(usize),
    /// Writes fail, and may have written a part.
    FailsWrites,
    /// Syncs fail, and what was to be synced may be dropped although later ones succeed.
    FailsSyncs,
}

#[derive(Debug)]
struct State {
    random: Random,
    health: Health,
    /// Changes until the power fails, if it is to.
    fuse: Option<u32>,
    has_power: bool,
    is_locked: bool,
    /// A plant: it says that it has synced and has not.
    lies_about_syncs: bool,
    /// Every file that has or had a name, by its place here.
    files: Vec<Contents>,
    /// The names as the processes see them.
    names: BTreeMap<String, usize>,
    /// The names that are sure to be there after a power loss.
    durable_names: BTreeMap<String, usize>,
    /// Changes of names since, in their order.
    changes: Vec<Change>,
    touched_unix_ms: u64,
}

/// A change of names that a power loss may undo.
#[derive(Clone, Debug)]
enum Change {
    Create(String, usize),
    Rename(String, String, usize),
    Remove(String),
}

/// What a process has of the disk: it ends with the process.
#[derive(Debug)]
pub(super) struct Mounted(LyingDisk);

/// An open file.
#[derive(Debug)]
struct OpenFile {
    disk: LyingDisk,
    file: usize,
}

impl LyingDisk {
    pub(super) fn new(random: Random) -> Self {
        Self(Arc::new(Mutex::new(State {
            random,
            health: Health::Good,
            fuse: None,
            has_power: true,
            is_locked: false,
            lies_about_syncs: false,
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
            touched_unix_ms: 0,
        })))
    }

    /// The disk as one process has it.
    pub(super) fn mount(&self) -> Mounted {
        Mounted(self.clone())
    }

    pub(super) fn set_health(&self, health: Health) {
        self.state().health = health;
    }

    /// Has the power fail in the middle of the so-manieth change from now.
    pub(super) fn light_fuse(&self, changes: u32) {
        self.state().fuse = Some(changes);
    }

    /// Nothing fails from now on.
    pub(super) fn calm_down(&self) {
        let mut state = self.state();
        state.fuse = None;
        state.health = Health::Good;
    }

    /// Says from now on that it has synced, and has not.
    pub(super) fn lie_about_syncs(&self) {
        self.state().lies_about_syncs = true;
    }

    pub(super) fn has_power(&self) -> bool {
        self.state().has_power
    }

    /// The power fails and comes back: whatever was not synced is there, or not, or torn.
    pub(super) fn lose_power(&self) {
        let mut state = self.state();
        let State { random, files, .. } = &mut *state;
        for file in files {
            file.lose_power(random);
        }
        let mut names = std::mem::take(&mut state.durable_names);
        // A file system may do one change and not the one before it.
        let percent = *state.random.pick(&[0, 50, 100]);
        for change in std::mem::take(&mut state.changes) {
            if state.random.chance(percent) {
                change.apply(&mut names);
            }
        }
        state.durable_names.clone_from(&names);
        state.names = names;
        state.end_process();
        state.has_power = true;
    }

    /// The process is gone, by itself or killed. What it wrote is with the system still.
    pub(super) fn end_process(&self) {
        self.state().end_process();
    }

    /// Removes the oldest file that is a segment, for a plant.
    pub(super) fn lose_first_segment(&self) {
        let mut state = self.state();
        let first = state.names.keys().find(|name| name.ends_with(".log")).cloned();
        if let Some(name) = first.filter(|_| state.names.len() > 3) {
            state.names.remove(&name);
            state.durable_names.remove(&name);
        }
    }

    /// How many files there are, and their bytes.
    pub(super) fn usage(&self) -> (usize, usize) {
        let state = self.state();
        (state.names.len(), state.used())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("one thread uses it")
    }
}

impl State {
    fn used(&self) -> usize {
        self.names.values().map(|&file| self.files[file].len()).sum()
    }

    fn end_process(&mut self) {
        self.is_locked = false;
        self.fuse = None;
        self.health = Health::Good;
    }

    /// Whether the power fails in the middle of the change that is about to be made. None if it has failed before.
    fn burn(&mut self) -> io::Result<Power> {
        if !self.has_power {
            return Err(io::Error::other("there is no power"));
        }
        match &mut self.fuse {
            Some(0) => {
                self.has_power = false;
                Ok(Power::Fails)
            }
            Some(changes) => {
                *changes -= 1;
                Ok(Power::Stays)
            }
            None => Ok(Power::Stays),
        }
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        let power = self.burn()?;
        if power == Power::Stays || self.random.chance(50) {
            change.apply(&mut self.names);
            self.changes.push(change);
        }
        power.result()
    }

    fn write(&mut self, file: usize, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let power = self.burn()?;
        let offset = usize::try_from(offset).expect("a simulated disk is small");
        let end = offset + bytes.len();
        let growth = end.saturating_sub(self.files[file].len());
        let failure = match self.health {
            Health::Good | Health::FailsSyncs => None,
            Health::Full(capacity) if self.used() + growth <= capacity => None,
            Health::Full(_) => Some(io::Error::from(io::ErrorKind::StorageFull)),
            Health::FailsWrites => Some(io::Error::other("a write fails")),
        };
        let written = match (&failure, power) {
            (None, Power::Stays) => bytes.len(),
            (Some(_), _) | (None, Power::Fails) => self.random.index(bytes.len() + 1),
        };
        self.files[file].write(offset, &bytes[..written]);
        failure.map_or(Ok(()), Err)?;
        power.result()
    }

    fn sync(&mut self, file: usize) -> io::Result<()> {
        let power = self.burn()?;
        let State { random, files, .. } = self;
        if self.health == Health::FailsSyncs {
            files[file].fail_sync(random);
            return Err(io::Error::other("a sync fails"));
        }
        // When the power fails on the way, what was on its way is as it is after any power loss.
        if power == Power::Stays && !self.lies_about_syncs {
            files[file].sync();
        }
        power.result()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Power {
    Stays,
    Fails,
}

impl Power {
    fn result(self) -> io::Result<()> {
        match self {
            Self::Stays => Ok(()),
            Self::Fails => Err(io::Error::other("the power fails")),
        }
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Create(name, file) => _ = names.insert(name.clone(), *file),
            Self::Rename(from, to, file) => {
                if names.get(from) == Some(file) {
                    names.remove(from);
                }
                names.insert(to.clone(), *file);
            }
            Self::Remove(name) => _ = names.remove(name),
        }
    }
}

impl Disk for Mounted {
    fn place(&self) -> String {
        "the simulated disk".to_owned()
    }

    fn lock(&self, _: LockMode) -> Result<(), LockError> {
        let mut state = self.0.state();
        if std::mem::replace(&mut state.is_locked, true) { Err(LockError::Held) } else { Ok(()) }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.state().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.0.state();
        if let Health::Full(_) = state.health {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let file = state.files.len();
        state.files.push(Contents::default());
        state.change(Change::Create(name.to_owned(), file))?;
        Ok(Arc::new(OpenFile { disk: self.0.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.0.state().names.get(name).copied();
        let file = file.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Arc::new(OpenFile { disk: self.0.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.state();
        let file = state.names.get(from).copied();
        let file = file.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        state.change(Change::Rename(from.to_owned(), to.to_owned(), file))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.state().change(Change::Remove(name.to_owned()))
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.0.state();
        let power = state.burn()?;
        if state.health == Health::FailsSyncs {
            return Err(io::Error::other("a sync fails"));
        }
        if power == Power::Stays && !state.lies_about_syncs {
            let names = state.names.clone();
            state.durable_names = names;
            state.changes.clear();
        }
        power.result()
    }

    fn touch(&self, now_unix_ms: u64) -> io::Result<()> {
        self.0.state().touched_unix_ms = now_unix_ms;
        Ok(())
    }

    fn touched_unix_ms(&self) -> io::Result<u64> {
        Ok(self.0.state().touched_unix_ms)
    }
}

impl DiskFile for OpenFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.file].len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let offset = usize::try_from(offset).expect("a simulated disk is small");
        Ok(self.disk.state().files[self.file].read(offset, buffer))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.state().write(self.file, offset, bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.state().sync(self.file)
    }
}
