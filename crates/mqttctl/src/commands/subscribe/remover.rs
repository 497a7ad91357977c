//! Owns `--remove-retained`: clearing retained messages beside the reception of more. Which ones is decided elsewhere.

use crate::report::Report;
use dunlin_client::{Acknowledgement, Client, Message, PublishError, Published, QoS};
use mqtt_codec::TopicName;
use std::{collections::VecDeque, ops::ControlFlow};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::JoinHandle,
};

/// Publishes an empty retained message to each topic it is given, in a task of its own: the receiving side must not
/// wait for acknowledgements, which come behind the messages it has not taken yet. Topics wait without a limit; there
/// are no more of them than the server retains.
#[derive(Debug)]
pub(super) struct Remover {
    topics: UnboundedSender<TopicName>,
    task: JoinHandle<()>,
    /// Clearings that have not come back as messages of their own.
    echoes: u64,
}

/// What a live message says about the clearing of retained ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Echo {
    /// Nothing: it is somebody else's.
    No,
    /// It comes of a clearing, and others are to come.
    One,
    /// It comes of the last clearing.
    Last,
}

impl Remover {
    /// Starts the task.
    #[expect(
        clippy::disallowed_methods,
        reason = "waiting for room would wait for acknowledgements behind the messages that wait for us"
    )]
    pub(super) fn start(client: Client, report: Report) -> Self {
        let (topics, receiver) = mpsc::unbounded_channel();
        Self { topics, task: tokio::spawn(remove(client, receiver, report)), echoes: 0 }
    }

    /// Has the retained message of `topic` cleared.
    pub(super) fn remove(&mut self, topic: TopicName) {
        self.echoes += 1;
        // The task ends before its sender only if the client has ended, which the receiving side finds out.
        let _ = self.topics.send(topic);
    }

    /// Whether `message` is one of the empty messages that clear, which the server also delivers to us.
    pub(super) fn echo(&mut self, message: &Message) -> Echo {
        if message.retain || !message.payload.is_empty() || self.echoes == 0 {
            return Echo::No;
        }
        self.echoes -= 1;
        if self.echoes == 0 { Echo::Last } else { Echo::One }
    }

    /// Waits until everything has been cleared.
    pub(super) async fn finish(self) {
        drop(self.topics);
        // It does not panic, and nobody aborts it.
        let _ = self.task.await;
    }
}

/// Clearings that may be on their way at once.
const PENDING_MAX: usize = 1_000;

async fn remove(client: Client, mut topics: UnboundedReceiver<TopicName>, report: Report) {
    let mut pending = VecDeque::new();
    loop {
        let outcome = tokio::select! {
            biased;
            topic = topics.recv(), if pending.len() < PENDING_MAX => match topic {
                Some(topic) => match clear(&client, topic, &report).await {
                    Ok(acknowledgement) => {
                        pending.push_back(acknowledgement);
                        continue;
                    }
                    Err(error) => Err(error),
                },
                None => break,
            },
            outcome = oldest(&mut pending) => outcome,
        };
        if tell(outcome, &report).is_break() {
            return;
        }
    }
    while !pending.is_empty() {
        let outcome = oldest(&mut pending).await;
        if tell(outcome, &report).is_break() {
            return;
        }
    }
}

async fn clear(client: &Client, topic: TopicName, report: &Report) -> Result<Acknowledgement, PublishError> {
    report.step(format_args!("sending PUBLISH (q1, r1, '{topic}', ... (0 bytes))"));
    client.publish_queued(Message::to(topic, "").qos(QoS::AtLeastOnce).retained()).await
}

/// The outcome of the oldest clearing; never if there is none.
async fn oldest(pending: &mut VecDeque<Acknowledgement>) -> Result<Published, PublishError> {
    let Some(oldest) = pending.front_mut() else { return std::future::pending().await };
    let outcome = oldest.await;
    pending.pop_front();
    outcome
}

/// Breaks when the client has ended.
fn tell(outcome: Result<Published, PublishError>, report: &Report) -> ControlFlow<()> {
    match outcome {
        Ok(_) => {}
        Err(PublishError::Closed) => return ControlFlow::Break(()),
        Err(error) => report.warn(format_args!("a retained message was not cleared: {error}")),
    }
    ControlFlow::Continue(())
}
