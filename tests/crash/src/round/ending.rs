//! Owns the end of a round: everybody comes back, everything under way is finished, the broker is asked to end.
//! What must have arrived by then is `verify`'s business.

use super::Round;
use crate::{client::Client, stage::Load, verify::Outstanding};
use mqtt_codec::TopicName;

/// How long everybody listens on for what should not come.
const LISTENING_ON_US: u64 = 50_000;

impl Round<'_> {
    /// The last message is published when all others are acknowledged, so that it comes after them.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.stage.load = Load::Over;
        self.whereabouts.end_load();
        self.finish_publishing();
        self.publish_end();
        self.finish_delivering();
        self.play_for(LISTENING_ON_US);
        self.look_at_retained()?;
        self.leave();
        self.end_broker()
    }

    fn hindrances(&self) -> impl Iterator<Item = String> {
        let independents = self.independents.iter().filter_map(|it| it.hindrance(&self.stage.history));
        self.clients.iter().filter_map(Client::hindrance).chain(independents)
    }

    fn finish_publishing(&mut self) {
        if !self.play_until(|round| round.hindrances().next().is_none()) {
            let hindrances: Vec<String> = self.hindrances().collect();
            for text in hindrances {
                self.odd(format!("{text} at the end"));
            }
        }
    }

    fn publish_end(&mut self) {
        let topic = TopicName::owned(format!("{}/end", self.plan.prefix)).expect("a legal topic");
        let Some(publisher) = self.clients.iter_mut().find(|client| client.is_set_up()) else { return };
        publisher.publish_end(topic, &mut self.stage);
        let peer = publisher.peer();
        if !self.play_until(|round| round.clients[peer].is_acknowledged()) {
            self.odd("the last message was not acknowledged".to_owned());
        }
    }

    /// Waits until all that is owed has arrived; what has not is left to be judged.
    fn finish_delivering(&mut self) {
        let mut outstanding = Outstanding::new(&self.stage.history);
        let mut known = self.stage.history.deliveries.len();
        self.heard_at = self.stage.clock.now();
        let patience_ms = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
        // A will may be due later than anything else is heard.
        let wills = self.stage.history.wills.iter();
        let delay_ms = wills.map(|will| will.delay_ms).filter(|&delay_ms| delay_ms < patience_ms).max();
        loop {
            let until = self.heard_at.plus_ms(patience_ms + delay_ms.unwrap_or(0));
            let is_all_there = outstanding.len() == 0;
            if !self.turn(until, |round| is_all_there && round.hindrances().next().is_none()) {
                return;
            }
            for delivery in &self.stage.history.deliveries[known..] {
                outstanding.arrived(delivery);
            }
            known = self.stage.history.deliveries.len();
        }
    }

    fn leave(&mut self) {
        self.stage.load = Load::Ended;
        self.whereabouts.end_round();
        self.play_until(|round| round.clients.iter().all(Client::is_down));
    }

    fn end_broker(&mut self) -> Result<(), String> {
        self.stage.broker.address = None;
        let Some(daemon) = self.daemon.take() else { return Ok(()) };
        let ended =
            daemon.end(self.patience).map_err(|error| format!("the broker cannot be ended: {error}"))?;
        match ended {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("the broker ended with {status} after SIGTERM")),
            None => Err(format!("the broker did not end within {} s of SIGTERM", self.patience.as_secs())),
        }
    }
}
