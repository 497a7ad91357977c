//! Owns the tests of `mqttctl decode` as a process. What it prints of each packet is snapshot by its own tests.

use crate::support::mqttctl;
use dunlin_tests::{Finished, Program};

fn decode(words: &str) -> Finished {
    Finished::from(&mut mqttctl(&format!("decode {words}")))
}

#[test]
fn a_packet_is_printed_as_a_tree() {
    let text = decode("10 0f 00 04 4d 51 54 54 05 02 00 3c 00 00 02 61 62").success().join("\n");
    for expected in ["CONNECT", "ab", "60"] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
}

#[test]
fn json_is_json_with_a_line_per_packet() {
    let lines = decode("--json c000 d000").success();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        serde_json::from_str::<serde_json::Value>(&line).expect("a line of JSON");
    }
}

#[test]
fn a_bad_packet_is_an_error_with_its_reason_and_statement() {
    // [MQTT5-2.1.3-1] in the words of the tool.
    let finished = decode("-V 5 c100");
    assert_eq!(finished.code, Some(1));
    let said = finished.lines.join("\n") + &finished.errors;
    for expected in ["0x81", "MQTT5-2.1.3-1"] {
        assert!(said.contains(expected), "{expected} is missing in {said}");
    }
}

#[test]
fn lines_of_standard_input_are_decoded_as_they_come() {
    let mut program = Program::start(&mut mqttctl("decode -V 311 --json"));
    for number in 0..3 {
        program.write(b"c000\n");
        let value: serde_json::Value = serde_json::from_str(&program.line()).expect("a line of JSON");
        assert!(value.to_string().contains("PINGREQ"), "{number}: {value}");
    }
    program.finish().success();
}
