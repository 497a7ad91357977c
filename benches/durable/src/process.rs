//! Owns what the system tells about a process and about itself. What it means is said elsewhere.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::error::Error;

/// What a process has used since it began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// User and system time of all its threads.
    pub(crate) cpu: Duration,
    /// Bytes it caused to be sent to storage, whole pages of a file as the system counts them.
    pub(crate) written_bytes: u64,
    /// Bytes of memory it holds now.
    pub(crate) resident_bytes: u64,
}

impl Usage {
    pub(crate) fn of(process: u32) -> Result<Self, Error> {
        let read = || -> io::Result<Self> {
            let folder = format!("/proc/{process}");
            let io = fs::read_to_string(format!("{folder}/io"))?;
            let status = fs::read_to_string(format!("{folder}/status"))?;
            Ok(Self {
                cpu: cpu_of_threads(&folder)?,
                written_bytes: field(&io, "write_bytes:"),
                resident_bytes: field(&status, "VmRSS:") * 1024,
            })
        };
        read().map_err(Error::machine("read what the system knows of the broker's process"))
    }

    /// What was used since `before`; memory is that of now.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
            resident_bytes: self.resident_bytes,
        }
    }
}

/// To the nanosecond, where `stat` counts ticks of 10 ms. The threads of a broker live as long as it does.
fn cpu_of_threads(folder: &str) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("{folder}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += first_number(&text);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// How many processes wanted to run, on the average of the last minute.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
}

/// Bytes of the files in a directory; 0 if there is none.
pub(crate) fn directory_bytes(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    first_number(line.unwrap_or_default())
}

fn first_number(text: &str) -> u64 {
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_use_is_seen_to_grow() {
        let before = Usage::of(std::process::id()).expect("a system with /proc");
        let memory = vec![1_u8; 64 << 20];
        assert_eq!(memory.iter().map(|&byte| usize::from(byte)).sum::<usize>(), 64 << 20);
        let used = Usage::of(std::process::id()).expect("as before").since(before);
        assert!(used.cpu > Duration::ZERO, "{used:?}");
        assert!(used.resident_bytes > 64 << 20, "{used:?}");
    }
}
