//! Owns everything the driver waits for besides the socket: requests, streams that report back, and deadlines.

use super::request::Request;
use crate::delivery::Feedback;
use std::{pin::Pin, sync::Arc};
use tokio::{
    sync::{Notify, mpsc::UnboundedReceiver},
    time::{Instant, Sleep, sleep_until},
};

/// What the driver waits for.
pub(super) struct Inbox {
    requests: UnboundedReceiver<Request>,
    feedback: UnboundedReceiver<Feedback>,
    room: Arc<Notify>,
    /// One timer, moved only when a deadline comes nearer: one that recedes costs a tick too many instead.
    timer: Pin<Box<Sleep>>,
    armed: Option<Instant>,
    taken_requests: Vec<Request>,
    taken_feedback: Vec<Feedback>,
}

/// What the driver wants to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interest {
    pub(super) requests: Requests,
    pub(super) deadline: Option<Instant>,
}

/// Whether requests are taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requests {
    Wanted,
    Unwanted,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurrence {
    /// Requests can be taken.
    Requests,
    /// There will be no more requests: all handles are gone.
    HandlesGone,
    /// Feedback can be taken.
    Feedback,
    /// A buffer that was full may have room.
    Room,
    /// The deadline has passed, or an earlier one.
    Deadline,
}

/// As many are taken at once, between two looks at the socket.
const BATCH: usize = 256;

impl Inbox {
    pub(super) fn new(
        requests: UnboundedReceiver<Request>,
        feedback: UnboundedReceiver<Feedback>,
        room: Arc<Notify>,
    ) -> Self {
        Self {
            requests,
            feedback,
            room,
            timer: Box::pin(sleep_until(Instant::now())),
            armed: None,
            taken_requests: Vec::new(),
            taken_feedback: Vec::new(),
        }
    }

    /// The next thing that happens. Cancel safe: what was received is either told or still there.
    pub(super) async fn next(&mut self, interest: Interest) -> Occurrence {
        if let Some(deadline) = interest.deadline
            && self.armed.is_none_or(|armed| deadline < armed)
        {
            self.timer.as_mut().reset(deadline);
            self.armed = Some(deadline);
        }
        let is_wanted = interest.requests == Requests::Wanted;
        tokio::select! {
            // In this order: an acknowledgement given before a request goes before it, so that one just
            // before a disconnect is not overtaken; requests are bounded by their quota and may wait.
            biased;
            _ = self.feedback.recv_many(&mut self.taken_feedback, BATCH) => Occurrence::Feedback,
            () = self.timer.as_mut(), if self.armed.is_some() => {
                self.armed = None;
                Occurrence::Deadline
            }
            () = self.room.notified() => Occurrence::Room,
            count = self.requests.recv_many(&mut self.taken_requests, BATCH), if is_wanted => match count {
                0 => Occurrence::HandlesGone,
                _ => Occurrence::Requests,
            },
        }
    }

    pub(super) fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.taken_requests)
    }

    pub(super) fn take_feedback(&mut self) -> Vec<Feedback> {
        std::mem::take(&mut self.taken_feedback)
    }

    /// Refuses further requests. Those already on their way learn that the client has ended.
    pub(super) fn close_requests(&mut self) {
        self.requests.close();
        while self.requests.try_recv().is_ok() {}
    }
}
