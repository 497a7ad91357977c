//! Owns the proof of what the operator is told about wrong values, word by word.

use super::*;

fn problems(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    let problems = load(file, environment, flags).expect_err("the values are wrong");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_misspelt_key_is_reported_with_the_nearest_one() {
    let file = r#"
listner = ["127.0.0.1:1883"]
receive_maximum = 20
log_level = "debug"
persistence = true

[limits]
recieve_maximum = 20
max_connections = 5
listen = ["127.0.0.1:1883"]

[limts]
inflight_max = 5

[capabilities.retain]
available = true
"#;
    insta::assert_snapshot!(problems(file, &[], &[]), @r#"
    mqttd.toml:2: unknown key "listner"; did you mean "listen"?
    mqttd.toml:3: unknown key "receive_maximum"; did you mean "limits.receive_maximum"?
    mqttd.toml:4: unknown key "log_level"; did you mean "log.level"?
    mqttd.toml:5: unknown key "persistence"
    mqttd.toml:8: unknown key "limits.recieve_maximum"; did you mean "limits.receive_maximum"?
    mqttd.toml:9: unknown key "limits.max_connections"; did you mean "limits.connections_max"?
    mqttd.toml:10: unknown key "limits.listen"; did you mean "listen"?
    mqttd.toml:12: unknown key "limts"; did you mean "limits"?
    mqttd.toml:15: unknown key "capabilities.retain"
    "#);
}

#[test]
fn a_value_of_the_wrong_type_or_out_of_range_is_reported_with_what_is_right() {
    let file = r#"
workers = "four"
data_dir = ""
allow_anonymous = "yes"
queue_policy = "drop"
storage = "disc"
durability = "sensors/#=memory"
log = "debug"
[limits]
receive_maximum = 0
inflight_max = 65_536
topic_bytes_max = 1.5
connections_max = 99999999999999999999999999999999999999999
packet_bytes_max = "1 mb"
queue_bytes_max = 0
retained_bytes_max = -1
[limits.topic_levels_max]
x = 1
[capabilities]
maximum_qos = 3
response_information_prefix = "a/+"
[[sys]]
interval_ms = 2026-11-22
"#;
    insta::assert_snapshot!(problems(file, &[], &[]), @r#"
    mqttd.toml:2: workers is "four"; it must be an integer from 0 to 1024
    mqttd.toml:3: data_dir is ""; it must be the path of a directory
    mqttd.toml:4: allow_anonymous is "yes"; it must be true or false
    mqttd.toml:5: queue_policy is "drop"; it must be "drop_oldest", "drop_newest" or "hold_publisher"
    mqttd.toml:6: storage is "disc"; it must be "disk" or "memory"
    mqttd.toml:7: durability is "sensors/#=memory"; it must be a list of rules such as ["sensors/#=memory"]
    mqttd.toml:8: log is "debug"; it must be a table, [log]
    mqttd.toml:10: limits.receive_maximum is 0; it must be 1 to 65535
    mqttd.toml:11: limits.inflight_max is 65536; it must be 1 to 65535
    mqttd.toml:12: limits.topic_bytes_max is 1.5; it must be an integer from 1 to 65535
    mqttd.toml:13: limits.connections_max is 99999999999999999999999999999999999999999; it must be an integer from 1 to 1000000000
    mqttd.toml:14: limits.packet_bytes_max is "1 mb"; it must be a number of bytes from 14 to 268435460, as an integer or as "64 KiB"
    mqttd.toml:15: limits.queue_bytes_max is 0; it must be a number of bytes from 1 to 1 PiB, as an integer or as "64 KiB"
    mqttd.toml:16: limits.retained_bytes_max is -1; it must be a number of bytes from 0 to 1 PiB, as an integer or as "64 KiB"
    mqttd.toml:17: limits.topic_levels_max is a table; it must be an integer from 1 to 65535
    mqttd.toml:20: capabilities.maximum_qos is 3; it must be 0 to 2
    mqttd.toml:21: capabilities.response_information_prefix is "a/+"; it must be the beginning of a topic name: at most 1024 bytes, without +, # and NUL
    mqttd.toml:22: sys is [a table]; it must be a table, [sys]
    "#);
}

#[test]
fn a_wrong_address_is_reported_with_how_to_write_one() {
    for (listen, expected) in [
        ("[]", "listen is empty; it must hold an address such as \"127.0.0.1:1883\""),
        (
            "'127.0.0.1:1883'",
            "listen is \"127.0.0.1:1883\"; it must be a list of addresses such as [\"127.0.0.1:1883\"]",
        ),
        ("[1883]", "listen holds 1883; an address is IP:PORT, as 127.0.0.1:1883 or [::1]:1883"),
        (
            "['localhost:1883']",
            "listen holds \"localhost:1883\"; an address is IP:PORT, as 127.0.0.1:1883 or [::1]:1883",
        ),
        ("['[::1]:1883', '[::1]:1883']", "listen holds [::1]:1883 twice; each address must be listed once"),
    ] {
        let file = format!("listen = {listen}");
        assert_eq!(problems(&file, &[], &[]), format!("mqttd.toml:1: {expected}"));
    }
}

#[test]
fn a_wrong_rule_is_reported_by_itself_with_what_is_wrong_with_it() {
    let file = "durability = ['a/#=memory', 'b/#/c=disk']\n";
    let flags = [("durability", "a=memory,b=ram"), ("durability", "a,b=none")];
    insta::assert_snapshot!(problems(file, &[("MQTTD_DURABILITY", "$share/g/a=none")], &flags), @r#"
    mqttd.toml:1: durability holds "b/#/c=disk": "b/#/c" is no topic filter: # is not the whole last level of the Topic Filter
    MQTTD_DURABILITY: durability holds "$share/g/a=none": a rule is about topics; without the share it is "a=none"
    --set durability: durability holds "b=ram": "ram" is no durability; it must be one of disk, memory, none
    --set durability: durability holds "a": a rule is FILTER=disk, FILTER=memory or FILTER=none, as "sensors/#=memory"
    "#);
}

#[test]
fn an_address_for_strangers_is_reported_with_the_setting_that_allows_it() {
    let file = "\nlisten = ['127.0.0.1:1883', '0.0.0.0:1883']";
    insta::assert_snapshot!(problems(file, &[], &[]), @"mqttd.toml:2: listen is 0.0.0.0:1883, which other machines can reach, and no authentication is configured; set allow_anonymous = true to serve them all the same, or listen on 127.0.0.1");
    let flags = [("listen", "[::]:1883")];
    insta::assert_snapshot!(problems(file, &[], &flags), @"--set listen: listen is [::]:1883, which other machines can reach, and no authentication is configured; set allow_anonymous = true to serve them all the same, or listen on 127.0.0.1");
}

#[test]
fn a_syntax_error_does_not_hide_the_rest_of_the_file() {
    let file = r#"
workers =
data_dir = 'a
wrokers = 4
allow_anonymous = false
allow_anonymous = true
listen = [
  "127.0.0.1:1",
  "127.0.0.1:2"
  "127.0.0.1:3" "127.0.0.1:4"
]
[limits]
inflight_max = 0
[limits]
receive_maximum = 0
"#;
    insta::assert_snapshot!(problems(file, &[], &[]), @r#"
    mqttd.toml:2: string values must be quoted, expected literal string: workers =
    mqttd.toml:3: invalid literal string, expected `'`: data_dir = 'a
    mqttd.toml:4: unknown key "wrokers"; did you mean "workers"?
    mqttd.toml:6: duplicate key: allow_anonymous = true
    mqttd.toml:10: missing comma between array elements, expected `,`: "127.0.0.1:3" "127.0.0.1:4"
    mqttd.toml:13: limits.inflight_max is 0; it must be 1 to 65535
    mqttd.toml:14: duplicate key: [limits]
    mqttd.toml:15: limits.receive_maximum is 0; it must be 1 to 65535
    "#);
}

#[test]
fn a_list_without_an_end_is_one_problem() {
    let file = "listen = [\n  '127.0.0.1:1'\n[limits]\ninflight_max = 0\n[log]\nlevel = 'x'\n";
    insta::assert_snapshot!(problems(file, &[], &[]), @"mqttd.toml:3: missing comma between array elements, expected `,`: [limits]");
}

#[test]
fn the_environment_and_flags_are_reported_by_their_own_names() {
    let environment = [
        ("MQTTD_LISTNE", "127.0.0.1:1883"),
        ("MQTTD_CONFG", "mqttd.toml"),
        ("MQTTD_PERSISTENCE", "true"),
        ("MQTTD_WORKERS", "many"),
        ("MQTTD_LIMITS_INFLIGHT_MAX", "0"),
        ("MQTTD_ALLOW_ANONYMOUS", "1"),
        ("MQTTD_LISTEN", ""),
    ];
    let flags = [("limits.recieve_maximum", "20"), ("limits", "20"), ("sys.interval_ms", "-1"), ("", "")];
    insta::assert_snapshot!(problems("", &environment, &flags), @r#"
    MQTTD_ALLOW_ANONYMOUS: allow_anonymous is "1"; it must be true or false
    MQTTD_CONFG: stands for no setting; did you mean MQTTD_CONFIG?
    MQTTD_LIMITS_INFLIGHT_MAX: limits.inflight_max is 0; it must be 1 to 65535
    MQTTD_LISTEN: listen holds ""; an address is IP:PORT, as 127.0.0.1:1883 or [::1]:1883
    MQTTD_LISTNE: stands for no setting; did you mean MQTTD_LISTEN?
    MQTTD_PERSISTENCE: stands for no setting
    MQTTD_WORKERS: workers is "many"; it must be an integer from 0 to 1024
    --set limits.recieve_maximum: unknown key "limits.recieve_maximum"; did you mean "limits.receive_maximum"?
    --set limits: limits is "20"; it must be a table, [limits]
    --set sys.interval_ms: sys.interval_ms is -1; it must be 0 to 4294967295
    --set : unknown key ""
    "#);
}

#[test]
fn what_others_put_into_the_environment_is_left_alone() {
    let environment = [
        ("MQTTD_CONFIG", "elsewhere.toml"),
        ("MQTTD_PORT", "tcp://192.0.2.1:1883"),
        ("MQTTD_PORT_1883_TCP_ADDR", "192.0.2.1"),
        ("MQTTD_SERVICE_HOST", "192.0.2.1"),
        ("MQTTD", "x"),
        ("mqttd_workers", "5"),
        ("PATH", "/bin"),
    ];
    assert_eq!(settings("", &environment, &[]), settings("", &[], &[]));
}

#[test]
fn a_source_that_is_overruled_is_still_checked() {
    let environment = [("MQTTD_WORKERS", "x")];
    insta::assert_snapshot!(problems("workers = -1", &environment, &[("workers", "2")]), @r#"
    mqttd.toml:1: workers is -1; it must be 0 to 1024
    MQTTD_WORKERS: workers is "x"; it must be an integer from 0 to 1024
    "#);
}
