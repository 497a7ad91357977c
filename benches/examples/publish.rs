//! Takes PUBLISH packets through a shard, for a profiler to watch: `publish SUBSCRIBERS QOS COUNT`. The cost
//! of one is the difference of two runs with different counts. What is measured is in `fan_out`.

use dunlin_benches::fan_out::FanOut;
use mqtt_codec::QoS;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Some(Ok(subscribers)), Some(Ok(qos)), Some(Ok(count))) =
        (numbers.next(), numbers.next(), numbers.next())
    else {
        panic!("usage: publish SUBSCRIBERS QOS COUNT");
    };
    let qos = u8::try_from(qos).ok().and_then(QoS::from_bits).expect("QoS is 0, 1 or 2");
    let mut fan_out = FanOut::new(subscribers, qos);
    for _ in 0..count {
        fan_out.publish();
    }
}
