//! Owns the tests of `mqttctl pub -l`: lines as they come, any number of them, in constant memory.

use crate::support::to;
use dunlin_tests::{Broker, Program};
use mqtt_codec::{ProtocolVersion::V5, QoS};
use std::{io::Write, thread};

#[test]
fn each_line_is_published_as_it_comes() {
    let broker = Broker::start();
    let mut wire = broker.connect(V5, "watcher");
    wire.subscribe("a", QoS::AtLeastOnce);
    let mut lines = Program::start(&mut to(&broker, "pub", "-t a -q 1 -l"));
    // The second is written when the first has arrived.
    for line in ["one", "two", "", "four"] {
        lines.write(format!("{line}\n").as_bytes());
        wire.expect_message("a", line);
    }
    lines.write(b"no end of line");
    lines.finish().success();
    wire.expect_message("a", "no end of line");
    wire.ping();
}

/// Far more than could be held unnoticed: what is not yet acknowledged holds the reading back.
#[test]
fn a_hundred_thousand_lines_take_no_more_memory_than_a_thousand() {
    const LINES: usize = 100_000;
    const MEBIBYTE: u64 = 1 << 20;
    for (words, memory_max) in [("-V 311 -q 0", 24 * MEBIBYTE), ("-V 5 -q 1", 24 * MEBIBYTE)] {
        let broker = Broker::start();
        let mut wire = broker.connect(V5, "watcher");
        wire.subscribe("end", QoS::AtLeastOnce);
        let mut lines = Program::start(&mut to(&broker, "pub", &format!("-t a {words} -l")));
        let mut input = lines.take_input();
        let filler = "x".repeat(300);
        let writing = thread::spawn(move || {
            for number in 0..LINES {
                writeln!(input, "{number} {filler}").expect("it reads");
            }
            // The program runs on until its input is closed.
            input
        });
        let input = writing.join().expect("everything is read");
        let peak = lines.peak_memory_bytes();
        assert!(peak < memory_max, "{words}: {peak} bytes for {} bytes of input", LINES * 306);
        drop(input);
        lines.finish().success();
        assert_eq!(published(&broker), LINES, "{words}");
    }
}

/// How many messages the broker says it has received.
fn published(broker: &Broker) -> usize {
    let mut wire = broker.connect(V5, "counter");
    wire.subscribe("$SYS/broker/publish/messages/received", QoS::AtMostOnce);
    // The first figure may be from before; the tree is published again at an interval.
    loop {
        let payload = wire.receive().payload;
        let count = String::from_utf8_lossy(&payload).parse().expect("a number");
        if count != 0 {
            return count;
        }
    }
}

#[test]
fn lines_arrive_complete_and_in_their_order_on_the_other_side() {
    const LINES: usize = 5_000;
    let broker = Broker::with(4, &[("limits.outbox_bytes_max", "64MiB")]);
    let subscriber = crate::support::subscriber(&broker, &format!("-V 5 -q 2 -t a -C {LINES}"));
    let mut lines = Program::start(&mut to(&broker, "pub", "-V 5 -t a -q 2 -l"));
    let mut input = lines.take_input();
    let text: String = (0..LINES).map(|number| format!("{number}\n")).collect();
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    lines.finish().success();
    let received = subscriber.finish().success();
    assert_eq!(received, (0..LINES).map(|number| number.to_string()).collect::<Vec<_>>());
}
