//! Owns what clients set out to do: which action comes next, and with which options. Carrying it out is the
//! client's and the world's business; whether the broker did right is not known here.

mod mix;
mod plan;
mod topics;

pub(crate) use mix::Mix;
pub(crate) use plan::{ConnectPlan, Message, SubscribePlan, WillPlan};

use crate::{random::Random, settings::Settings};
use mqtt_codec::ReasonCode;

/// What a client does next.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Connects, or takes its session over from its own older connection.
    Connect(ConnectPlan),
    /// Publishes.
    Publish(Vec<Message>),
    /// Subscribes.
    Subscribe(SubscribePlan),
    /// Unsubscribes.
    Unsubscribe(Vec<&'static str>),
    /// Sends PINGREQ.
    Ping,
    /// Says DISCONNECT and closes.
    Disconnect { reason: ReasonCode, session_expiry_seconds: Option<u32> },
    /// Closes without a word; what was sent still arrives.
    Crash,
    /// Loses the network, with all that is on its way.
    Cut,
    /// Neither sends nor reads for so many milliseconds.
    Freeze(u64),
    /// Does nothing.
    Rest,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Publish,
    Subscribe,
    Unsubscribe,
    Ping,
    Disconnect,
    Crash,
    Cut,
    TakeOver,
    Freeze,
}

/// What the clients of a run do.
#[derive(Debug)]
pub(crate) struct Scenario {
    mix: Mix,
    random: Random,
    published: u32,
    asks_percent: u32,
    asking: Random,
    bursts_percent: u32,
    bursting: Random,
}

impl Scenario {
    /// The scenario that settings and a stream of random numbers make.
    #[must_use]
    pub(crate) fn new(settings: &Settings, random: Random) -> Self {
        // Who asks, and who says more of the same, is drawn apart: nothing else depends on it.
        let asking = Random::new(settings.seed ^ 0x4153_4B53);
        let bursting = Random::new(settings.seed ^ 0x4255_5253);
        let Settings { mix, asks_percent, bursts_percent, .. } = *settings;
        Self { mix, random, published: 0, asks_percent, asking, bursts_percent, bursting }
    }

    /// Milliseconds until a client acts again.
    pub(crate) fn pause_ms(&mut self) -> u64 {
        self.random.between(1, self.mix.pause_ms * 2)
    }

    /// What a connected client does next.
    pub(crate) fn act_connected(&mut self, client: usize) -> Action {
        let weights = self.mix.weights;
        let kind = self.random.weighted(&[
            (weights.publish, Kind::Publish),
            (weights.subscribe, Kind::Subscribe),
            (weights.unsubscribe, Kind::Unsubscribe),
            (weights.ping, Kind::Ping),
            (weights.disconnect, Kind::Disconnect),
            (weights.crash, Kind::Crash),
            (weights.cut, Kind::Cut),
            (weights.take_over, Kind::TakeOver),
            (weights.freeze, Kind::Freeze),
        ]);
        match kind {
            Kind::Publish => Action::Publish(self.messages(client)),
            Kind::Subscribe => Action::Subscribe(SubscribePlan::draw(&mut self.random, &self.mix)),
            Kind::Unsubscribe => {
                let count = self.random.between(1_u16, 3);
                Action::Unsubscribe((0..count).map(|_| topics::filter(&mut self.random, &self.mix)).collect())
            }
            Kind::Ping => Action::Ping,
            Kind::Disconnect => self.disconnect(),
            Kind::Crash => Action::Crash,
            Kind::Cut => Action::Cut,
            Kind::TakeOver => Action::Connect(self.connect(client)),
            Kind::Freeze => Action::Freeze(self.random.between(50_u64, 9_000)),
        }
    }

    /// What a client without a connection does next.
    pub(crate) fn act_offline(&mut self, client: usize) -> Action {
        if self.random.chance(self.mix.connect_percent) {
            return Action::Connect(self.connect(client));
        }
        // What is published meanwhile waits in the client.
        if self.random.chance(20) { Action::Publish(self.messages(client)) } else { Action::Rest }
    }

    /// How a client connects at the end of a run: with whatever session it has.
    pub(crate) fn reconnect(&mut self, client: usize) -> ConnectPlan {
        ConnectPlan { clean_start: false, will: None, ..self.connect(client) }
    }

    /// Something that a client publishes.
    pub(crate) fn message(&mut self, client: usize) -> Message {
        self.published += 1;
        let message = Message::draw(client, self.published, &mut self.random, &self.mix);
        let asks = !message.payload.is_empty() && self.asking.chance(self.asks_percent);
        Message { asks, ..message }
    }

    /// A message, and perhaps others with it that differ in their payloads only.
    fn messages(&mut self, client: usize) -> Vec<Message> {
        let first = self.message(client);
        let mut others = 0;
        if first.is_plain() && self.bursting.chance(self.bursts_percent) {
            others = self.bursting.between(1_u32, 5);
        }
        let others: Vec<_> = (1..=others).map(|number| first.behind(number)).collect();
        std::iter::once(first).chain(others).collect()
    }

    fn connect(&mut self, client: usize) -> ConnectPlan {
        self.published += 1;
        ConnectPlan::draw(client, self.published, &mut self.random, &self.mix)
    }

    fn disconnect(&mut self) -> Action {
        let keeps_will = self.random.chance(40);
        let reason = if keeps_will { ReasonCode::DisconnectWithWill } else { ReasonCode::Success };
        let session_expiry_seconds = self.random.chance(20).then(|| self.random.between(1_u32, 6));
        Action::Disconnect { reason, session_expiry_seconds }
    }
}
