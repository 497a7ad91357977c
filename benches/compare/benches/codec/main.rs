//! Owns the comparison of codecs: the same packets through this codec, rumqttc's and mqttbytes, side by
//! side. A decode is one of a thousand packets in one buffer, as a connection under load has them; the
//! others consume a buffer that is copied for them outside the measurement.

mod mqttbytes_codec;
mod rumqttc_codec;

use bytes::{Bytes, BytesMut};
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use dunlin_compare::packets::{Sample, samples};
use mqtt_codec::{MAXIMUM_PACKET_BYTES, Packet, PacketRef, ProtocolVersion, frame};
use std::hint::black_box;

const PACKETS: usize = 1_000;

fn decode(criterion: &mut Criterion) {
    for sample in samples() {
        let mut group = criterion.benchmark_group(format!("decode {}", sample.name));
        group.throughput(Throughput::Elements(PACKETS as u64));
        let stream = sample.bytes.repeat(PACKETS);
        group.bench_function("dunlin, borrowed", |bencher| {
            bencher.iter(|| drain_borrowed(black_box(&stream), sample.version));
        });
        let shared = Bytes::from(stream.clone());
        group.bench_function("dunlin, owned", |bencher| {
            bencher.iter(|| drain_owned(black_box(&shared), sample.version));
        });
        bench_consuming(&mut group, "rumqttc", &stream, rumqttc_codec::decoder(sample.version));
        bench_consuming(&mut group, "mqttbytes", &stream, mqttbytes_codec::decoder(sample.version));
        group.finish();
    }
}

fn drain_borrowed(mut input: &[u8], version: ProtocolVersion) {
    while let Some(frame) = frame(input, version, MAXIMUM_PACKET_BYTES).unwrap() {
        look_at(PacketRef::decode(frame, version).unwrap());
        input = &input[frame.bytes.len()..];
    }
}

/// What a receiver does with a packet: it asks which it is and takes its fields.
#[inline]
fn look_at(packet: PacketRef<'_>) {
    match packet {
        Packet::Publish(publish) => _ = black_box((publish.topic, publish.properties, publish.payload)),
        Packet::PubAck(ack) => _ = black_box((ack.packet_id, ack.reason)),
        other => _ = black_box(&other),
    }
}

fn drain_owned(input: &Bytes, version: ProtocolVersion) {
    let mut input = input.clone();
    while let Some((packet, length)) = Packet::decode_first(&input, version, MAXIMUM_PACKET_BYTES).unwrap() {
        black_box(&packet);
        input = input.slice(length..);
    }
}

fn bench_consuming(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    stream: &[u8],
    decode_one: fn(&mut BytesMut),
) {
    group.bench_function(name, |bencher| {
        bencher.iter_batched_ref(
            || BytesMut::from(stream),
            |input| {
                while !input.is_empty() {
                    decode_one(input);
                }
            },
            BatchSize::LargeInput,
        );
    });
}

fn encode(criterion: &mut Criterion) {
    for sample in samples() {
        let mut group = criterion.benchmark_group(format!("encode {}", sample.name));
        let Sample { version, packet, bytes, .. } = &sample;
        bench_encode(&mut group, "dunlin", |out| packet.encode(*version, out).unwrap());
        bench_encode(&mut group, "rumqttc", rumqttc_codec::encoder(*version, bytes));
        bench_encode(&mut group, "mqttbytes", mqttbytes_codec::encoder(*version, bytes));
        group.finish();
    }
}

fn bench_encode(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, encode: impl Fn(&mut BytesMut)) {
    let mut out = BytesMut::with_capacity(1_024);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            out.clear();
            encode(&mut out);
            black_box(&out);
        });
    });
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
