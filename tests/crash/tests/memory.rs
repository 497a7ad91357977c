//! The crash test against a broker that keeps everything in memory: it must fail when the broker is killed, and
//! pass when only connections are cut. A test that never failed would prove nothing.

use dunlin_crash::{Inspection, Interruption, Options, run};
use std::{env, path::PathBuf, time::Duration};

/// A short run against the broker from `DUNLIN_BIN_DIR` or from beside the test program.
fn options(interruption: Interruption, directory: PathBuf) -> Options {
    let beside = || {
        let program = env::current_exe().expect("a test knows its own program");
        program.ancestors().nth(2).expect("a folder above deps").to_owned()
    };
    let mqttd = env::var_os("DUNLIN_BIN_DIR").map_or_else(beside, PathBuf::from).join("mqttd");
    assert!(mqttd.is_file(), "{} does not exist: run `cargo build --workspace` first", mqttd.display());
    Options {
        mqttd,
        directory,
        rounds: 2,
        only_round: None,
        seed: 1,
        load: Duration::from_millis(400),
        kills: Some(2),
        settings: vec!["storage=memory".to_owned()],
        patience: Duration::from_secs(2),
        interruption,
        inspection: Inspection::Skip,
    }
}

#[test]
fn a_broker_that_keeps_everything_in_memory_is_caught_losing_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = options(Interruption::Kill, directory.path().to_owned());
    let (report, failure) = run(&options, |_| ()).expect("the directory can be written");
    let failure = failure.expect("a broker without a disk cannot pass");
    assert!(report.kills() > 0 && failure.losses() > 0, "{failure}");
}

#[test]
fn no_fault_is_found_where_only_connections_are_cut() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut options = options(Interruption::Cut, directory.path().to_owned());
    // What must come does come, and may take its time on a busy machine.
    options.patience = Duration::from_secs(20);
    let (report, failure) = run(&options, |_| ()).expect("the directory can be written");
    assert!(failure.is_none(), "{}", failure.expect("there is one"));
    assert!(report.kills() > 0);
}
