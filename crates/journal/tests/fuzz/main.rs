//! Owns the same bad luck on every run: inputs from fixed seeds, and the committed corpus of the fuzz target
//! `journal_recovery`. What must hold for them is in `recovery`.

mod recovery;

use recovery::Ending;
use std::{fs, path::Path};

/// SplitMix64: enough for inputs, and the same everywhere.
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
fn whatever_was_changed_only_what_is_there_is_replayed() {
    const INPUTS: u64 = 2_000;
    let mut endings = [0; 3];
    for seed in 0..INPUTS {
        let mut random = Random(seed);
        let length = 1 + usize::try_from(random.next() % 20).unwrap();
        let mut input: Vec<u8> = (0..3).flat_map(|_| random.next().to_le_bytes()).take(length).collect();
        // Changes of a valid log; arbitrary bytes alone are refused at once.
        input[0] = 0;
        let outcome = std::panic::catch_unwind(|| recovery::run(&input));
        let Ok(ending) = outcome else { panic!("seed {seed}: {input:02x?}") };
        endings[ending as usize] += 1;
    }
    for ending in [Ending::Whole, Ending::Torn, Ending::Refused] {
        assert!(endings[ending as usize] > 50, "{ending:?} in {} of {INPUTS}", endings[ending as usize]);
    }
}

#[test]
fn the_reference_reads_what_was_written() {
    let valid = recovery::valid();
    assert_eq!(recovery::reference::recover(&valid).unwrap().len(), 22);
    assert_eq!(recovery::run(&[]), Ending::Whole);
    assert_eq!(recovery::reference::crc32c(b"123456789"), 0xE306_9283, "the check value of CRC32C");
}

#[test]
fn the_corpus_of_the_fuzz_target_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/journal_recovery");
    let mut replayed = 0;
    for entry in fs::read_dir(&corpus).expect("the corpus is there") {
        recovery::run(&fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 10, "{replayed} inputs");
}
