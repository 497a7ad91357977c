//! What a match in the subscription index and a page of retained messages cost, at three sizes. One
//! message on its way through a shard is measured elsewhere.

use std::hint::black_box;
use std::sync::Arc;

use broker_core::retained::{PageLimits, Retainable, RetainedCursor, RetainedLimits, RetainedStore};
use broker_core::subscriptions::{Matches, Subscriber, SubscriptionIndex};
use broker_core::{SessionId, ShardId, Timestamp};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mqtt_codec::QoS;

criterion_group!(benches, matching, subscribing, retained_pages);
criterion_main!(benches);

const SIZES: [(&str, u32); 3] = [("1k", 1_000), ("100k", 100_000), ("1M", 1_000_000)];

/// Topics a round goes through, so that at a million filters most of what a match reads is not in the
/// processor's nearer caches.
const TOPICS: usize = 1 << 16;

fn matching(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("match");
    group.throughput(Throughput::Elements(1));
    for (name, filters) in SIZES {
        let index = index_of(filters);
        let mut random = Random(u64::from(filters));
        let topics: Vec<String> = (0..TOPICS).map(|_| topic(random.below(filters))).collect();
        let mut matches = Matches::new();
        let mut place = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                place = (place + 1) % TOPICS;
                index.matches(black_box(&topics[place]), None, &mut matches);
                black_box(matches.targets().len())
            });
        });
    }
}

fn subscribing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("subscribe and unsubscribe");
    for (name, filters) in SIZES {
        let index = index_of(filters);
        let mut random = Random(u64::from(filters));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || filter(filters + random.below(filters)),
                |filter| {
                    index.subscribe(&filter, subscriber(1));
                    index.unsubscribe(&filter, subscriber(1).session);
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn retained_pages(criterion: &mut Criterion) {
    let store = RetainedStore::new(RetainedLimits { messages_max: usize::MAX, bytes_max: u64::MAX });
    for number in 0..1_000_000 {
        store.set(&topic(number), Retained(Arc::from([0; 100])), Timestamp::ZERO).expect("there is room");
    }
    let limits = PageLimits { messages_max: 100, bytes_max: u64::MAX };
    let mut group = criterion.benchmark_group("retained, a page of 100 in 1M");
    for filter in ["#", "region/+/site/+/device/+/status", "region/7/#"] {
        let mut cursor = RetainedCursor::default();
        let mut out = Vec::new();
        group.bench_function(filter, |bencher| {
            bencher.iter(|| {
                out.clear();
                store.page(black_box(filter), &mut cursor, limits, Timestamp::ZERO, &mut out);
                if out.len() < limits.messages_max {
                    cursor = RetainedCursor::default();
                }
                black_box(out.len())
            });
        });
    }
    group.bench_function("+/7 (nothing matches)", |bencher| {
        bencher.iter(|| out_of_one_page(&store, black_box("+/7"), limits));
    });
}

fn out_of_one_page(store: &RetainedStore<Retained>, filter: &str, limits: PageLimits) -> usize {
    let mut out = Vec::new();
    store.page(filter, &mut RetainedCursor::default(), limits, Timestamp::ZERO, &mut out);
    out.len()
}

#[derive(Clone)]
struct Retained(Arc<[u8]>);

impl Retainable for Retained {
    fn bytes(&self) -> usize {
        self.0.len()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

fn index_of(filters: u32) -> SubscriptionIndex {
    let index = SubscriptionIndex::new(1);
    let mut text_bytes = 0;
    for number in 0..filters {
        let filter = filter(number);
        text_bytes += filter.len();
        index.subscribe(&filter, subscriber(number));
    }
    let bytes = index.memory_bytes();
    let beyond = bytes.saturating_sub(text_bytes) / filters as usize;
    println!("{filters} filters: {} bytes each, {beyond} of them beyond the text", bytes / filters as usize);
    index
}

/// 70 % exact, 20 % with `+`, 10 % with `#`.
fn filter(number: u32) -> String {
    let (region, site) = (number % 100, number % 10_000);
    match number % 10 {
        0..7 => topic(number),
        7 => format!("region/{region}/site/+/device/{number}/status"),
        8 => format!("region/+/site/{site}/device/{number}/+"),
        _ => format!("region/{region}/site/{site}/device/{number}/#"),
    }
}

fn topic(number: u32) -> String {
    format!("region/{}/site/{}/device/{number}/status", number % 100, number % 10_000)
}

fn subscriber(number: u32) -> Subscriber {
    Subscriber {
        session: SessionId::new(ShardId(u16::try_from(number % 4).expect("it is small")), number, 0),
        qos: QoS::AtMostOnce,
        no_local: false,
        retain_as_published: false,
        identifier: 0,
    }
}

/// A linear congruential generator: every run measures the same.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let scaled = ((self.0 >> 32) * u64::from(limit)) >> 32;
        u32::try_from(scaled).expect("it is below the limit")
    }
}
