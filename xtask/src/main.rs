//! The project's own runner: every check, benchmark and generator.

fn main() {}
