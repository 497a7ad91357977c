//! Owns what the system tells about a process: time, memory, switches. What it means is said elsewhere.

use std::fs;
use std::io;
use std::time::Duration;

use crate::error::Error;

/// A process of this machine, as Linux shows it below `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u32);

/// What a process has used since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system time of all its living threads, to the nanosecond.
    pub cpu: Duration,
    /// User time of all its threads, in ticks of 10 ms.
    pub user: Duration,
    /// System time of all its threads, in ticks of 10 ms.
    pub system: Duration,
    /// Bytes of memory it holds now.
    pub resident_bytes: u64,
    /// How often its threads gave up the processor to wait.
    pub voluntary_switches: u64,
    /// How often the processor was taken from them.
    pub involuntary_switches: u64,
    /// Bytes it handed to write calls on files and pipes; most systems leave sockets out.
    pub written_bytes: u64,
}

/// What `stat` counts in: a hundredth of a second on every architecture in use.
const TICK: Duration = Duration::from_millis(10);

impl Process {
    /// The process with that number.
    #[must_use]
    pub const fn of(process_id: u32) -> Self {
        Self(process_id)
    }

    /// The one that makes the load: what it costs itself.
    #[must_use]
    pub fn current() -> Self {
        Self(std::process::id())
    }

    /// Reads what it has used.
    ///
    /// # Errors
    /// [`Error::System`]: it is gone, belongs to somebody else, or this is not Linux.
    pub fn usage(self) -> Result<Usage, Error> {
        self.read().map_err(Error::system("read what the system knows of a process"))
    }

    fn read(self) -> io::Result<Usage> {
        let folder = format!("/proc/{}", self.0);
        let stat = fs::read_to_string(format!("{folder}/stat"))?;
        let status = fs::read_to_string(format!("{folder}/status"))?;
        let io = fs::read_to_string(format!("{folder}/io"))?;
        // The name in parentheses may hold anything, blanks too; user time is the 12th field behind it.
        let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let mut times = behind_name.split_whitespace().skip(11).map(|word| ticks(first_number(word)));
        let mut usage = Usage {
            user: times.next().unwrap_or_default(),
            system: times.next().unwrap_or_default(),
            resident_bytes: field(&status, "VmRSS:") * 1024,
            written_bytes: field(&io, "wchar:"),
            ..Usage::default()
        };
        for thread in fs::read_dir(format!("{folder}/task"))? {
            let thread = thread?.path();
            // One that has ended meanwhile has no files any more.
            let time = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
            let status = fs::read_to_string(thread.join("status")).unwrap_or_default();
            usage.cpu += Duration::from_nanos(first_number(&time));
            usage.voluntary_switches += field(&status, "voluntary_ctxt_switches:");
            usage.involuntary_switches += field(&status, "nonvoluntary_ctxt_switches:");
        }
        Ok(usage)
    }
}

impl Usage {
    /// What was used since `before`; memory is that of now.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            resident_bytes: self.resident_bytes,
            voluntary_switches: self.voluntary_switches.saturating_sub(before.voluntary_switches),
            involuntary_switches: self.involuntary_switches.saturating_sub(before.involuntary_switches),
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
        }
    }
}

fn ticks(count: u64) -> Duration {
    TICK.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    first_number(line.unwrap_or_default())
}

fn first_number(text: &str) -> u64 {
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_a_process_uses_is_seen_to_grow() {
        let script = ["-c", "while :; do :; done"];
        let mut busy = Command::new("sh").args(script).spawn().expect("a shell starts");
        let process = Process::of(busy.id());
        let begin = process.usage().expect("a system with /proc");
        let mut used = Usage::default();
        let deadline = Instant::now() + Duration::from_secs(30);
        while (used.cpu < Duration::from_millis(10) || used.user < TICK) && Instant::now() < deadline {
            used = process.usage().expect("as before").since(begin);
        }
        busy.kill().expect("it runs");
        busy.wait().expect("it is ours");
        assert!(used.cpu >= Duration::from_millis(10) && used.user >= TICK, "{used:?}");
        assert!(used.resident_bytes > 0, "{used:?}");
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        let mut gone = Command::new("true").spawn().expect("a process starts");
        gone.wait().expect("it ends");
        assert!(matches!(Process::of(gone.id()).usage(), Err(Error::System { .. })));
    }
}
