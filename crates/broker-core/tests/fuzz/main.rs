//! Owns the same bad luck on every run: programs from fixed seeds, and the committed corpus of the fuzz
//! target `shard`. What must hold for them is in `shard`.

mod planted;
#[path = "shard.rs"]
mod shard;

use mqtt_codec::PacketType;
use std::{fs, path::Path};

/// SplitMix64: enough for programs, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[test]
fn whatever_happens_each_client_is_sent_only_what_it_may_be_sent() {
    const PROGRAMS: u64 = 2000;
    let mut heard = shard::Heard::default();
    for seed in 0..PROGRAMS {
        let mut random = Random(seed);
        let program: Vec<u8> = (0..40).flat_map(|_| random.next().to_le_bytes()).collect();
        let outcome = std::panic::catch_unwind(|| shard::run(&program));
        let Ok(counts) = outcome else { panic!("seed {seed}: {program:02x?}") };
        heard.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    // Programs that get nowhere prove nothing.
    let server_packets = [
        PacketType::ConnAck,
        PacketType::Publish,
        PacketType::PubAck,
        PacketType::PubRec,
        PacketType::PubRel,
        PacketType::PubComp,
        PacketType::SubAck,
        PacketType::UnsubAck,
        PacketType::PingResp,
        PacketType::Disconnect,
    ];
    for packet_type in server_packets {
        let count = heard[packet_type as usize];
        assert!(count > 100, "{packet_type} was heard {count} times in {PROGRAMS} programs");
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the engine knows no files, the corpus of its test is made of them"
)]
fn the_corpus_of_the_fuzz_target_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/shard");
    let mut replayed = 0;
    for entry in fs::read_dir(&corpus).expect("the corpus is there") {
        shard::run(&fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 10, "{replayed} inputs");
}
