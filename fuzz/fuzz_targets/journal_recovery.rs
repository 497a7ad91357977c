//! Whatever stands in the segments of a journal, opening it invents, alters and passes over nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| dunlin_fuzz::journal_recovery(input));
