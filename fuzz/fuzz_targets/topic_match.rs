//! Legality and matching of topics agree with a reference written for clarity.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| dunlin_fuzz::topic_match(input));
