//! What decodes encodes to an equal packet.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| dunlin_fuzz::round_trip(input));
