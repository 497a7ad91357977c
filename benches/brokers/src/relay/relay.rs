//! Owns the relay's loop: read a socket until it is empty, copy its frames, write each touched socket once.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::connection::{Connection, Read};
use crate::frames::{self, Said};

const LISTENER: Token = Token(usize::MAX);
const BUFFER_BYTES: usize = 256 * 1024;
const EVENTS_MAX: usize = 1_024;

/// Everything the process has.
#[derive(Debug)]
pub(crate) struct Relay {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    takers: HashMap<String, Vec<usize>>,
    dirty: Vec<usize>,
    buffer: Vec<u8>,
}

impl Relay {
    pub(crate) fn listen(address: SocketAddr) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            connections: Vec::new(),
            free: Vec::new(),
            takers: HashMap::new(),
            dirty: Vec::new(),
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub(crate) fn serve(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(index) => {
                        if event.is_writable() {
                            self.touch(index);
                        }
                        if event.is_readable() {
                            self.read(index);
                        }
                    }
                }
            }
            self.flush();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index), interest)?;
            self.connections[index] = Some(Connection::new(stream));
        }
    }

    fn touch(&mut self, index: usize) {
        if let Some(connection) = &mut self.connections[index]
            && !connection.is_dirty
        {
            connection.is_dirty = true;
            self.dirty.push(index);
        }
    }

    fn flush(&mut self) {
        while let Some(index) = self.dirty.pop() {
            let Some(connection) = &mut self.connections[index] else { continue };
            connection.is_dirty = false;
            if connection.flush().is_err() {
                self.close(index);
            }
        }
    }

    fn read(&mut self, index: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(connection) = &mut self.connections[index] {
            let (count, is_more) = match connection.read(&mut buffer) {
                Ok(Read::More(count)) => (count, true),
                Ok(Read::All(count)) => (count, false),
                Ok(Read::End) | Err(_) => {
                    self.close(index);
                    break;
                }
            };
            if connection.unread.is_empty() {
                let taken = self.take(index, &buffer[..count]);
                self.keep(index, &buffer[taken..count]);
            } else {
                let mut unread = std::mem::take(&mut connection.unread);
                unread.extend_from_slice(&buffer[..count]);
                let taken = self.take(index, &unread);
                unread.drain(..taken);
                if let Some(connection) = &mut self.connections[index] {
                    connection.unread = unread;
                }
            }
            if !is_more {
                break;
            }
        }
        self.buffer = buffer;
    }

    fn keep(&mut self, index: usize, rest: &[u8]) {
        if let Some(connection) = &mut self.connections[index] {
            connection.unread.extend_from_slice(rest);
        }
    }

    /// Forwards the whole frames; tells how many bytes they were.
    fn take(&mut self, index: usize, bytes: &[u8]) -> usize {
        let mut taken = 0;
        loop {
            let rest = &bytes[taken..];
            let run = frames::run_bytes(rest);
            if run > 0 {
                self.forward(index, &rest[..run]);
                taken += run;
                continue;
            }
            match frames::frame_bytes(rest) {
                Some(length) if length <= rest.len() => {
                    self.answer(index, &rest[..length]);
                    taken += length;
                }
                Some(_) | None => return taken,
            }
        }
    }

    fn forward(&mut self, index: usize, run: &[u8]) {
        let Some(connection) = &mut self.connections[index] else { return };
        let targets = connection.targets.take().unwrap_or_else(|| self.learn(index, run));
        for &target in &targets {
            if let Some(connection) = &mut self.connections[target] {
                connection.put(run);
            }
            self.touch(target);
        }
        if let Some(connection) = &mut self.connections[index] {
            connection.targets = Some(targets);
        }
    }

    /// The first PUBLISH of a publisher: who takes its topic gets everything, and the first of them answers. An
    /// acknowledgement of another taker goes nowhere.
    fn learn(&mut self, index: usize, run: &[u8]) -> Vec<usize> {
        let Some(connection) = &self.connections[index] else { return Vec::new() };
        let first = frames::frame_bytes(run).map_or(run, |length| &run[..length]);
        let topic = frames::topic(first, connection.version);
        let takers = topic.and_then(|topic| self.takers.get(&topic)).cloned().unwrap_or_default();
        if let Some(first) = takers.first().and_then(|&first| self.connections[first].as_mut()) {
            first.targets.get_or_insert_with(|| vec![index]);
        }
        takers
    }

    fn answer(&mut self, index: usize, frame: &[u8]) {
        let Some(connection) = &mut self.connections[index] else { return };
        match frames::said(frame, connection.version) {
            Said::Connect(version, answer) => {
                connection.version = version;
                connection.put(&answer);
            }
            Said::Subscribe(filters, answer) => {
                connection.put(&answer);
                for filter in filters {
                    self.takers.entry(filter).or_default().push(index);
                }
            }
            Said::Ping(answer) => connection.put(&answer),
            Said::Over => return self.close(index),
        }
        self.touch(index);
    }

    fn close(&mut self, index: usize) {
        if self.connections[index].take().is_some() {
            for takers in self.takers.values_mut() {
                takers.retain(|&taker| taker != index);
            }
            self.free.push(index);
        }
    }
}
