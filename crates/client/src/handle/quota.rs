//! Owns how much may await its acknowledgement, in messages and bytes. A permit travels with each request and gives
//! its share back when dropped.

use crate::event::Connected;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, watch};

/// Room in the queue.
#[derive(Clone, Debug)]
pub(crate) struct Quota {
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    bytes_max: u32,
}

/// The room of one request.
#[derive(Debug)]
#[expect(dead_code, reason = "held for what dropping it does")]
pub(crate) struct Permit(OwnedSemaphorePermit, OwnedSemaphorePermit);

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// A limit is reached.
    Full,
    /// The client has ended.
    Closed,
}

impl Quota {
    pub(crate) fn new(messages_max: usize, bytes_max: usize) -> Self {
        // A semaphore is asked for at most u32::MAX at once and holds at most usize::MAX >> 3.
        let bytes_max = u32::try_from(bytes_max).unwrap_or(u32::MAX).clamp(1, u32::MAX >> 3);
        Self {
            messages: Arc::new(Semaphore::new(messages_max.clamp(1, Semaphore::MAX_PERMITS))),
            bytes: Arc::new(Semaphore::new(bytes_max as usize)),
            bytes_max,
        }
    }

    /// Room for `bytes`, now.
    pub(super) fn try_acquire(&self, bytes: usize) -> Result<Permit, NoRoom> {
        let messages = Arc::clone(&self.messages).try_acquire_owned()?;
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(self.clamp(bytes))?;
        Ok(Permit(messages, bytes))
    }

    /// Room for `bytes`, waiting for it as long as there is a connection.
    pub(super) async fn acquire(
        &self,
        bytes: usize,
        connected: &watch::Receiver<Option<Arc<Connected>>>,
    ) -> Result<Permit, NoRoom> {
        // Behind others that wait, this one waits too: room is given in the order asked for.
        let room = async {
            let messages = Arc::clone(&self.messages).acquire_owned().await.map_err(|_| NoRoom::Closed)?;
            let bytes = Arc::clone(&self.bytes).acquire_many_owned(self.clamp(bytes)).await;
            bytes.map(|bytes| Permit(messages, bytes)).map_err(|_| NoRoom::Closed)
        };
        let mut connected = connected.clone();
        let offline = async {
            // An error says that the driver has ended, which the semaphores say as well.
            let _ = connected.wait_for(Option::is_none).await;
        };
        tokio::select! {
            biased;
            permit = room => permit,
            () = offline => self.try_acquire(bytes),
        }
    }

    /// Ends all waiting: the client has ended.
    pub(crate) fn close(&self) {
        self.messages.close();
        self.bytes.close();
    }

    /// What is larger than the limit is taken when nothing else is there.
    fn clamp(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).unwrap_or(u32::MAX).min(self.bytes_max)
    }
}

impl From<TryAcquireError> for NoRoom {
    fn from(error: TryAcquireError) -> Self {
        match error {
            TryAcquireError::Closed => Self::Closed,
            TryAcquireError::NoPermits => Self::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NoRoom, Quota};
    use tokio::sync::watch;

    #[test]
    fn both_limits_count_and_room_comes_back() {
        let quota = Quota::new(2, 100);
        let first = quota.try_acquire(60).unwrap();
        assert_eq!(quota.try_acquire(60).unwrap_err(), NoRoom::Full);
        let _second = quota.try_acquire(40).unwrap();
        assert_eq!(quota.try_acquire(0).unwrap_err(), NoRoom::Full);
        drop(first);
        quota.try_acquire(60).unwrap();
    }

    #[test]
    fn what_is_larger_than_the_limit_is_taken_alone() {
        let quota = Quota::new(10, 100);
        let alone = quota.try_acquire(1_000).unwrap();
        assert_eq!(quota.try_acquire(1).unwrap_err(), NoRoom::Full);
        drop(alone);
        let _small = quota.try_acquire(1).unwrap();
        assert_eq!(quota.try_acquire(1_000).unwrap_err(), NoRoom::Full);
    }

    #[tokio::test]
    async fn offline_nobody_waits_and_closed_nobody_asks() {
        let (_sender, connected) = watch::channel(None);
        let quota = Quota::new(1, 100);
        let first = quota.acquire(1, &connected).await.unwrap();
        assert_eq!(quota.acquire(1, &connected).await.unwrap_err(), NoRoom::Full);
        drop(first);
        quota.close();
        assert_eq!(quota.acquire(1, &connected).await.unwrap_err(), NoRoom::Closed);
    }
}
