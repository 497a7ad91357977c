//! MQTT.js, the client for Node, against mqttd: the scenarios of `node/mqttjs_scenarios.js` in each version.

use dunlin_tests::{Broker, Finished, at_once, external, interop_folder, need, script};
use std::{path::Path, process::Command};

/// Plays a scenario with brokers of one and of several workers.
#[track_caller]
fn check(node: &Path, packages: &Path, versions: &[&str], scenario: &str) {
    let cases: Vec<_> = versions.iter().map(|&version| (version, version.to_owned())).collect();
    at_once(&cases, |workers, &version| {
        let broker = Broker::with(workers, &[]);
        let mut command = Command::new(node);
        command.arg(script("tests/node/mqttjs_scenarios.js")).args([&*broker.port(), version, scenario]);
        let finished = Finished::from(command.env("NODE_PATH", packages.join("node_modules")));
        assert_eq!(finished.lines, ["done"], "{}", finished.errors);
    });
}

macro_rules! scenarios {
    ($($test:ident: $scenario:literal in $versions:expr;)*) => {
        $(
            #[test]
            fn $test() {
                let node = need!(external("node"), "node");
                let packages = need!(interop_folder("node"), "MQTT.js");
                check(&node, &packages, &$versions, $scenario);
            }
        )*
    };
}

scenarios! {
    mqttjs_exchanges_messages_of_every_qos: "every_qos" in ["31", "311", "5"];
    mqttjs_retains_and_clears: "retained" in ["311", "5"];
    mqttjs_leaves_its_wills: "wills" in ["311", "5"];
    mqttjs_shares_subscriptions: "shared" in ["311", "5"];
    mqttjs_continues_its_session: "sessions" in ["311", "5"];
    mqttjs_sends_and_receives_properties: "properties" in ["5"];
}
