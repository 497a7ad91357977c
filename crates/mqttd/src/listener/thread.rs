//! Owns the thread that accepts connections and receives their first packets. How is the listener's and
//! the handshake's business.

use std::io;
use std::rc::Rc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::Listener;
use crate::handshake::Reception;
use crate::log::Log;
use crate::thread::Thread;

/// Bytes of the thread's stack.
const STACK_BYTES: usize = 512 * 1024;

/// The running thread.
#[derive(Debug)]
pub(crate) struct Acceptor {
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Acceptor {
    /// Starts accepting. `guard` is dropped when the thread ends, however it ends.
    pub(crate) fn start(
        listeners: Vec<Listener>,
        reception: impl FnOnce() -> Reception + Send + 'static,
        log: Log,
        guard: impl Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let thread = Thread { name: "listener".to_owned(), stack_bytes: STACK_BYTES };
        let thread = thread.start(
            |_| (),
            move |runtime| {
                let _guard = guard;
                runtime.block_on(accept(listeners, reception(), log, stopped));
            },
        )?;
        Ok(Self { thread, stop })
    }

    /// Stops accepting: from here on nobody can connect, and who has not sent a CONNECT is cut off.
    pub(crate) fn stop(self) {
        // A thread that has ended already needs no telling, and a panic has ended the process.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

/// Accepts from all listeners until it is stopped.
async fn accept(listeners: Vec<Listener>, reception: Reception, log: Log, stopped: oneshot::Receiver<()>) {
    let reception = Rc::new(reception);
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
}
