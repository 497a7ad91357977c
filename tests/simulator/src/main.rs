//! Owns the command line of the simulator: which seeds are run, and what a person reads of it.

use clap::Parser;
use dunlin_simulator::{Detail, Outcome, Plant, run};
use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

/// Runs the whole broker with many clients in one thread, over and over, each time as another seed has it.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    /// Run this one seed.
    #[arg(long, conflicts_with_all = ["seeds", "first"])]
    seed: Option<u64>,
    /// Print everything that happens in it.
    #[arg(long, requires = "seed")]
    verbose: bool,
    /// Run so many seeds.
    #[arg(long, default_value_t = 100, value_name = "N")]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    first: u64,
    /// Plant a bug, to see that it is caught.
    #[arg(long, value_enum)]
    plant: Option<Plant>,
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match command_line.seed {
        Some(seed) => run_one(seed, &command_line),
        None => run_many(&command_line),
    }
}

fn run_one(seed: u64, command_line: &CommandLine) -> ExitCode {
    let detail = if command_line.verbose { Detail::Everything } else { Detail::Recent };
    let outcome = run(seed, command_line.plant, detail);
    if command_line.verbose {
        outcome.lines.iter().for_each(|line| println!("{line}"));
    }
    match &outcome.failure {
        Some(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
        None => {
            let Outcome { publications, simulated_ms, fingerprint, .. } = outcome;
            println!(
                "seed {seed} passed: {publications} messages in {simulated_ms} ms, run {fingerprint:016x}"
            );
            ExitCode::SUCCESS
        }
    }
}

/// Runs seeds on every core; what is printed is in their order all the same.
fn run_many(command_line: &CommandLine) -> ExitCode {
    let next = AtomicU64::new(command_line.first);
    let end = command_line.first.saturating_add(command_line.seeds);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut outcomes: Vec<(u64, Outcome)> = thread::scope(|scope| {
        let work = || {
            let mut outcomes = Vec::new();
            loop {
                let seed = next.fetch_add(1, Relaxed);
                if seed >= end {
                    return outcomes;
                }
                outcomes.push((
                    seed,
                    Outcome { lines: Vec::new(), ..run(seed, command_line.plant, Detail::Recent) },
                ));
            }
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("a run catches its panics")).collect()
    });
    outcomes.sort_by_key(|&(seed, _)| seed);
    let failures: Vec<_> = outcomes.iter().filter_map(|(_, outcome)| outcome.failure.as_ref()).collect();
    for failure in &failures {
        println!("{failure}\n");
    }
    let publications: usize = outcomes.iter().map(|(_, outcome)| outcome.publications).sum();
    let simulated_s: u64 = outcomes.iter().map(|(_, outcome)| outcome.simulated_ms / 1000).sum();
    println!(
        "{} seeds, {} failed: {publications} messages in {simulated_s} simulated seconds",
        outcomes.len(),
        failures.len()
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
