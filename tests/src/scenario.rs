//! Owns in which worlds a test is repeated: brokers of one and of several workers, clients of both versions. A
//! failure names its world.

use crate::{
    broker::{Broker, Settings},
    wire::Wire,
};
use mqtt_codec::ProtocolVersion;
use std::{
    ops::Deref,
    thread::{self, Builder},
};

/// Numbers of workers every test runs with: alone, and with messages that cross between workers.
pub const WORKERS: [usize; 2] = [1, 4];

/// A broker of so many workers and a version to speak to it.
#[derive(Debug)]
pub struct Scenario {
    /// The broker, fresh.
    pub broker: Broker,
    /// What clients speak, if the test does not say otherwise.
    pub version: ProtocolVersion,
}

/// Runs a test with 1 and 4 workers, in 3.1.1 and 5.0.
pub fn everywhere(test: impl Fn(&Scenario) + Sync) {
    everywhere_with(&[], test);
}

/// As [`everywhere`], with settings of the broker.
pub fn everywhere_with(settings: Settings<'_>, test: impl Fn(&Scenario) + Sync) {
    in_worlds(&[ProtocolVersion::V311, ProtocolVersion::V5], settings, test);
}

/// Runs a test with 1 and 4 workers in one version.
pub fn in_version(version: ProtocolVersion, test: impl Fn(&Scenario) + Sync) {
    in_version_with(version, &[], test);
}

/// As [`in_version`], with settings of the broker.
pub fn in_version_with(version: ProtocolVersion, settings: Settings<'_>, test: impl Fn(&Scenario) + Sync) {
    in_worlds(&[version], settings, test);
}

/// Runs a test with 1 and 4 workers in each of these versions, with settings of the broker.
pub fn in_worlds(versions: &[ProtocolVersion], settings: Settings<'_>, test: impl Fn(&Scenario) + Sync) {
    let cases: Vec<_> = versions.iter().map(|&version| (version, format!("{version:?}"))).collect();
    at_once(&cases, |workers, &version| {
        test(&Scenario { broker: Broker::with(workers, settings), version });
    });
}

/// Runs a test with 1 and 4 workers in each of these cases, all at once since most of the time they wait. A case has a
/// name, which its failure tells.
///
/// # Panics
/// If one of them fails, when all have ended.
pub fn at_once<T: Sync>(cases: &[(T, String)], test: impl Fn(usize, &T) + Sync) {
    let test = &test;
    let failed: Vec<String> = thread::scope(|scope| {
        let mut running = Vec::new();
        for workers in WORKERS {
            for (case, name) in cases {
                let name = format!("{name} with {workers} workers");
                let builder = Builder::new().name(name.clone());
                let handle = builder.spawn_scoped(scope, move || test(workers, case)).expect("a thread");
                running.push((name, handle));
            }
        }
        running.into_iter().filter_map(|(name, handle)| handle.join().err().map(|_| name)).collect()
    });
    assert!(failed.is_empty(), "failed in {failed:?}");
}

impl Scenario {
    /// A peer whose CONNECT is still to be sent.
    #[track_caller]
    #[must_use]
    pub fn open(&self) -> Wire {
        self.broker.open(self.version)
    }

    /// A peer that is connected with a session of its own, which ends with the connection.
    #[track_caller]
    #[must_use]
    pub fn connect(&self, client_id: &str) -> Wire {
        self.broker.connect(self.version, client_id)
    }

    /// A peer that is connected with a new session that outlives the connection.
    ///
    /// # Panics
    /// If there was such a session.
    #[track_caller]
    #[must_use]
    pub fn connect_lasting(&self, client_id: &str) -> Wire {
        self.broker.connect_lasting(self.version, client_id)
    }

    /// A peer that continues its session of before.
    ///
    /// # Panics
    /// If there was no such session.
    #[track_caller]
    #[must_use]
    pub fn resume(&self, client_id: &str) -> Wire {
        self.broker.resume(self.version, client_id)
    }
}

impl Deref for Scenario {
    type Target = Broker;

    fn deref(&self) -> &Broker {
        &self.broker
    }
}
