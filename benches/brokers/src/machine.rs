//! Owns what a report says of the machine and the time it was made on. It judges neither.

use std::fs;
use std::process::Command;
use std::thread;

/// Where and when was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    /// How many processes wanted to run before anything was measured, on the average of a minute: what is more than
    /// none disturbs.
    pub(crate) load_average: String,
}

impl Machine {
    /// This one, now. What the system does not tell is left empty.
    pub(crate) fn current() -> Self {
        let first_word = |path| read(path).split_whitespace().next().unwrap_or_default().to_owned();
        Self {
            date: today(),
            processor: field(&read("/proc/cpuinfo"), "model name").to_owned(),
            cores: thread::available_parallelism().map_or(0, usize::from),
            memory: memory(&read("/proc/meminfo")),
            kernel: first_word("/proc/sys/kernel/osrelease"),
            load_average: first_word("/proc/loadavg"),
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The standard library knows no calendar.
fn today() -> String {
    let output = Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]).output();
    output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned()).unwrap_or_default()
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
}

fn memory(text: &str) -> String {
    let kib = field(text, "MemTotal").split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
    kib.map_or_else(String::new, |kib| format!("{} MiB", kib / 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_understood() {
        assert_eq!(memory("MemFree: 1 kB\nMemTotal:       8139204 kB\n"), "7948 MiB");
        assert_eq!(memory(""), "");
        let text = "processor\t: 0\nmodel name\t: A Processor @ 2 GHz\nmodel name\t: Another\n";
        assert_eq!(field(text, "model name"), "A Processor @ 2 GHz");
    }
}
