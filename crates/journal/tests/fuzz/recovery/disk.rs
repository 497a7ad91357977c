//! Owns a disk in memory that does what it is told. Nothing here fails.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use journal::{Disk, DiskFile, LockError, LockMode};

use super::Files;

#[derive(Clone, Debug)]
pub(super) struct PlainDisk(Arc<Mutex<BTreeMap<String, Arc<PlainFile>>>>);

#[derive(Debug)]
struct PlainFile(Mutex<Vec<u8>>);

impl PlainDisk {
    pub(super) fn new(files: Files) -> Self {
        let files = files.into_iter().map(|(name, bytes)| (name, Arc::new(PlainFile(Mutex::new(bytes)))));
        Self(Arc::new(Mutex::new(files.collect())))
    }

    pub(super) fn files(&self) -> Files {
        self.inner().iter().map(|(name, file)| (name.clone(), file.0.lock().unwrap().clone())).collect()
    }

    fn inner(&self) -> MutexGuard<'_, BTreeMap<String, Arc<PlainFile>>> {
        self.0.lock().unwrap()
    }
}

impl Disk for PlainDisk {
    fn place(&self) -> String {
        "data".to_owned()
    }

    fn lock(&self, _mode: LockMode) -> Result<(), LockError> {
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.inner().keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = Arc::new(PlainFile(Mutex::new(Vec::new())));
        self.inner().insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file: Arc<PlainFile> = self.inner().get(name).cloned().ok_or(ErrorKind::NotFound)?;
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.inner();
        let file = files.remove(from).ok_or(ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner().remove(name).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn touch(&self, _now_unix_ms: u64) -> io::Result<()> {
        Ok(())
    }

    fn touched_unix_ms(&self) -> io::Result<u64> {
        Ok(0)
    }
}

impl DiskFile for PlainFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.lock().unwrap();
        let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut own = self.0.lock().unwrap();
        let (start, end) = (usize::try_from(offset).unwrap(), usize::try_from(offset).unwrap() + bytes.len());
        let length = own.len().max(end);
        own.resize(length, 0);
        own[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}
