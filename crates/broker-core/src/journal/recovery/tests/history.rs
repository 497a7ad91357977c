//! Proves on arbitrary histories of several shards, with mail on its way, checkpoints under way and restarts, that
//! what is recovered is what there was: from the whole log, from the floor on, and from any part of it.

use super::log::{message, message_record, packet_id, state as new_state};
use crate::{
    ids::{SessionId, ShardId},
    journal::{
        ConnectionState, InFlightState, MessageHead, Operation, Operations, Position, QueuedState, Recovery,
        SessionState, SliceHead, Target, epoch_record, record::samples::Samples,
    },
    time::Timestamp,
};
use mqtt_codec::{QoS, flow::Step};
use std::collections::{BTreeMap, VecDeque};

/// Shards that do what the records say, and write them.
struct Broker {
    samples: Samples,
    shards: Vec<Shard>,
    log: Vec<(Position, Vec<u8>)>,
    /// Where the checkpoint under way began, and how much of the log there was then.
    begun: Option<usize>,
    /// Records before the floor, and how many there were when it was complete.
    floor: Option<(usize, usize)>,
    clients: u32,
    generations: u32,
}

struct Shard {
    id: ShardId,
    sessions: BTreeMap<SessionId, SessionState>,
    /// From each shard.
    mail: Vec<VecDeque<(Position, SessionId, QueuedState)>>,
    seen: Vec<Position>,
    operations: Operations,
    /// Those that the checkpoint has not yet come to.
    unwritten: Vec<SessionId>,
}

impl Shard {
    fn new(id: usize, shards: usize) -> Self {
        let id = ShardId(u16::try_from(id).expect("few shards"));
        Self {
            id,
            sessions: BTreeMap::new(),
            mail: vec![VecDeque::new(); shards],
            seen: vec![Position::NONE; shards],
            operations: Operations::new(id),
            unwritten: Vec::new(),
        }
    }

    fn take_mail(&mut self, from: usize) {
        if let Some((position, session, queued)) = self.mail[from].pop_front() {
            self.seen[from] = position;
            if let Some(session) = self.sessions.get_mut(&session) {
                session.queue.push_back(queued);
            }
        }
    }
}

impl Broker {
    fn new(seed: u64) -> Self {
        let mut broker = Self {
            samples: Samples::new(seed),
            shards: Vec::new(),
            log: Vec::new(),
            begun: None,
            floor: None,
            clients: 0,
            generations: 0,
        };
        broker.restart();
        broker
    }

    fn append(&mut self, record: Vec<u8>) -> Position {
        let position = Position::new(100 * (self.log.len() as u64 + 1));
        self.log.push((position, record));
        position
    }

    fn flush(&mut self, shard: usize) {
        let shard = &mut self.shards[shard];
        if !shard.operations.is_empty() {
            let record = shard.operations.bytes().to_vec();
            shard.operations.clear();
            let id = usize::from(shard.id.0);
            let position = self.append(record);
            self.shards[id].seen[id] = position;
        }
    }

    fn new_id(&mut self, shard: ShardId) -> SessionId {
        self.generations += 1;
        let slot = u32::try_from(self.samples.below(5)).expect("below 5");
        SessionId::new(shard, slot, self.generations).durable()
    }

    fn any_session(&mut self, shard: usize) -> Option<SessionId> {
        let sessions: Vec<_> = self.shards[shard].sessions.keys().copied().collect();
        (!sessions.is_empty()).then(|| self.samples.pick(&sessions))
    }

    fn step(&mut self) {
        let shard = self.samples.below(self.shards.len());
        match self.samples.below(20) {
            0 | 1 => self.open(shard),
            2..6 => self.publish(shard),
            6..10 => {
                let from = self.samples.below(self.shards.len());
                self.shards[shard].take_mail(from);
            }
            10..15 => {
                if let Some(session) = self.any_session(shard) {
                    self.change(shard, session);
                }
            }
            15 | 16 => self.flush(shard),
            _ => self.checkpoint(shard),
        }
    }

    /// A client comes for the first time, or starts anew.
    fn open(&mut self, shard: usize) {
        let id = self.new_id(self.shards[shard].id);
        let former = if self.samples.chance() { self.any_session(shard) } else { None };
        let Shard { sessions, operations, .. } = &mut self.shards[shard];
        let client_id = match former.and_then(|former| sessions.remove(&former)) {
            Some(former) => {
                operations.push(&Operation::Ended { session: former.id });
                former.client_id
            }
            None => {
                self.clients += 1;
                format!("client-{}", self.clients).into()
            }
        };
        operations.push(&Operation::Opened { session: id, client_id: &client_id });
        operations.push(&Operation::Connected { session: id, expiry_seconds: 60, will: None });
        sessions.insert(id, new_state(id, &client_id, &[]));
    }

    /// One record for sessions of all shards; those of others hear of it later.
    fn publish(&mut self, shard: usize) {
        let mut targets = Vec::new();
        for other in 0..self.shards.len() {
            targets.extend(self.any_session(other));
        }
        let receipt = self.any_session(shard).map(|publisher| (publisher, self.samples.packet_id()));
        let target = |&session: &SessionId| Target {
            session,
            qos: QoS::AtLeastOnce,
            retain: false,
            identifiers: &[],
            group: None,
        };
        let listed: Vec<_> = targets.iter().map(target).collect();
        let writer = self.shards[shard].id;
        let head = MessageHead { writer, message: message("a"), retained_by: None, receipt };
        let position = self.append(message_record(&head, &listed));
        if let Some((publisher, packet_id)) = receipt {
            let publisher = self.shards[shard].sessions.get_mut(&publisher).expect("just picked");
            publisher.unreleased.push(packet_id);
        }
        self.shards[shard].seen[shard] = position;
        for session in targets {
            let queued = QueuedState { bytes: 2, writer, ..super::log::queued(position.get()) };
            let target = &mut self.shards[usize::from(session.shard().0)];
            target.mail[shard].push_back((position, session, queued));
        }
        // Its own it has at once, in the order of the log among all that are its own.
        while !self.shards[shard].mail[shard].is_empty() {
            self.shards[shard].take_mail(shard);
        }
        self.shards[shard].seen[shard] = position;
    }

    /// Something small happens to a session.
    fn change(&mut self, shard: usize, session: SessionId) {
        let Shard { sessions, operations, .. } = &mut self.shards[shard];
        let state = sessions.get_mut(&session).expect("just picked");
        match self.samples.below(5) {
            0 | 1 => {
                let number = (1..).find(|&id| state.in_flight.iter().all(|it| it.packet_id.get() != id));
                let packet_id = packet_id(number.expect("few are in flight"));
                let Some(queued) = state.queue.pop_front() else { return };
                operations.push(&Operation::Sent {
                    session,
                    position: queued.position,
                    packet_id,
                    mark: queued.mark(),
                });
                let (qos, step) = (queued.qos, Step::Published);
                state.in_flight.push(InFlightState { packet_id, qos, step, queued: Some(queued) });
            }
            2 if !state.in_flight.is_empty() => {
                let index = self.samples.below(state.in_flight.len());
                let packet_id = state.in_flight[index].packet_id;
                if self.samples.chance() {
                    state.in_flight[index].step = Step::Received;
                    state.in_flight[index].queued = None;
                    operations.push(&Operation::Received { session, packet_id });
                } else {
                    state.in_flight.remove(index);
                    operations.push(&Operation::Acked { session, packet_id });
                }
            }
            3 if !state.queue.is_empty() => {
                let index = self.samples.below(state.queue.len());
                let dropped = state.queue.remove(index).expect("an index of the queue");
                operations.push(&Operation::Dropped {
                    session,
                    position: dropped.position,
                    mark: dropped.mark(),
                });
            }
            _ => {
                // What the PUBLISH itself recorded is in the log already: PUBREL never comes in the same turn.
                self.flush(shard);
                let Shard { sessions, operations, .. } = &mut self.shards[shard];
                let state = sessions.get_mut(&session).expect("just picked");
                if let Some(&packet_id) = state.unreleased.first() {
                    state.unreleased.retain(|&unreleased| unreleased != packet_id);
                    operations.push(&Operation::InboundReleased { session, packet_id });
                    self.flush(shard);
                }
            }
        }
    }

    /// A checkpoint begins, goes on in one shard, or is complete.
    fn checkpoint(&mut self, shard: usize) {
        let Some(begun) = self.begun else {
            for shard in &mut self.shards {
                shard.unwritten = shard.sessions.keys().copied().collect();
            }
            self.begun = Some(self.log.len());
            return;
        };
        // What was recorded before the floor must be in a slice, so what is on its way since then comes first.
        for from in 0..self.shards.len() {
            let is_before_floor = |log: &[(Position, Vec<u8>)], position| {
                log[..begun].last().is_some_and(|&(last, _)| position <= last)
            };
            while let Some(&(position, ..)) = self.shards[shard].mail[from].front()
                && is_before_floor(&self.log, position)
            {
                self.shards[shard].take_mail(from);
            }
        }
        self.flush(shard);
        let Shard { id, sessions, seen, unwritten, .. } = &mut self.shards[shard];
        let states = unwritten.pop().into_iter().chain(unwritten.pop()).filter_map(|id| sessions.get(&id));
        let mut record = Vec::new();
        SliceHead { writer: *id, seen }.encode(&mut record);
        states.for_each(|state| state.encode(&mut record));
        self.append(record);
        if self.shards.iter().all(|shard| shard.unwritten.is_empty()) {
            self.floor = Some((begun, self.log.len()));
            self.begun = None;
        }
    }

    /// Everything on its way arrives, and another process goes on with it, with other shards.
    fn restart(&mut self) {
        self.settle();
        let sessions: Vec<_> = self.shards.drain(..).flat_map(|shard| shard.sessions.into_values()).collect();
        let shards = 1 + self.samples.below(3);
        self.shards = (0..shards).map(|id| Shard::new(id, shards)).collect();
        (self.begun, self.generations) = (None, 0);
        let mut record = Vec::new();
        epoch_record(u16::try_from(shards).expect("few"), Timestamp::ZERO, &mut record);
        self.append(record);
        for state in sessions {
            let shard = self.samples.below(shards);
            let id = self.new_id(self.shards[shard].id);
            let Shard { sessions, operations, .. } = &mut self.shards[shard];
            operations.push(&Operation::Bound { session: id, client_id: &state.client_id });
            sessions.insert(id, SessionState { id, ..state });
        }
        (0..shards).for_each(|shard| self.flush(shard));
    }

    fn settle(&mut self) {
        for shard in 0..self.shards.len() {
            for from in 0..self.shards.len() {
                while !self.shards[shard].mail[from].is_empty() {
                    self.shards[shard].take_mail(from);
                }
            }
            self.flush(shard);
        }
    }

    fn sessions(&self) -> Vec<SessionState> {
        let mut sessions: Vec<_> =
            self.shards.iter().flat_map(|shard| shard.sessions.values().cloned()).collect();
        sessions.sort_by(|one, other| one.client_id.cmp(&other.client_id));
        sessions.into_iter().map(comparable).collect()
    }
}

/// Sessions but for the order of messages that different shards queued, which only the live broker knows.
fn comparable(mut state: SessionState) -> SessionState {
    state.unreleased.sort_unstable();
    state.unreleased.dedup();
    let entries = state.in_flight.iter_mut().filter_map(|it| it.queued.as_mut()).chain(&mut state.queue);
    for queued in entries {
        (queued.writer, queued.recorded) = (ShardId(0), Position::NONE);
    }
    state.queue.make_contiguous().sort_by_key(|queued| queued.position);
    assert_eq!(state.connection, ConnectionState::Connected);
    state
}

fn recover(log: &[(Position, Vec<u8>)]) -> Vec<SessionState> {
    let mut recovery = Recovery::new();
    for (position, record) in log {
        recovery.replay(*position, record).expect("a legal record");
    }
    recovery.finish().sessions.into_iter().map(comparable).collect()
}

#[test]
fn what_is_recovered_is_what_there_was_from_the_start_and_from_every_floor() {
    let (mut floors, mut waiting) = (0, 0);
    for seed in 0..300 {
        let mut broker = Broker::new(seed);
        for _ in 0..4 {
            for _ in 0..100 {
                broker.step();
            }
            broker.settle();
            let sessions = broker.sessions();
            assert_eq!(recover(&broker.log), sessions, "seed {seed}, from the start");
            if let Some((floor, _)) = broker.floor {
                assert_eq!(recover(&broker.log[floor..]), sessions, "seed {seed}, from the floor");
                floors += 1;
            }
            waiting += sessions.iter().map(|session| session.queue.len()).sum::<usize>();
            if broker.samples.chance() {
                broker.restart();
            }
        }
    }
    assert!(floors > 300 && waiting > 3000, "{floors} floors, {waiting} messages");
}

#[test]
fn a_floor_makes_no_difference_to_a_log_that_is_cut_anywhere_behind_its_checkpoint() {
    let mut cuts = 0;
    for seed in 1000..1100 {
        let mut broker = Broker::new(seed);
        for step in 0..300 {
            broker.step();
            if step == 150 {
                broker.restart();
            }
        }
        let Some((floor, complete)) = broker.floor else { continue };
        for end in complete..=broker.log.len() {
            let (whole, from_floor) = (recover(&broker.log[..end]), recover(&broker.log[floor..end]));
            assert_eq!(whole, from_floor, "seed {seed}, {end} records");
            cuts += 1;
        }
    }
    assert!(cuts > 1000, "{cuts} cuts");
}
