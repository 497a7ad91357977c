//! Owns how a thread with a runtime of its own begins. What it runs is its caller's business.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// A thread to be started.
#[derive(Debug)]
pub(crate) struct Thread {
    /// What the system calls it.
    pub(crate) name: String,
    /// Bytes of address space for its stack; memory is used only as far as it is touched.
    pub(crate) stack_bytes: usize,
}

impl Thread {
    /// Starts the thread and returns when its runtime is there. From then on the thread needs nothing
    /// more that the system could refuse, however many clients come.
    pub(crate) fn start(
        self,
        configure: impl FnOnce(&mut Builder) + Send + 'static,
        run: impl FnOnce(LocalRuntime) + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let (started, starts) = sync_channel(1);
        let body = move || {
            let mut builder = Builder::new_current_thread();
            builder.enable_io().enable_time();
            configure(&mut builder);
            let (runtime, outcome) = match builder.build_local(LocalOptions::default()) {
                Ok(runtime) => (Some(runtime), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Who started the thread waits for this.
            let _ = started.send(outcome);
            if let Some(runtime) = runtime {
                run(runtime);
            }
        };
        let handle = std::thread::Builder::new().name(self.name).stack_size(self.stack_bytes).spawn(body)?;
        match starts.recv() {
            Ok(outcome) => outcome.map(|()| handle),
            Err(_) => Err(io::Error::other("the thread ended before it began")),
        }
    }
}
