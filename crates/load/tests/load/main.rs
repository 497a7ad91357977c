//! Owns the tests of a load over connections: real sockets to a server whose every packet a test scripts. What real
//! brokers make of it is tested in the workspace's `tests` package.

mod delivery;
mod flow;
mod refusals;
mod server;
