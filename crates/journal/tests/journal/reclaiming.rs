//! Owns what holds while files are removed, which may take long: others append, commit and read meanwhile.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::{Disk, DiskFile, LockError, LockMode, Options};

use crate::support::disk::LyingDisk;
use crate::support::{NOW, open, read};

/// How many are removed.
const SEGMENTS: usize = 5;

/// A disk on which a file is removed when the test says so.
#[derive(Debug)]
struct SlowToRemove {
    disk: LyingDisk,
    /// Says that one is being removed.
    begun: SyncSender<()>,
    /// Waits for the leave to go on.
    leave: Mutex<Receiver<()>>,
}

impl Disk for SlowToRemove {
    fn place(&self) -> String {
        self.disk.place()
    }

    fn lock(&self, mode: LockMode) -> Result<(), LockError> {
        self.disk.lock(mode)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(name)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.begun.send(()).expect("the test waits for it");
        // If the test has failed, it goes on, and so do those who should not have waited for it.
        let _ = self.leave.lock().expect("one reclaims").recv_timeout(Duration::from_secs(10));
        self.disk.remove(name)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.disk.sync_directory()
    }

    fn touch(&self, now_unix_ms: u64) -> io::Result<()> {
        self.disk.touch(now_unix_ms)
    }

    fn touched_unix_ms(&self) -> io::Result<u64> {
        self.disk.touched_unix_ms()
    }
}

#[test]
fn records_become_durable_and_are_read_while_a_file_is_being_removed() {
    let disk = LyingDisk::new(0);
    // Every removal may say so without being waited for.
    let ((begun, is_begun), (leave, may_leave)) = (sync_channel(SEGMENTS), sync_channel(0));
    let slow = SlowToRemove { disk: disk.clone(), begun, leave: Mutex::new(may_leave) };
    let (journal, ..) = open(slow, Options { segment_bytes: 1_000, ..Options::default() });
    for _ in 0..SEGMENTS {
        journal.append(&[&[7; 500]]);
        journal.commit(NOW).unwrap();
    }
    let floor = journal.begin_checkpoint();
    let all = journal.append(&[b"all"]);
    journal.commit(NOW).unwrap();
    journal.set_floor(floor);
    journal.commit(NOW).unwrap();
    let files = disk.files().len();
    std::thread::scope(|scope| {
        // Dropped first, also if the test fails: then nothing waits any more.
        let leave = leave;
        let reclaiming = scope.spawn(|| journal.reclaim(NOW).unwrap());
        is_begun.recv().expect("a file is removed");
        for number in 0..10_u8 {
            let position = journal.append(&[&[number; 300]]);
            journal.commit(NOW).unwrap();
            assert!(journal.durable() > position);
            assert_eq!(read(&journal, position), [number; 300]);
        }
        assert_eq!(read(&journal, all), b"all");
        assert!(disk.files().len() > files, "segments have begun, and none has gone");
        drop(leave);
        assert_eq!(reclaiming.join().expect("no panic").segments, SEGMENTS);
    });
    drop(journal);
    disk.crash(crate::support::disk::Crash::PowerLoss);
    assert_eq!(open(disk, Options::default()).2.len(), 11);
}
