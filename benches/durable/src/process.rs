//! Owns what the system tells about a process and about itself. What it means is said elsewhere.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use crate::error::Error;

/// What a process has used since it began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// User and system time of all its threads.
    pub(crate) cpu: Duration,
    /// Bytes it wrote to files. Sockets do not count, nor what the file system makes of it: what the system
    /// calls `write_bytes` are whole folios, which may be a thousand times of what is synced.
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
                written_bytes: field(&io, "wchar:"),
                resident_bytes: field(&status, "VmRSS:") * 1024,
            })
        };
        read().map_err(Error::machine("read what the system knows of a process"))
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
        // One that has ended meanwhile has no file any more.
        let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanoseconds += first_number(&text);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// How many processes wanted to run, on the average of the last minute.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
}

/// Bytes that everybody wrote to the device that holds `path`, since the system began; none if nobody counts.
pub(crate) fn device_written_bytes(path: &Path) -> Option<u64> {
    let device = fs::metadata(path).ok()?.dev();
    // As the C library takes a device number apart.
    let major = ((device >> 8) & 0xFFF) | ((device >> 32) & !0xFFF);
    let minor = (device & 0xFF) | ((device >> 12) & 0xFFFF_FF00);
    let figures = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?;
    let sectors: u64 = figures.split_whitespace().nth(6)?.parse().ok()?;
    Some(sectors * 512)
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
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_a_process_uses_is_seen_to_grow() {
        let script = ["-c", "while :; do :; done"];
        let mut busy = Command::new("sh").args(script).spawn().expect("a shell starts");
        let begin = Usage::of(busy.id()).expect("a system with /proc");
        let mut used = Usage::default();
        let deadline = Instant::now() + Duration::from_secs(30);
        while used.cpu < Duration::from_millis(10) && Instant::now() < deadline {
            used = Usage::of(busy.id()).expect("as before").since(begin);
        }
        busy.kill().expect("it runs");
        busy.wait().expect("it is ours");
        assert!(used.cpu >= Duration::from_millis(10), "{used:?}");
        assert!(used.resident_bytes > 0, "{used:?}");
    }
}
