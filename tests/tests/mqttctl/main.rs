//! Tests of mqttctl as a process: against mqttd, with its flags, output and exit codes.

mod decode;
mod ends;
mod lines;
mod publish;
mod request;
mod subscribe;
mod support;
