//! Owns the speed of the codec: each packet decoded borrowed and owned, and encoded.

use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use dunlin_benches::packets::samples;
use mqtt_codec::{MAXIMUM_PACKET_BYTES, Packet, PacketRef, frame};
use std::hint::black_box;

fn codec(criterion: &mut Criterion) {
    for sample in samples() {
        let (version, bytes) = (sample.version, &sample.bytes);
        let mut group = criterion.benchmark_group(sample.name);
        group.bench_function("decode borrowed", |bencher| {
            bencher.iter(|| {
                let frame = frame(black_box(bytes), version, MAXIMUM_PACKET_BYTES).unwrap().unwrap();
                match PacketRef::decode(frame, version).unwrap() {
                    Packet::Publish(publish) => _ = black_box((publish.topic, publish.payload)),
                    Packet::PubAck(ack) => _ = black_box((ack.packet_id, ack.reason)),
                    other => _ = black_box(&other),
                }
            });
        });
        group.bench_function("decode owned", |bencher| {
            bencher.iter(|| {
                black_box(Packet::decode_first(black_box(bytes), version, MAXIMUM_PACKET_BYTES).unwrap())
            });
        });
        let mut out = BytesMut::with_capacity(1_024);
        group.bench_function("encode", |bencher| {
            bencher.iter(|| {
                out.clear();
                black_box(&sample.packet).encode(version, &mut out).unwrap();
                black_box(&out);
            });
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
