//! paho-mqtt, the Python client, against mqttd: the scenarios of `python/paho_scenarios.py` in each version.

use dunlin_tests::{Broker, Finished, at_once, external, interop_folder, need, script};
use std::{path::Path, process::Command};

/// Plays a scenario with brokers of one and of several workers.
#[track_caller]
fn check(python: &Path, packages: &Path, versions: &[&str], scenario: &str) {
    let cases: Vec<_> = versions.iter().map(|&version| (version, version.to_owned())).collect();
    at_once(&cases, |workers, &version| {
        let broker = Broker::with(workers, &[]);
        let mut command = Command::new(python);
        command.arg(script("tests/python/paho_scenarios.py")).args([&*broker.port(), version, scenario]);
        let finished = Finished::from(command.env("PYTHONPATH", packages));
        assert_eq!(finished.lines, ["done"], "{}", finished.errors);
    });
}

macro_rules! scenarios {
    ($($test:ident: $scenario:literal in $versions:expr;)*) => {
        $(
            #[test]
            fn $test() {
                let python = need!(external("python3"), "python3");
                let packages = need!(interop_folder("python"), "paho-mqtt");
                check(&python, &packages, &$versions, $scenario);
            }
        )*
    };
}

scenarios! {
    paho_exchanges_messages_of_every_qos: "every_qos" in ["31", "311", "5"];
    paho_retains_and_clears: "retained" in ["311", "5"];
    paho_leaves_its_wills: "wills" in ["311", "5"];
    paho_shares_subscriptions: "shared" in ["311", "5"];
    paho_continues_its_session: "sessions" in ["31", "311", "5"];
    paho_sends_and_receives_properties: "properties" in ["5"];
}
