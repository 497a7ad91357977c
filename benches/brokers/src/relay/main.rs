//! A relay that forwards MQTT frames and does nothing else: the floor that brokers are measured against.
//!
//! It answers CONNECT and SUBSCRIBE as a broker would, learns from the first PUBLISH of a connection who takes
//! its topic, and from then on copies whole frames: those of a publisher to every taker, those of the first
//! taker back to the publisher. It looks at no topic again, checks nothing, keeps nothing, and counts nothing.
//! So it forwards one topic for each publisher, and at QoS 1 and 2 one publisher for each taker.

mod connection;
mod frames;
mod relay;

use std::net::SocketAddr;
use std::process::ExitCode;

use crate::relay::Relay;

fn main() -> ExitCode {
    let address = std::env::args().nth(1).and_then(|address| address.parse::<SocketAddr>().ok());
    let Some(address) = address else {
        eprintln!("usage: relay ADDRESS:PORT");
        return ExitCode::from(2);
    };
    let served = Relay::listen(address).and_then(|mut relay| {
        println!("relay listening on {}", relay.address()?);
        relay.serve()
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
