//! Owns the catalogue of mixes: how often clients do what. One item after another.

use crate::random::Random;

/// How often clients do what, and with which options.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    /// What it is called in reports.
    pub name: &'static str,
    /// Milliseconds between two actions of one client, on average.
    pub pause_ms: u64,
    /// How often a connected client chooses each action.
    pub weights: Weights,
    /// How many of a hundred turns of a client without connection make it connect.
    pub connect_percent: u32,
    /// How many of a hundred connections start clean.
    pub clean_percent: u32,
    /// How many of a hundred connections are 5.0.
    pub v5_percent: u32,
    /// How many of a hundred connections leave a Will.
    pub will_percent: u32,
    /// How many of a hundred publications are retained.
    pub retain_percent: u32,
    /// How many of a hundred subscriptions are shared.
    pub shared_percent: u32,
    /// How many of a hundred publications are in the branch of many topics.
    pub branch_percent: u32,
    /// How many of a hundred publications are large.
    pub large_percent: u32,
    /// How many of a hundred runs have queues of a few messages.
    pub tight_queue_percent: u32,
    /// How many of a hundred 5.0 connections take small packets alone.
    pub small_packets_percent: u32,
}

/// How often a connected client chooses each action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    pub publish: u32,
    pub subscribe: u32,
    pub unsubscribe: u32,
    pub ping: u32,
    pub disconnect: u32,
    pub crash: u32,
    pub cut: u32,
    pub take_over: u32,
    pub freeze: u32,
}

const EVERYDAY: Mix = Mix {
    name: "everyday",
    pause_ms: 120,
    weights: Weights {
        publish: 55,
        subscribe: 14,
        unsubscribe: 5,
        ping: 2,
        disconnect: 3,
        crash: 2,
        cut: 3,
        take_over: 2,
        freeze: 1,
    },
    connect_percent: 50,
    clean_percent: 20,
    v5_percent: 65,
    will_percent: 30,
    retain_percent: 12,
    shared_percent: 15,
    branch_percent: 3,
    large_percent: 5,
    tight_queue_percent: 20,
    small_packets_percent: 10,
};

/// Connections come and go all the time.
const RECONNECTS: Mix = Mix {
    name: "reconnects",
    pause_ms: 60,
    weights: Weights { disconnect: 6, crash: 6, cut: 12, take_over: 8, ..EVERYDAY.weights },
    connect_percent: 70,
    clean_percent: 10,
    tight_queue_percent: 0,
    ..EVERYDAY
};

/// Clients stay away while much is published for them.
const BACKLOG: Mix = Mix {
    name: "backlog",
    pause_ms: 50,
    weights: Weights { publish: 70, cut: 2, ..EVERYDAY.weights },
    connect_percent: 12,
    clean_percent: 5,
    tight_queue_percent: 50,
    large_percent: 15,
    ..EVERYDAY
};

/// Much is retained, and subscribed to again and again.
const RETAINED: Mix = Mix {
    name: "retained",
    pause_ms: 60,
    weights: Weights { subscribe: 35, unsubscribe: 12, ..EVERYDAY.weights },
    retain_percent: 60,
    branch_percent: 60,
    ..EVERYDAY
};

/// Groups share the work, and lose members.
const SHARED: Mix = Mix {
    name: "shared",
    weights: Weights { subscribe: 20, cut: 6, disconnect: 6, ..EVERYDAY.weights },
    shared_percent: 70,
    clean_percent: 30,
    tight_queue_percent: 10,
    ..EVERYDAY
};

/// Everybody leaves a Will, and dies of something.
const WILLS: Mix = Mix {
    name: "wills",
    pause_ms: 100,
    weights: Weights {
        publish: 25,
        disconnect: 8,
        crash: 6,
        cut: 6,
        take_over: 6,
        freeze: 4,
        ..EVERYDAY.weights
    },
    connect_percent: 30,
    will_percent: 95,
    ..EVERYDAY
};

const ALL: [Mix; 6] = [EVERYDAY, RECONNECTS, BACKLOG, RETAINED, SHARED, WILLS];

impl Mix {
    /// One of the mixes.
    pub(crate) fn draw(random: &mut Random) -> Self {
        *random.pick(&ALL)
    }
}
