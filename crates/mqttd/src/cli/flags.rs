//! Owns the flags that set settings. They are judged by the configuration, together with the file
//! and the environment.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{Entry, Loaded, Origin, Raw, Sources, file_from_environment};
use crate::error::Error;

/// Flags that every command takes.
#[derive(Debug, Args)]
pub(super) struct SettingFlags {
    /// Read settings from this TOML file [env: MQTTD_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Accept clients here, as IP:PORT; repeatable, port 0 picks a free one [default:
    /// 127.0.0.1:1883]
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<String>,

    /// Keep data in this directory [default: ./mqttd-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,

    /// Run this many worker threads [default: one per core]
    #[arg(long, value_name = "N")]
    workers: Option<String>,

    /// Serve clients from other machines without authentication
    #[arg(long)]
    allow_anonymous: bool,

    /// Write events of this level and above: error, warn, info or debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,

    /// Set any setting by its dotted key, as limits.receive_maximum=20; repeatable, lists are
    /// separated by commas; a flag of its own wins over --set
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
}

impl SettingFlags {
    /// Combines these flags with the environment and the file that they, or else the environment,
    /// name.
    pub(super) fn load(&self) -> Result<Loaded, Error> {
        let file = self.config.clone().or_else(file_from_environment);
        self.load_with_file(file.as_deref())
    }

    /// Combines these flags with the environment and this file.
    pub(super) fn load_with_file(&self, file: Option<&Path>) -> Result<Loaded, Error> {
        let sources = Sources::read(file, std::env::vars_os(), self.entries());
        Loaded::from_sources(&sources).map_err(Error::Configuration)
    }

    /// What the flags say, the strongest last.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self
            .set
            .iter()
            .map(|(key, value)| entry(&format!("--set {key}"), key, Raw::Untyped(value.clone())))
            .collect();
        if !self.listen.is_empty() {
            let addresses = self.listen.iter().cloned().map(Raw::Text).collect();
            entries.push(entry("--listen", "listen", Raw::List(addresses)));
        }
        for (flag, key, value) in [
            ("--data-dir", "data_dir", &self.data_dir),
            ("--workers", "workers", &self.workers),
            ("--log-level", "log.level", &self.log_level),
        ] {
            entries.extend(value.iter().map(|text| entry(flag, key, Raw::Untyped(text.clone()))));
        }
        if self.allow_anonymous {
            entries.push(entry("--allow-anonymous", "allow_anonymous", Raw::Boolean(true)));
        }
        entries
    }
}

fn entry(flag: &str, key: &str, raw: Raw) -> Entry {
    Entry { origin: Origin::Flag(flag.to_owned()), key: key.to_owned(), raw }
}

fn assignment(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
