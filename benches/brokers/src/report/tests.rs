//! Owns what the reports of made-up figures look like.

use insta::assert_snapshot;

use super::*;
use crate::figures::Figure;

fn measured(cpu_us: f64, p50_us: f64, rate: f64) -> Measured {
    let figures = vec![
        Figure::high("messages/s", rate),
        Figure::low("CPU us", cpu_us),
        Figure::noted("load CPU us", 0.3),
        Figure::low("p50 us", p50_us),
    ];
    Measured { figures, faults: Faults::default() }
}

fn row(broker: &str, all: Vec<Measured>) -> Row {
    Row { broker: broker.to_owned(), turns: all.into_iter().map(Ok).collect() }
}

fn section(name: &str, what: &str, aims: &[(&'static str, Aim)], rows: Vec<Row>) -> Section {
    Section { name: name.to_owned(), what: what.to_owned(), aims: aims.to_vec(), rows }
}

/// Two modes and a state, in which everything occurs that can.
fn report() -> Report {
    let mut lossy = measured(0.6, 80.0, 900_000.0);
    lossy.faults = Faults { lost: 3, reordered: 0, duplicated: 1, behind: 1 };
    let three = vec![measured(0.5, 90.0, 1e6), measured(0.36, 92.0, 2e6), measured(0.4, 91.0, 1.5e6)];
    let mut closed = row("rumqttd", Vec::new());
    closed.turns.push(Err("the broker closed the connection of client subscriber-0".to_owned()));
    let pairs = section(
        "pairs-50-q0-64B-window-25",
        "50 pairs, QoS 0, 64 B, MQTT 3.1.1, window 25; latency at 5000 messages published per second",
        &[("CPU us", Aim::TimesFloor(2.0)), ("CPU us", Aim::TimesOneWorker(1.3))],
        vec![
            row("relay", vec![measured(0.2, 75.0, 3e6); 3]),
            row("mqttd 1w", three),
            row("mqttd 2w", vec![lossy]),
            row("mosquitto", vec![measured(9.5, 60.0, 1e5)]),
            closed,
        ],
    );
    let in_5 = section(
        "pairs-50-q0-64B-window-25-v5",
        "50 pairs, QoS 0, 64 B, MQTT 5.0, window 25; latency at 5000 messages published per second",
        &[("CPU us", Aim::TimesVersion311(1.1))],
        vec![
            row("relay", vec![measured(0.2, 75.0, 3e6); 3]),
            row("mqttd 1w", [0.56, 0.378, 0.42].map(|cpu_us| measured(cpu_us, 91.0, 1.4e6)).into()),
        ],
    );
    let resident = |bytes| Measured { figures: vec![Figure::low("B each", bytes)], ..Measured::default() };
    let idle = section(
        "idle",
        "clients that connect, 256 at a time, and do nothing",
        &[("B each", Aim::AtMost(700.0))],
        vec![row("mqttd 1w", vec![resident(610.0)]), row("mosquitto", vec![resident(760.0)])],
    );
    Report {
        machine: Machine {
            date: "2026-01-02 03:04 UTC".to_owned(),
            processor: "A Processor @ 2 GHz".to_owned(),
            cores: 2,
            memory: "7948 MiB".to_owned(),
            kernel: "6.1.0".to_owned(),
            load_average: "0.05".to_owned(),
        },
        brokers: vec![
            ("relay".to_owned(), "forwards frames".to_owned()),
            ("mqttd".to_owned(), "0.1.0".to_owned()),
        ],
        sections: vec![pairs, in_5, idle],
    }
}

#[test]
fn a_section_is_a_table_with_its_remarks_and_verdicts() {
    let report = report();
    assert_snapshot!(report.section_text(&report.sections[0]), @r#"
    50 pairs, QoS 0, 64 B, MQTT 3.1.1, window 25; latency at 5000 messages published per second  (pairs-50-q0-64B-window-25)
                 messages/s  CPU us  x floor  load CPU us  p50 us  x floor
      relay         3000000   0.200     1.00        0.300    75.0     1.00
      mqttd 1w      1500000   0.400     2.00        0.300    91.0     1.21
      mqttd 2w       900000   0.600     3.00        0.300    80.0     1.07
      mosquitto      100000    9.50     47.5        0.300    60.0    0.800
      mqttd 2w: LOST 3, REORDERED 0, DUPLICATED 1
      mqttd 2w: BEHIND the rate in 1 of 1 runs
      rumqttd: FAILED, the broker closed the connection of client subscriber-0
      met: mqttd 1w CPU us 2.00 times the floor, at most 2 (1.80 to 2.50, 2 of 3 met)
      MISSED: mqttd 2w CPU us 3.00 times the floor, at most 2 (once)
      met: mqttd 2w CPU us 1.20 times one worker, at most 1.3 (once)
    "#);
}

#[test]
fn a_mode_in_version_5_is_held_against_its_twin() {
    let report = report();
    assert_snapshot!(report.section_text(&report.sections[1]), @r#"
    50 pairs, QoS 0, 64 B, MQTT 5.0, window 25; latency at 5000 messages published per second  (pairs-50-q0-64B-window-25-v5)
                messages/s  CPU us  x floor  load CPU us  p50 us  x floor
      relay        3000000   0.200     1.00        0.300    75.0     1.00
      mqttd 1w     1400000   0.420     2.10        0.300    91.0     1.21
      met: mqttd 1w CPU us 1.05 times MQTT 3.1.1, at most 1.1 (1.05 to 1.12, 2 of 3 met)
    "#);
}

#[test]
fn the_document_begins_with_what_is_missed() {
    assert_snapshot!(report().markdown(), @r#"
    # Brokers under one load

    - date: 2026-01-02 03:04 UTC
    - machine: 2 cores (A Processor @ 2 GHz), 7948 MiB of memory, Linux 6.1.0, load average before 0.05
    - relay: forwards frames
    - mqttd: 0.1.0

    Every figure is the median of its turns, which the brokers took one after the other, each started anew. `relay`
    forwards frames and does nothing else: the floor. "CPU us" is what the broker's process took, user and system, for a
    delivered message, "x floor" the same beside the relay's of the same turn. Where the turns did not agree whether an aim
    is met, ours and the relay had more of them. Latencies are those at the rate that the mode names, from when a message
    was due. "load CPU us" is what the load took itself. A name with `2w` is the broker with two workers, where it can be
    told.

    ## Aims

    4 of 5 are met.

    | mode | broker | figure | value | turns | aim |  |
    |---|---|---|---|---|---|---|
    | `pairs-50-q0-64B-window-25` | mqttd 2w | CPU us | 3.00 times the floor | once | at most 2 | MISSED |
    | `pairs-50-q0-64B-window-25` | mqttd 1w | CPU us | 2.00 times the floor | 1.80 to 2.50, 2 of 3 met | at most 2 | met |
    | `pairs-50-q0-64B-window-25` | mqttd 2w | CPU us | 1.20 times one worker | once | at most 1.3 | met |
    | `pairs-50-q0-64B-window-25-v5` | mqttd 1w | CPU us | 1.05 times MQTT 3.1.1 | 1.05 to 1.12, 2 of 3 met | at most 1.1 | met |
    | `idle` | mqttd 1w | B each | 610.00 | once | at most 700 | met |

    ## Where a peer wins

    - `pairs-50-q0-64B-window-25`: mosquitto wins in p50 us with 60.0, where mqttd 1w has 91.0 and mqttd 2w has 80.0.

    ## Figures

    ### 50 pairs, QoS 0, 64 B, MQTT 3.1.1, window 25; latency at 5000 messages published per second

    `pairs-50-q0-64B-window-25`

    |  | messages/s | CPU us | x floor | load CPU us | p50 us | x floor |
    |---|--:|--:|--:|--:|--:|--:|
    | relay | 3000000 | 0.200 | 1.00 | 0.300 | 75.0 | 1.00 |
    | mqttd 1w | 1500000 | 0.400 | 2.00 | 0.300 | 91.0 | 1.21 |
    | mqttd 2w | 900000 | 0.600 | 3.00 | 0.300 | 80.0 | 1.07 |
    | mosquitto | 100000 | 9.50 | 47.5 | 0.300 | 60.0 | 0.800 |

    - mqttd 2w: LOST 3, REORDERED 0, DUPLICATED 1
    - mqttd 2w: BEHIND the rate in 1 of 1 runs
    - rumqttd: FAILED, the broker closed the connection of client subscriber-0

    ### 50 pairs, QoS 0, 64 B, MQTT 5.0, window 25; latency at 5000 messages published per second

    `pairs-50-q0-64B-window-25-v5`

    |  | messages/s | CPU us | x floor | load CPU us | p50 us | x floor |
    |---|--:|--:|--:|--:|--:|--:|
    | relay | 3000000 | 0.200 | 1.00 | 0.300 | 75.0 | 1.00 |
    | mqttd 1w | 1400000 | 0.420 | 2.10 | 0.300 | 91.0 | 1.21 |

    ### clients that connect, 256 at a time, and do nothing

    `idle`

    |  | B each |
    |---|--:|
    | mqttd 1w | 610 |
    | mosquitto | 760 |
    "#);
}

#[test]
fn programs_get_medians_and_verdicts() {
    let json = report().json();
    assert_snapshot!(format!("{:#}", json["modes"][0]["rows"][2]), @r#"
    {
      "broker": "mqttd 2w",
      "figures": {
        "messages/s": 900000.0,
        "CPU us": 0.6,
        "load CPU us": 0.3,
        "p50 us": 80.0
      },
      "lost": 3,
      "reordered": 0,
      "duplicated": 1,
      "behind": 1,
      "turns": 1,
      "failures": []
    }
    "#);
    assert_snapshot!(format!("{:#}", json["aims"][0]), @r#"
    {
      "mode": "pairs-50-q0-64B-window-25",
      "broker": "mqttd 1w",
      "figure": "CPU us",
      "value": 2.0,
      "turns": [
        2.5,
        1.7999999999999998,
        2.0
      ],
      "of": "times the floor",
      "at_most": 2.0,
      "met": true
    }
    "#);
}

#[test]
fn what_ours_lost_and_where_it_failed_is_a_fault_and_others_are_not() {
    let mut report = report();
    assert_eq!(report.faults(), 4);
    report.sections[1].rows[1].turns.push(Err("it does not listen".to_owned()));
    assert_eq!(report.faults(), 5);
}

#[test]
fn where_no_peer_wins_the_document_says_so() {
    let mut report = report();
    let mut check = |says: &str| {
        report.sections.remove(0);
        let document = report.markdown();
        assert!(document.contains(says), "{document}");
    };
    check("Nowhere in this run, by 5 % or more.");
    check("Nowhere in this run, by 5 % or more.");
    check("No peer was measured.");
}
