//! Owns the story of one round: a broker, its clients, the kills, the end. What each client does is its own
//! business, and what must hold is `verify`'s.

mod ending;

use crate::{
    client::{Client, earlier},
    clock::{At, Clock},
    connection::{HEARD_WAITING_MAX, Heard},
    daemon::{Daemon, Installation},
    history::{History, Outage},
    independent::{Independent, Whereabouts},
    options::{Interruption, Options},
    plan::{Kill, Moment, Plan},
    probe,
    stage::{Load, Stage},
    verify::needed,
};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    time::Duration,
};

/// A round under way.
#[derive(Debug)]
struct Round<'a> {
    installation: &'a Installation,
    plan: &'a Plan,
    patience: Duration,
    interruption: Interruption,
    stage: Stage,
    inbox: Receiver<Heard>,
    clients: Vec<Client>,
    independents: Vec<Independent>,
    whereabouts: Arc<Whereabouts>,
    daemon: Option<Daemon>,
    /// When something was last heard.
    heard_at: At,
}

/// How long everybody may take to acknowledge what is under way before the broker is killed in peace.
const PEACE_MS: u64 = 1000;
/// How long it then stays so.
const PEACE_KEPT_MS: u64 = 30;
/// A wait that goes on as long as something comes ends after so long all the same.
const WAIT_MS_MAX: u64 = 60_000;

/// Plays a round and tells all that was seen. What stops it early is among the oddities.
pub(crate) fn play(installation: &Installation, plan: &Plan, options: &Options) -> History {
    let (sender, inbox) = sync_channel(HEARD_WAITING_MAX);
    let mut round = Round {
        installation,
        plan,
        patience: options.patience,
        interruption: options.interruption,
        stage: Stage::new(Clock::start(), sender),
        inbox,
        clients: Vec::new(),
        independents: Vec::new(),
        whereabouts: Arc::default(),
        daemon: None,
        heard_at: At::default(),
    };
    if let Err(text) = round.story() {
        round.odd(text);
    }
    round.whereabouts.end_round();
    round.stage.history
}

impl Round<'_> {
    /// The whole round. An error is one after which it cannot go on.
    fn story(&mut self) -> Result<(), String> {
        self.start(self.plan.workers)?;
        self.join();
        let mut kills = self.plan.kills.iter().peekable();
        while let Some(kill) = kills.next_if(|kill| matches!(kill.moment, Moment::SettingUp { .. })) {
            self.await_moment(kill.moment);
            self.kill(kill)?;
            self.start(kill.workers)?;
        }
        self.set_up()?;
        self.stage.load = Load::Since(self.stage.clock.now());
        self.whereabouts.begin_load();
        while let Some(kill) = kills.next() {
            self.await_moment(kill.moment);
            self.kill(kill)?;
            let mut workers = kill.workers;
            while let Some(again) = kills.next_if(|kill| matches!(kill.moment, Moment::Recovering { .. })) {
                self.spawn(workers)?;
                self.await_moment(again.moment);
                self.kill(again)?;
                workers = again.workers;
            }
            self.start(workers)?;
            if kill.probe {
                self.look_at_retained()?;
            }
        }
        self.play_for(self.plan.last_load_ms * 1000);
        self.end()
    }

    /// Starts a process, unless there is one.
    fn spawn(&mut self, workers: usize) -> Result<(), String> {
        self.stage.broker.process += 1;
        if self.daemon.is_some() {
            return Ok(());
        }
        let daemon = self.installation.start(workers);
        self.daemon = Some(daemon.map_err(|error| format!("the broker cannot be started: {error}"))?);
        Ok(())
    }

    /// Starts a broker and tells everybody where it listens.
    fn start(&mut self, workers: usize) -> Result<(), String> {
        self.spawn(workers)?;
        let Some(daemon) = &mut self.daemon else { return Ok(()) };
        let (address, took) = daemon.address(self.patience)?;
        let now = self.stage.clock.now();
        self.stage.broker.address = Some(address);
        self.stage.broker.listening_since = now;
        self.whereabouts.set_broker(Some(address), self.stage.broker.process);
        if let Some(outage) = self.stage.history.outages.last_mut() {
            (outage.listening_at, outage.start_took) = (Some(now), took);
        }
        Ok(())
    }

    /// Our own clients begin to connect, and subscribe to what they want from the beginning.
    fn join(&mut self) {
        for part in &self.plan.parts {
            self.clients.push(Client::new(part.clone(), &mut self.stage));
        }
    }

    /// Waits until all have done so. Those of other people do not ask again for a subscription that a crash has
    /// cut off, so they come when there is none before.
    fn set_up(&mut self) -> Result<(), String> {
        for part in &self.plan.independents {
            let independent = Independent::start(part.clone(), &mut self.stage, &self.whereabouts);
            self.independents.push(independent);
        }
        let is_set_up = |round: &Self| {
            round.clients.iter().all(Client::is_ready)
                && round.independents.iter().all(Independent::is_set_up)
        };
        if self.play_until(is_set_up) {
            return Ok(());
        }
        let missing: Vec<&str> =
            self.clients.iter().filter(|client| !client.is_ready()).map(Client::name).collect();
        Err(format!("not everybody could connect and subscribe: {missing:?}"))
    }

    fn await_moment(&mut self, moment: Moment) {
        match moment {
            Moment::UnderLoad { after_us }
            | Moment::SettingUp { after_us }
            | Moment::Returning { after_us }
            | Moment::Recovering { after_us } => self.play_for(after_us),
            Moment::Idle => {
                let Load::Since(began) = self.stage.load else { return };
                self.stage.load = Load::Paused(began);
                let deadline = self.stage.clock.now().plus_ms(PEACE_MS);
                let is_peaceful = |round: &Self| round.clients.iter().all(Client::is_acknowledged);
                while !is_peaceful(self) && self.stage.clock.now() < deadline {
                    self.play_for(1000);
                }
                self.play_for(PEACE_KEPT_MS * 1000);
                self.stage.load = Load::Since(began);
            }
        }
    }

    /// Kills the broker and waits out the downtime.
    fn kill(&mut self, kill: &Kill) -> Result<(), String> {
        let Some(mut daemon) = self.daemon.take() else { return Ok(()) };
        if let Some(status) = daemon.ended() {
            return Err(format!("the broker ended by itself: {status}"));
        }
        self.stage.broker.address = None;
        self.whereabouts.set_broker(None, self.stage.broker.process);
        let killed_at = self.stage.clock.now();
        match self.interruption {
            Interruption::Kill => {
                daemon.kill().map_err(|error| format!("the broker cannot be killed: {error}"))?;
            }
            Interruption::Cut => {
                self.clients.iter().for_each(Client::cut);
                self.daemon = Some(daemon);
            }
        }
        self.stage.history.outages.push(Outage { killed_at, listening_at: None, start_took: Duration::ZERO });
        self.play_for(kill.downtime_ms * 1000);
        Ok(())
    }

    fn look_at_retained(&mut self) -> Result<(), String> {
        let needed = needed(&self.stage.history, self.stage.clock.now());
        let filter = format!("{}/kept/#", self.plan.prefix);
        probe::look(&mut self.stage, &filter, &needed, self.patience)
    }

    /// Lets everybody act until so many microseconds have passed.
    fn play_for(&mut self, us: u64) {
        let end = At(self.stage.clock.now().0 + us);
        while self.turn(end, |_| false) {}
    }

    /// Lets everybody act until something holds; false if nothing is heard for too long before.
    fn play_until(&mut self, holds: impl Fn(&Self) -> bool) -> bool {
        let patience_ms = u64::try_from(self.patience.as_millis()).unwrap_or(WAIT_MS_MAX);
        let last = self.stage.clock.now().plus_ms(WAIT_MS_MAX);
        self.heard_at = self.stage.clock.now();
        while self.turn(self.heard_at.plus_ms(patience_ms).min(last), &holds) {}
        holds(self)
    }

    /// One turn: everybody does what is due, then what was read is handed to whom it is for. False at the end,
    /// and when nothing more is to be waited for.
    fn turn(&mut self, end: At, is_enough: impl Fn(&Self) -> bool) -> bool {
        let mut next = Some(end);
        for client in &mut self.clients {
            next = earlier(next, client.step(&mut self.stage));
        }
        let now = self.stage.clock.now();
        if now >= end || is_enough(self) {
            return false;
        }
        match self.inbox.recv_timeout(next.unwrap_or(end).since(now)) {
            Ok(heard) => {
                self.hear(heard);
                while let Ok(heard) = self.inbox.try_recv() {
                    self.hear(heard);
                }
                self.heard_at = self.stage.clock.now();
            }
            // The stage holds a sender itself.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        true
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Packet { peer, connection, at, packet } => {
                self.clients[peer].heard(connection, at, *packet, &mut self.stage);
            }
            Heard::Closed { peer, at, why } => self.clients[peer].closed(at, why, &mut self.stage),
            Heard::Independent { peer, at, told } => {
                if let Some(independent) = self.independents.iter_mut().find(|it| it.peer() == peer) {
                    independent.told(at, told, &mut self.stage);
                }
            }
        }
    }

    fn odd(&mut self, text: String) {
        self.stage.history.odd(self.stage.clock.now(), text);
    }
}
