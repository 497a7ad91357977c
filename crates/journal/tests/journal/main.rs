//! Owns the proof of the journal's public API: what is durable survives whatever a disk may do, and damage is found.
//! Private layouts are tested beside their code.

mod batches;
mod checkpoints;
mod damage;
mod directory;
mod failing;
mod file_size;
mod format;
mod inspection;
mod power_loss;
mod reclaiming;
mod support;
mod texts;
mod threads;
