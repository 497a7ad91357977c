//! Owns the same bad luck on every run: mutated packets from fixed seeds, and the committed corpus of the
//! fuzz targets. What must hold for them is in `targets`.

use super::{examples::EXAMPLES, targets};
use std::{fs, path::Path};

/// SplitMix64: enough for mutations, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        // Bytes that mean something somewhere come up more often.
        const TELLING: [u8; 12] = [0, 1, 2, 3, 0x7F, 0x80, 0xFF, b'#', b'+', b'/', b'$', 0x26];
        match self.below(2) {
            0 => TELLING[self.below(TELLING.len())],
            _ => self.next().to_le_bytes()[0],
        }
    }
}

/// One to four changes: a bit, a byte, one more, some less, or a piece of another packet.
fn mutate(packet: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(4) {
        let position = random.below(packet.len() + 1);
        match random.below(5) {
            0 if position < packet.len() => packet[position] ^= 1 << random.below(8),
            1 if position < packet.len() => packet[position] = random.byte(),
            2 if position < packet.len() => drop(packet.drain(position..=position)),
            3 => {
                let start = random.below(other.len());
                let end = start + random.below(other.len() - start);
                packet.splice(position..position, other[start..end].iter().copied());
            }
            _ => packet.insert(position, random.byte()),
        }
    }
    // Half of them with a Remaining Length that fits again, or hardly any would be read further.
    if random.below(2) == 0 && (2..=129).contains(&packet.len()) && packet[1] < 0x80 {
        packet[1] = u8::try_from(packet.len() - 2).unwrap();
    }
}

#[test]
fn mutated_packets_are_refused_or_come_back_equal() {
    let packets: Vec<Vec<u8>> = EXAMPLES.iter().map(super::examples::Example::bytes).collect();
    let mut accepted = 0;
    const CASES: u64 = 200_000;
    for seed in 0..CASES {
        let mut random = Random(seed);
        let mut packet = packets[random.below(packets.len())].clone();
        mutate(&mut packet, &packets[random.below(packets.len())], &mut random);
        let case = packet.clone();
        let outcome = std::panic::catch_unwind(|| targets::round_trip(&case));
        assert!(outcome.is_ok(), "seed {seed}: {packet:02x?}");
        accepted += u64::from(targets::is_accepted(&packet));
    }
    // Mutations that are all refused prove nothing about what decodes.
    assert!(accepted > CASES / 10, "{accepted}");
}

#[test]
fn the_corpus_of_the_fuzz_targets_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let targets = [
        ("decode", targets::decode as fn(&[u8])),
        ("round_trip", targets::round_trip),
        ("stream", targets::stream),
        ("topic_match", targets::topic_match),
    ];
    for (name, target) in targets {
        let entries = fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut replayed = 0;
        for entry in entries {
            target(&fs::read(entry.unwrap().path()).unwrap());
            replayed += 1;
        }
        assert!(replayed >= 10, "{name} has {replayed} inputs");
    }
}
