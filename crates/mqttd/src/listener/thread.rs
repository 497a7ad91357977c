//! Owns the thread that accepts connections and receives their first packets. How is the listener's and
//! the handshake's business.

use std::io;
use std::rc::Rc;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::oneshot;

use super::Listener;
use crate::handshake::Reception;
use crate::log::Log;

/// Bytes of address space for the thread's stack; memory is used only as far as it is touched.
const STACK_BYTES: usize = 512 * 1024;

/// The running thread.
#[derive(Debug)]
pub(crate) struct Thread {
    handle: JoinHandle<io::Result<()>>,
    stop: oneshot::Sender<()>,
}

impl Thread {
    /// Starts accepting. `guard` is dropped when the thread ends, however it ends.
    pub(crate) fn start(
        listeners: Vec<Listener>,
        reception: impl FnOnce() -> Reception + Send + 'static,
        log: Log,
        guard: impl Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let _guard = guard;
            run(listeners, reception(), &log, stopped)
        };
        let builder = std::thread::Builder::new().name("listener".to_owned()).stack_size(STACK_BYTES);
        Ok(Self { handle: builder.spawn(run)?, stop })
    }

    /// Stops accepting: from here on nobody can connect, and who has not sent a CONNECT is cut off.
    pub(crate) fn stop(self) -> io::Result<()> {
        // A thread that has ended already needs no telling.
        let _ = self.stop.send(());
        self.handle.join().unwrap_or_else(|_| Err(io::Error::other("the listener's thread panicked")))
    }
}

fn run(
    listeners: Vec<Listener>,
    reception: Reception,
    log: &Log,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let runtime =
        Builder::new_current_thread().enable_io().enable_time().build_local(LocalOptions::default())?;
    let reception = Rc::new(reception);
    runtime.block_on(async {
        for listener in listeners {
            let (reception, log) = (Rc::clone(&reception), log.clone());
            let address = listener.address();
            tokio::task::spawn_local(async move {
                if let Err(error) = listener.accept(reception, log.clone()).await {
                    log.error("accepts no more", &[("address", &address), ("error", &error)]);
                }
            });
        }
        // The other end is dropped only by `stop`.
        let _ = stopped.await;
    });
    Ok(())
}
