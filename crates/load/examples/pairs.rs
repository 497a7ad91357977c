//! Fifty pairs at QoS 0 for three seconds against the broker at the address that is given: how many messages got
//! through, and what each of them cost this process. With a process id behind it, also what it cost the broker.

use std::error::Error;
use std::time::Duration;

use dunlin_load::{Lifetime, Load, Process, QoS, Target, Topology, Traffic};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("usage: pairs ADDRESS [PROCESS ID]")?.parse()?;
    let broker = arguments.next().map(|id| id.parse().map(Process::of)).transpose()?;

    let mut load = Load::new(Target::new(address))?;
    let traffic = Traffic {
        topology: Topology::Pairs(50),
        topic_prefix: "load".to_owned(),
        qos: QoS::AtMostOnce,
        payload_bytes: 64,
        window: 100,
        rate: None,
        messages: None,
        retain: false,
        lifetime: Lifetime::Connection,
    };
    traffic.open(&mut load)?;
    load.start();
    load.run(Duration::from_millis(500))?;

    let usage =
        || Ok::<_, Box<dyn Error>>((Process::current().usage()?, broker.map(Process::usage).transpose()?));
    let (own_before, broker_before) = usage()?;
    let before = load.tally().delivered;
    load.run(Duration::from_secs(3))?;
    let delivered = load.tally().delivered - before;
    let (own, broker) = usage()?;
    load.stop();
    let loss = load.drain(Duration::from_secs(5))?;
    load.disconnect()?;

    println!("{delivered} messages delivered; {loss}");
    let messages = u32::try_from(delivered)?.max(1);
    println!("{:?} of this process for each", own.since(own_before).cpu / messages);
    if let Some((broker, before)) = broker.zip(broker_before) {
        println!("{:?} of the broker for each", broker.since(before).cpu / messages);
    }
    Ok(())
}
