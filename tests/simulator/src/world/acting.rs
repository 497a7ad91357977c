//! Owns carrying out what clients set out to do.

use super::{
    Weather, World,
    link::{Link, Speed},
};
use crate::{
    client::{Client, Output},
    observation::Observation,
    plant::Plant,
    scenario::{Action, ConnectPlan, SubscribePlan},
    schedule::Event,
};
use broker_core::ConnectionId;
use mqtt_codec::{Packet, QoS};

impl World {
    pub(super) fn schedule_action(&mut self, client: usize) {
        let pause_ms = self.scenario.pause_ms();
        self.schedule.after(pause_ms, Event::Act(client));
    }

    /// It is a client's turn.
    pub(super) fn act(&mut self, client: usize) {
        if self.weather == Weather::Fair {
            return;
        }
        self.schedule_action(client);
        let connection = self.clients[client].connection();
        if connection.is_some_and(|connection| self.link(connection).speed == Speed::Frozen) {
            return;
        }
        match (connection, self.clients[client].is_connected()) {
            (None, _) => {
                let action = self.scenario.act_offline(client);
                self.act_offline(client, action);
            }
            (Some(connection), true) => {
                let action = self.scenario.act_connected(client);
                self.act_connected(client, connection, action);
            }
            // It waits for CONNACK.
            (Some(_), false) => {}
        }
    }

    fn act_offline(&mut self, client: usize, action: Action) {
        match action {
            Action::Connect(plan) => self.connect(client, &plan),
            Action::Publish(messages) => self.clients[client].publish(messages, &mut Output::default()),
            Action::Subscribe(_)
            | Action::Unsubscribe(_)
            | Action::Ping
            | Action::Disconnect { .. }
            | Action::Crash
            | Action::Cut
            | Action::Freeze(_)
            | Action::Rest => {}
        }
    }

    fn act_connected(&mut self, client: usize, connection: ConnectionId, action: Action) {
        let mut output = Output::default();
        match action {
            Action::Publish(messages) => self.clients[client].publish(messages, &mut output),
            Action::Subscribe(plan) => self.clients[client].subscribe(&plan, &mut output),
            Action::Unsubscribe(filters) => self.clients[client].unsubscribe(&filters, &mut output),
            Action::Ping => self.clients[client].ping(&mut output),
            Action::Connect(plan) => {
                self.note(client, "takes its session over");
                self.connect(client, &plan);
            }
            Action::Disconnect { reason, session_expiry_seconds } => {
                output.packets.push(self.clients[client].disconnect(reason, session_expiry_seconds));
                self.carry_out_for_client(connection, output);
                return self.close_client_end(connection);
            }
            Action::Crash => {
                self.note(client, "crashes");
                self.clients[client].lost(connection);
                return self.close_client_end(connection);
            }
            Action::Cut => {
                self.note(client, "loses the network");
                return self.cut(connection);
            }
            Action::Freeze(duration_ms) => {
                // One that has lost the network without knowing stays lost.
                if self.link(connection).speed == Speed::Cut {
                    return;
                }
                self.note(client, "freezes");
                self.link(connection).speed = Speed::Frozen;
                return self.schedule.after(duration_ms, Event::Thaw(connection));
            }
            Action::Rest => {}
        }
        self.carry_out_for_client(connection, output);
    }

    /// A client opens a connection; an older one lingers until the broker closes it.
    pub(super) fn connect(&mut self, client: usize, plan: &ConnectPlan) {
        let connection = ConnectionId(self.links.len() as u64);
        let is_slow =
            self.weather == Weather::Rough && self.random.chance(self.settings.network.slow_percent);
        let speed = if is_slow { Speed::Slow(self.random.between(20_u16, 400).into()) } else { Speed::Fast };
        let last_version =
            self.links.iter().rev().find(|link| link.client == client).map(|link| link.version);
        let version = last_version.filter(|_| self.clients[client].has_in_flight()).unwrap_or(plan.version);
        let plan = &ConnectPlan { version, ..plan.clone() };
        self.links.push(Link::new(client, version, speed, self.schedule.now_ms()));
        if self.planted.strikes(Plant::ForgetfulClient) {
            self.clients[client].forget_received();
        }
        let packet = self.clients[client].connect(connection, plan);
        self.write_to_broker(connection, &[packet]);
    }

    pub(super) fn thaw(&mut self, connection: ConnectionId) {
        let link = self.link(connection);
        if link.speed != Speed::Frozen {
            return;
        }
        link.speed = Speed::Fast;
        let (unread, unsent) = (std::mem::take(&mut link.unread), std::mem::take(&mut link.unsent));
        for packet in unsent {
            self.reply(connection, packet);
        }
        self.arrive_at_client(connection, &unread);
        self.schedule_flush(connection);
    }

    /// A client gets round to answering.
    pub(super) fn reply(&mut self, connection: ConnectionId, packet: Packet) {
        let link = self.link(connection);
        let client = link.client;
        if link.speed == Speed::Frozen {
            return link.unsent.push(packet);
        }
        if self.clients[client].connection() == Some(connection) {
            self.write_to_broker(connection, &[packet]);
        }
    }

    /// When a reply that comes up now is sent: after the replies before it.
    pub(super) fn reply_time_ms(&mut self, connection: ConnectionId) -> u64 {
        let delay_ms = self.random.between(0, self.settings.network.reply_ms_max);
        let at_ms = self.schedule.now_ms() + delay_ms;
        let link = self.link(connection);
        link.reply_at_ms = link.reply_at_ms.max(at_ms);
        link.reply_at_ms
    }

    pub(super) fn schedule_ping(&mut self, client: usize, connection: ConnectionId) {
        let keep_alive_ms = self.clients[client].keep_alive_ms();
        if keep_alive_ms > 0 {
            // Early enough to be in time on any network here.
            self.schedule.after(keep_alive_ms - 100, Event::Ping(client, connection));
        }
    }

    pub(super) fn ping(&mut self, client: usize, connection: ConnectionId) {
        if self.clients[client].connection() != Some(connection) {
            return;
        }
        if self.link(connection).speed != Speed::Frozen {
            let mut output = Output::default();
            self.clients[client].ping(&mut output);
            self.carry_out_for_client(connection, output);
        }
        self.schedule_ping(client, connection);
    }

    /// The end of the run begins: the network is good, everybody is awake and connects.
    pub(crate) fn clear_up(&mut self) {
        self.weather = Weather::Fair;
        if let Some(disk) = &self.disk {
            disk.calm_down();
        }
        for index in 0..self.links.len() {
            self.thaw(ConnectionId(index as u64));
        }
    }

    /// Connects every client that is not, with whatever session it has. Whether all were.
    pub(crate) fn reconnect_all(&mut self) -> bool {
        let mut were_connected = true;
        for client in 0..self.clients.len() {
            if self.clients[client].connection().is_none() {
                were_connected = false;
                let plan = self.scenario.reconnect(client);
                self.connect(client, &plan);
            }
        }
        were_connected
    }

    /// Every client publishes once at each QoS.
    pub(crate) fn publish_once_more(&mut self) {
        for client in 0..self.clients.len() {
            for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                let Some(connection) = self.clients[client].connection() else { continue };
                let mut message = self.scenario.message(client);
                message.qos = qos;
                let mut output = Output::default();
                self.clients[client].publish([message], &mut output);
                self.carry_out_for_client(connection, output);
            }
        }
    }

    /// A client of its own connects, to see what is retained.
    pub(crate) fn send_auditor(&mut self) -> usize {
        let auditor = self.clients.len();
        self.clients.push(Client::new(crate::checkers::AUDITOR.to_owned()));
        let plan = ConnectPlan::of_auditor();
        self.connect(auditor, &plan);
        auditor
    }

    /// The auditor subscribes to everything.
    pub(crate) fn audit(&mut self, auditor: usize) {
        let Some(connection) = self.clients[auditor].connection() else { return };
        let mut output = Output::default();
        self.clients[auditor].subscribe(&SubscribePlan::everything(), &mut output);
        self.carry_out_for_client(connection, output);
    }

    /// The clients that are still waiting for an acknowledgement.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = usize> {
        (0..self.clients.len()).filter(|&client| !self.clients[client].is_idle())
    }

    fn note(&mut self, client: usize, text: &str) {
        self.observe(&Observation::Acted { client, text });
    }
}
