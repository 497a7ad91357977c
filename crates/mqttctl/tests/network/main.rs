//! Owns the tests of `mqttctl` over a connection: the real program against a server whose every packet a test scripts.
//! What real servers make of it is tested in the workspace's `tests` package.

mod bench;
mod process;
mod publish;
mod refusals;
mod request;
mod server;
mod signals;
mod subscribe;
