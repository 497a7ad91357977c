//! Owns when sessions begin, change hands and end, and when their Wills are published.

use super::{Connection, Excuse, Session, SessionKey, Truth, Will, publication::forwarded, session::Fate};
use broker_core::{ConnectionId, ShardId, config::Durability};
use mqtt_codec::{
    ProtocolVersion,
    packet::{Connect, Will as WillPacket},
};

impl Truth {
    /// A CONNECT: the client's older connection gives way, then its session is continued or begun
    /// `[MQTT5-3.1.2-4]` `[MQTT5-3.1.2-5]` `[MQTT5-3.1.4-3]` `[MQTT311-3.1.2-4]` `[MQTT311-3.1.4-2]`.
    pub(super) fn connect(&mut self, shard: ShardId, id: ConnectionId, connect: &Connect) {
        if self.is_failing && self.would_change_disk(connect) {
            return;
        }
        if let Some(&former) = self.current.get(&*connect.client_id)
            && let Some(older) = self.sessions[former].connection
        {
            if let Some(older) = self.connections.get_mut(&older) {
                older.is_taken_over = true;
            }
            self.detach(older, Fate::Publish);
        }
        if connect.clean_start
            && let Some(&former) = self.current.get(&*connect.client_id)
        {
            self.end_session(former);
        }
        let former = self.current.get(&*connect.client_id).copied();
        let key = former.unwrap_or_else(|| self.begin_session(&connect.client_id, shard));
        let (is_new, has_disk, step) = (former.is_none(), self.settings.storage.is_some(), self.step);
        let limits = &self.settings.config.limits;
        let mut connection = Connection::new(connect, key, limits.inflight_max, self.now_ms);
        // MQTT 3.1 cannot tell.
        connection.session_present = former.is_some() && connect.version > ProtocolVersion::V31;
        connection.step = step;
        let expiry_seconds = asked_expiry_seconds(connect).min(limits.session_expiry_seconds_max);
        connection.is_promised = is_new || self.sessions[key].expiry_seconds != expiry_seconds;
        let session = &mut self.sessions[key];
        session.connection = Some(id);
        session.is_touched = true;
        session.expiry_seconds = expiry_seconds;
        if is_new {
            session.is_durable = has_disk && session.expiry_seconds > 0;
        }
        session.packet_bytes_max = session.packet_bytes_max.min(connection.packet_bytes_max);
        // [MQTT5-3.1.3-9]
        session.will = connect.will.as_ref().map(Will::new);
        session.will_due_ms = None;
        session.ends_at_ms = None;
        self.connections.insert(id, connection);
    }

    /// Whether CONNACK would promise something that must be on disk.
    fn would_change_disk(&self, connect: &Connect) -> bool {
        let maximum = self.settings.config.limits.session_expiry_seconds_max;
        let expiry_seconds = asked_expiry_seconds(connect).min(maximum);
        match self.current.get(&*connect.client_id).map(|&key| &self.sessions[key]) {
            Some(session) if session.is_durable => {
                connect.clean_start || session.expiry_seconds != expiry_seconds
            }
            Some(_) | None => expiry_seconds > 0,
        }
    }

    /// A connection is no longer its session's `[MQTT5-3.1.2-8]` `[MQTT5-3.1.2-23]`.
    pub(super) fn detach(&mut self, id: ConnectionId, fate: Fate) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !std::mem::take(&mut connection.is_open) {
            return;
        }
        let key = connection.session;
        let (now_ms, is_shutting_down) = (self.now_ms, self.is_shutting_down);
        let session = &mut self.sessions[key];
        session.connection = None;
        session.is_touched = true;
        if fate == Fate::Discard {
            session.will = None;
        }
        if is_shutting_down {
            return self.disconnect_dead(key, now_ms);
        }
        if session.expiry_seconds == 0 {
            return self.end_session(key);
        }
        self.excuse_unkept(key);
        let session = &mut self.sessions[key];
        if session.expiry_seconds != u32::MAX {
            session.ends_at_ms = Some(now_ms + u64::from(session.expiry_seconds) * 1000);
        }
        match session.will.as_ref().map(|will| will.delay_seconds) {
            None => {}
            Some(0) => self.publish_will(key),
            Some(seconds) => session.will_due_ms = Some(now_ms + u64::from(seconds) * 1000),
        }
    }

    /// What nobody keeps and was on its way to the member of a group is gone if that was this one, which is no longer
    /// there to get it.
    fn excuse_unkept(&mut self, key: SessionKey) {
        for group in &self.sessions[key].groups {
            for &copy in &self.groups[group].outstanding {
                let copy = &mut self.shared_copies[copy];
                if copy.sends.is_empty() && self.publications[copy.publication].rule == Durability::None {
                    copy.excuse.get_or_insert(Excuse::NotThere);
                }
            }
        }
    }

    /// What a shard does when it is told the time.
    pub(super) fn ticked(&mut self, shard: ShardId) {
        let now_ms = self.now_ms;
        let is_due = |at_ms: Option<u64>| {
            at_ms.is_some_and(|at_ms| at_ms.next_multiple_of(broker_core::timers::TICK_MS) <= now_ms)
        };
        // What a restart has made due at once comes in the order of the client identifiers.
        let mut keys: Vec<SessionKey> = (0..self.sessions.len())
            .filter(|&key| !self.sessions[key].has_ended && self.sessions[key].shard == shard)
            .collect();
        keys.sort_by(|&one, &other| self.sessions[one].client_id.cmp(&self.sessions[other].client_id));
        for key in keys {
            let session = &self.sessions[key];
            let (will_is_due, end_is_due) = (is_due(session.will_due_ms), is_due(session.ends_at_ms));
            if will_is_due {
                self.publish_will(key);
            }
            if end_is_due {
                self.end_session(key);
            }
        }
    }

    fn begin_session(&mut self, client_id: &str, shard: ShardId) -> SessionKey {
        let key = self.sessions.len();
        self.sessions.push(Session::new(client_id, shard));
        self.current.insert(client_id.to_owned(), key);
        key
    }

    /// The Will goes out, then nothing of the session is left `[MQTT5-4.1.0-2]`.
    fn end_session(&mut self, key: SessionKey) {
        self.publish_will(key);
        let session = &mut self.sessions[key];
        session.has_ended = true;
        session.is_touched = true;
        session.ends_at_ms = None;
        session.subscriptions.clear();
        session.waiting.clear();
        let client_id = session.client_id.clone();
        self.current.remove(&client_id);
        self.leave_all_groups(key);
        self.sessions[key].in_flight.clear();
    }

    fn publish_will(&mut self, key: SessionKey) {
        let session = &mut self.sessions[key];
        session.will_due_ms = None;
        session.is_touched = true;
        if let Some(will) = session.will.take() {
            self.publish_message(key, will.into());
            self.sessions[key].without_will = Some((self.step, self.core(key)));
        }
    }
}

impl Will {
    fn new(will: &WillPacket) -> Self {
        Self {
            topic: will.topic.as_str().to_owned(),
            payload: will.payload.clone(),
            qos: will.qos,
            retain: will.retain,
            delay_seconds: will.properties.will_delay_interval().unwrap_or(0),
            expiry_seconds: will.properties.message_expiry_interval(),
            properties: forwarded(&will.properties),
        }
    }
}

fn asked_expiry_seconds(connect: &Connect) -> u32 {
    match connect.version {
        ProtocolVersion::V5 => connect.properties.session_expiry_interval().unwrap_or(0),
        ProtocolVersion::V31 | ProtocolVersion::V311 if connect.clean_start => 0,
        ProtocolVersion::V31 | ProtocolVersion::V311 => u32::MAX,
    }
}
