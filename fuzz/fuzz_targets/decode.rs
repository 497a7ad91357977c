//! Any bytes: a packet or an error, and an answer to every question the packet can be asked.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| dunlin_fuzz::decode(input));
