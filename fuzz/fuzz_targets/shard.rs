//! Whatever a program of connections, packets and peer messages does, the broker sends each client only what
//! it may be sent.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| dunlin_fuzz::shard(input));
