//! What one PUBLISH costs on its way through a shard, from its frame to the effects of its deliveries, at
//! three sizes of its audience. Sockets and outboxes are the daemon's cost.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dunlin_benches::fan_out::FanOut;
use mqtt_codec::QoS;

criterion_group!(benches, publishing);
criterion_main!(benches);

fn publishing(criterion: &mut Criterion) {
    for (name, qos) in [("publish qos 0", QoS::AtMostOnce), ("publish qos 1", QoS::AtLeastOnce)] {
        let mut group = criterion.benchmark_group(name);
        for subscribers in [1, 10, 1_000] {
            let mut fan_out = FanOut::new(subscribers, qos);
            group.throughput(Throughput::Elements(subscribers));
            group.bench_function(format!("to {subscribers}"), |bencher| bencher.iter(|| fan_out.publish()));
        }
    }
}
