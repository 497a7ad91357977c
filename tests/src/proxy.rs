//! Owns a TCP proxy that cuts connections on demand, since the broker keeps its state in memory and cannot be killed
//! for that. It does not look at what it carries.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
};

/// A proxy in front of a server. Its threads end with their connections and with the test program.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Both ends of every connection that was accepted since the last cut.
    streams: Mutex<Vec<TcpStream>>,
    refuses: AtomicBool,
}

impl Proxy {
    /// A proxy in front of `server`.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        let proxy = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if !shared.refuses.load(SeqCst) {
                    // A server that is gone closes the client's connection, which is what it would see itself.
                    let _ = shared.carry(client, server);
                }
            }
        });
        proxy
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        for stream in self.shared.streams().drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Cuts every connection, and every new one at once until [`Self::restore`].
    pub fn interrupt(&self) {
        self.shared.refuses.store(true, SeqCst);
        self.cut();
    }

    /// Carries new connections again.
    pub fn restore(&self) {
        self.shared.refuses.store(false, SeqCst);
    }
}

impl Shared {
    fn carry(&self, client: TcpStream, server: SocketAddr) -> io::Result<()> {
        let server = TcpStream::connect(server)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        self.streams().extend([client.try_clone()?, server.try_clone()?]);
        let (client_again, server_again) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || copy(client, server));
        thread::spawn(move || copy(server_again, client_again));
        Ok(())
    }

    fn streams(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.streams.lock().expect("nobody panics while holding it")
    }
}

fn copy(mut source: TcpStream, mut target: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = source.read(&mut buffer) {
        if target.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // The other direction goes on until its own end.
    let _ = target.shutdown(Shutdown::Write);
}
