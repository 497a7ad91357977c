//! Owns the proof that sources combine as documented; what is said about wrong values and whether
//! the catalogue is complete have files of their own.

mod catalogue;
mod problems;

use super::*;

/// Loads on a machine of three cores. The file is called `mqttd.toml`; flags are given as `--set`
/// would.
fn load(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Loaded, Vec<Problem>> {
    let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
    let flags = flags.iter().map(|(key, value)| Entry {
        origin: Origin::Flag(format!("--set {key}")),
        key: (*key).to_owned(),
        raw: Raw::Untyped((*value).to_owned()),
    });
    Loaded::from_sources(&Sources {
        file: file::entries("mqttd.toml", file),
        environment: environment::entries(environment),
        flags: flags.collect(),
        cores: 3,
    })
}

fn settings(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Settings {
    load(file, environment, flags).unwrap_or_else(|problems| panic!("{problems:#?}")).settings
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let file = "limits.receive_maximum = 1";
    let environment = ("MQTTD_LIMITS_RECEIVE_MAXIMUM", "2");
    let (flag, later_flag) = (("limits.receive_maximum", "3"), ("limits.receive_maximum", "4"));
    for (file, environment, flags, expected) in [
        ("", &[][..], &[][..], 1024),
        (file, &[], &[], 1),
        ("", &[environment], &[], 2),
        ("", &[], &[flag], 3),
        (file, &[environment], &[], 2),
        (file, &[], &[flag], 3),
        ("", &[environment], &[flag], 3),
        (file, &[environment], &[flag], 3),
        (file, &[environment], &[flag, later_flag], 4),
    ] {
        let found = settings(file, environment, flags).engine.limits.receive_maximum;
        assert_eq!(found, expected, "{file:?} {environment:?} {flags:?}");
    }
}

#[test]
fn a_list_replaces_the_list_of_a_weaker_source() {
    let file = r#"listen = ["127.0.0.1:1", "127.0.0.1:2"]"#;
    let addresses =
        |settings: Settings| settings.listen.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    for (environment, flags, expected) in [
        (&[][..], &[][..], "127.0.0.1:1 127.0.0.1:2"),
        (&[("MQTTD_LISTEN", "127.0.0.1:3, [::1]:4")], &[], "127.0.0.1:3 [::1]:4"),
        (
            &[("MQTTD_LISTEN", "127.0.0.1:3")],
            &[("listen", "127.0.0.1:0,127.0.0.1:0")],
            "127.0.0.1:0 127.0.0.1:0",
        ),
    ] {
        assert_eq!(addresses(settings(file, environment, flags)), expected);
    }
}

#[test]
fn rules_of_durability_are_kept_in_their_order() {
    use broker_core::config::Durability::{Disk, Memory, None};
    for (file, flags, expected) in [
        ("", &[][..], &[][..]),
        ("durability = []", &[], &[]),
        ("durability = ['a,b/#=none', '#=memory']", &[], &[("a,b/#", None), ("#", Memory)]),
        ("durability = ['#=memory']", &[("durability", "x=disk, y = none")], &[("x", Disk), ("y", None)]),
        ("durability = ['#=memory']", &[("durability", "")], &[]),
    ] {
        let rules = settings(file, &[], flags).engine.durability;
        let rules: Vec<_> = rules.iter().map(|rule| (rule.filter.as_str(), rule.durability)).collect();
        assert_eq!(rules, expected, "{file:?} {flags:?}");
    }
}

#[test]
fn every_spelling_of_a_value_means_the_same() {
    for (file, flags) in [
        ("limits.packet_bytes_max = 65536", &[][..]),
        ("limits.packet_bytes_max = 65_536", &[]),
        ("limits.packet_bytes_max = 0x1_0000", &[]),
        ("limits.packet_bytes_max = \"64 KiB\"", &[]),
        ("[limits]\npacket_bytes_max = \"64KiB\"", &[]),
        ("limits = { packet_bytes_max = '65536 B' }", &[]),
        ("", &[("limits.packet_bytes_max", "65536")]),
        ("", &[("limits.packet_bytes_max", "64 KiB")]),
    ] {
        assert_eq!(settings(file, &[], flags).engine.limits.packet_bytes_max, 65_536, "{file:?}");
    }
}

#[test]
fn there_is_one_worker_per_core_unless_their_number_is_set() {
    for (file, expected) in [("", 3), ("workers = 0", 3), ("workers = 1", 1), ("workers = 4", 4)] {
        assert_eq!(settings(file, &[], &[]).workers, expected, "{file:?}");
    }
}

#[test]
fn strangers_are_served_only_when_the_operator_says_so() {
    for (listen, loopback) in [
        ("127.0.0.1:1883", true),
        ("[::1]:0,127.0.0.2:0", true),
        ("0.0.0.0:1883", false),
        ("[::]:1883", false),
        ("127.0.0.1:1883,192.0.2.7:1883", false),
    ] {
        for (allow_anonymous, accepted) in [("false", loopback), ("true", true)] {
            let flags = [("listen", listen), ("allow_anonymous", allow_anonymous)];
            let outcome = load("", &[], &flags);
            assert_eq!(outcome.is_ok(), accepted, "{listen} {allow_anonymous}");
        }
    }
}

#[test]
fn the_configuration_in_effect_says_who_set_what() {
    let loaded = load(
        "workers = 4\nlimits.queue_bytes_max = 1536\n",
        &[("MQTTD_CAPABILITIES_RESPONSE_INFORMATION_PREFIX", "say \"x\"\\")],
        &[("limits.receive_maximum", "20"), ("workers", "2")],
    );
    let text = effective(&loaded.expect("good values"));
    let set: Vec<&str> = text.lines().filter(|line| line.contains('#')).collect();
    insta::assert_snapshot!(set.join("\n"), @r##"
    workers = 2  # --set workers
    queue_bytes_max = 1536  # mqttd.toml:2
    receive_maximum = 20  # --set limits.receive_maximum
    response_information_prefix = 'say "x"\'  # MQTTD_CAPABILITIES_RESPONSE_INFORMATION_PREFIX
    "##);
}

#[test]
fn the_configuration_in_effect_is_a_file_that_brings_it_about() {
    let given = load(
        "durability = ['a/#=none', 'b=memory']\nstorage = 'memory'\nlimits.queue_bytes_max = \"3 MiB\"\n\
         capabilities.maximum_qos = 1\nlog.level = \"debug\"",
        &[("MQTTD_QUEUE_POLICY", "hold_publisher"), ("MQTTD_SHARE_STRATEGY", "sticky_topic")],
        &[("data_dir", "a \"quoted\"\\path\n"), ("listen", "[::1]:0,127.0.0.1:0"), ("sys.interval_ms", "0")],
    )
    .expect("good values");
    assert_ne!(given.settings, Settings::default());
    assert_eq!(settings(&effective(&given), &[], &[]), given.settings);
}
