//! Owns the life of one connection as its worker's runtime polls it: continue a blocked write, read
//! and step packets, close. What a packet means is the engine's business, writing otherwise is the
//! worker's.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use broker_core::{ConnectionId, Input};
use mqtt_codec::{Frame, PacketRef, PacketType, ProtocolVersion, frame, packet::LastTopic};

use super::unread::Unread;
use crate::worker::{SharedWorker, Worker};

/// Packets handled before others have their turn.
const PACKETS_PER_TURN: u32 = 1024;

/// Bytes appended to outboxes before others have their turn: one packet may go to many.
const APPENDED_PER_TURN: u64 = 1024 * 1024;

/// Serves one connection until it is gone. Hand-written: a worker polls it some hundred thousand times
/// a second, and nothing of a step may be held over a wait.
pub(crate) struct Task {
    worker: SharedWorker,
    reader: Reader,
}

struct Reader {
    id: ConnectionId,
    version: ProtocolVersion,
    unread: Unread,
    /// Whether `unread` may begin with a whole packet.
    is_interrupted: bool,
}

impl Task {
    /// A task for a connection whose CONNECT named `version`; `received` came behind it.
    pub(crate) fn new(
        worker: SharedWorker,
        id: ConnectionId,
        version: ProtocolVersion,
        received: &[u8],
    ) -> Self {
        let mut unread = Unread::default();
        unread.keep(received);
        Self { worker, reader: Reader { id, version, unread, is_interrupted: true } }
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { worker, reader } = &mut *self;
        let mut worker = worker.borrow_mut();
        worker.begin_turn();
        reader.turn(&mut worker, context);
        worker.end_turn();
        if worker.is_connected(reader.id) { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Reader {
    fn turn(&mut self, worker: &mut Worker, context: &mut Context<'_>) {
        worker.keep_waker(self.id, context);
        worker.continue_write(self.id, context);
        self.read(worker, context);
        worker.continue_close(self.id, context);
    }

    /// Steps what is unread, then reads and steps, until nothing is there or others must have a turn.
    fn read(&mut self, worker: &mut Worker, context: &mut Context<'_>) {
        let mut budget = Budget::new(worker);
        while worker.may_read(self.id) {
            if budget.is_spent(worker) {
                context.waker().wake_by_ref();
                return;
            }
            if self.is_interrupted {
                self.step_unread(worker, &mut budget);
                continue;
            }
            let mut buffer = worker.take_read_buffer();
            let outcome = worker.poll_read(self.id, context, &mut buffer);
            if let Poll::Ready(Some(count)) = outcome {
                self.step_received(worker, &buffer[..count], &mut budget);
                if count == buffer.len() {
                    budget.spend_all();
                }
            }
            worker.give_back_read_buffer(buffer);
            if outcome.is_pending() {
                return;
            }
        }
    }

    /// Steps what a read brought, in place but for a packet that began in an earlier one.
    fn step_received(&mut self, worker: &mut Worker, received: &[u8], budget: &mut Budget) {
        let mut rest = received;
        self.is_interrupted = false;
        if !self.unread.is_empty() {
            let used = self.unread.complete_first(rest, self.version, worker.packet_bytes_max());
            rest = &rest[used..];
            self.step_unread(worker, budget);
        }
        if self.unread.is_empty() && !self.is_interrupted {
            let used = self.step_packets(worker, rest, budget);
            rest = &rest[used..];
        }
        self.unread.keep(rest);
    }

    fn step_unread(&mut self, worker: &mut Worker, budget: &mut Budget) {
        let bytes = self.unread.take();
        let used = self.step_packets(worker, &bytes, budget);
        self.unread.put_back(bytes, used);
    }

    /// Steps whole packets and tells how many bytes they were. The first one is stepped whatever the
    /// budget says.
    fn step_packets(&mut self, worker: &mut Worker, bytes: &[u8], budget: &mut Budget) -> usize {
        let connection = self.id;
        let mut used = 0;
        let mut last_topic = LastTopic::default();
        self.is_interrupted = false;
        loop {
            match frame(&bytes[used..], self.version, worker.packet_bytes_max()) {
                Ok(None) => return used,
                Ok(Some(frame)) => {
                    used += frame.bytes.len();
                    self.step_packet(worker, frame, &mut last_topic);
                }
                Err(error) => worker.step(Input::Malformed { connection, error }),
            }
            budget.spend_packet();
            if budget.is_spent(worker) || !worker.may_read(connection) {
                self.is_interrupted = true;
                return used;
            }
        }
    }

    /// A second CONNECT is apart from the others: it is an error, and so large that they would all be moved at its
    /// size.
    #[inline(always)]
    fn step_packet<'a>(&self, worker: &mut Worker, frame: Frame<'a>, last_topic: &mut LastTopic<'a>) {
        let connection = self.id;
        if frame.header.packet_type == PacketType::Connect {
            return self.step_connect(worker, frame);
        }
        match PacketRef::decode_next(frame, self.version, last_topic) {
            Ok(packet) => worker.step(Input::Packet { connection, packet, frame: frame.bytes }),
            Err(error) => worker.step(Input::Malformed { connection, error }),
        }
    }

    #[cold]
    fn step_connect(&self, worker: &mut Worker, frame: Frame<'_>) {
        let connection = self.id;
        match PacketRef::decode(frame, self.version) {
            Ok(packet) => worker.step(Input::Packet { connection, packet, frame: frame.bytes }),
            Err(error) => worker.step(Input::Malformed { connection, error }),
        }
    }
}

/// What a connection may do in one turn.
struct Budget {
    packets: u32,
    appended_max: u64,
}

impl Budget {
    fn new(worker: &Worker) -> Self {
        Self { packets: PACKETS_PER_TURN, appended_max: worker.appended_bytes() + APPENDED_PER_TURN }
    }

    fn spend_packet(&mut self) {
        self.packets = self.packets.saturating_sub(1);
    }

    fn spend_all(&mut self) {
        self.packets = 0;
    }

    fn is_spent(&self, worker: &Worker) -> bool {
        self.packets == 0 || worker.appended_bytes() > self.appended_max
    }
}
