//! Owns what a run is told. What it does with it is decided elsewhere.

use std::{path::PathBuf, time::Duration};

/// What a run is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The broker's program.
    pub mqttd: PathBuf,
    /// Where data directories and logs are made; those of a failing round stay.
    pub directory: PathBuf,
    /// Rounds to run, the first with the number 1.
    pub rounds: u64,
    /// Run this round alone.
    pub only_round: Option<u64>,
    /// What everything follows from that can be decided.
    pub seed: u64,
    /// How long the load of a round lasts, kills and restarts not counted.
    pub load: Duration,
    /// How many times a round kills; drawn from 1 to 4 without.
    pub kills: Option<usize>,
    /// More settings of the broker, as `--set` takes them.
    pub settings: Vec<String>,
    /// How long what must come is waited for.
    pub patience: Duration,
    /// What a kill is.
    pub interruption: Interruption,
    /// Whether `mqttd journal verify` must accept the directory after a round.
    pub inspection: Inspection,
}

/// What a kill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The broker's process is killed, and another one started on its data.
    Kill,
    /// Only the connections of our own clients are cut: a broker that keeps everything in memory must pass, or
    /// the test finds fault where there is none.
    Cut,
}

/// What is done with the data directory after a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// `mqttd journal verify` must accept it.
    Verify,
    /// Nothing.
    Skip,
}
