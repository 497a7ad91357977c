//! Owns the payloads that `pub` sends, in their order and at their times. Sending them is the publisher's affair.

use super::lines::Lines;
use crate::{cli::arguments::PayloadSource, error::Error};
use bytes::Bytes;
use mqtt_codec::MAXIMUM_PACKET_BYTES;
use std::{
    fs::File,
    io::{self, Read},
    num::NonZeroU64,
    time::Duration,
};
use tokio::time::{self, Instant};

/// Thirty years: the clock cannot tell when a much longer delay would be over.
const DELAY_MAX: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// What is to be published.
#[derive(Debug)]
pub(super) enum Payloads {
    /// One payload, several times.
    Repeated {
        payload: Bytes,
        remaining: u64,
        delay: Duration,
        /// When the next one is due; none for at once.
        due: Option<Instant>,
    },
    /// Lines, as they come.
    Lines(Lines),
}

impl Payloads {
    /// `payload` this many times, with a delay before each repetition.
    pub(super) const fn repeated(payload: Bytes, count: NonZeroU64, delay: Duration) -> Self {
        Self::Repeated { payload, remaining: count.get(), delay, due: None }
    }

    /// The next payloads, when it is time for them; none when there are no more.
    ///
    /// # Errors
    /// They cannot be read.
    ///
    /// Cancel safe: payloads are either returned or still there.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Bytes>>, Error> {
        match self {
            Self::Lines(lines) => lines.next().await,
            Self::Repeated { remaining: 0, .. } => Ok(None),
            Self::Repeated { payload, remaining, delay, due } => {
                if let Some(due) = *due {
                    time::sleep_until(due).await;
                }
                *remaining -= 1;
                *due = (!delay.is_zero()).then(|| Instant::now() + (*delay).min(DELAY_MAX));
                Ok(Some(vec![payload.clone()]))
            }
        }
    }
}

/// The whole payload of a source that has one; none for lines.
///
/// # Errors
/// The file or standard input cannot be read, or is longer than any packet.
pub(crate) fn whole(source: &PayloadSource) -> Result<Option<Bytes>, Error> {
    match source {
        PayloadSource::Given(payload) => Ok(Some(Bytes::copy_from_slice(payload))),
        PayloadSource::File(path) => {
            let place = path.display().to_string();
            read_whole(File::open(path), &place).map(Some)
        }
        PayloadSource::StandardInput => read_whole(Ok(io::stdin().lock()), "standard input").map(Some),
        PayloadSource::Lines => Ok(None),
    }
}

fn read_whole(input: io::Result<impl Read>, place: &str) -> Result<Bytes, Error> {
    let mut payload = Vec::new();
    let limit = u64::from(MAXIMUM_PACKET_BYTES);
    let read = input.and_then(|input| input.take(limit + 1).read_to_end(&mut payload));
    match read {
        Err(error) => Err(Error::local(format!("cannot read {place}: {error}"))),
        Ok(bytes) if bytes as u64 > limit => {
            Err(Error::local(format!("{place} is longer than {limit} bytes, the most a packet can hold")))
        }
        Ok(_) => Ok(payload.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::Payloads;
    use bytes::Bytes;
    use std::{num::NonZeroU64, time::Duration};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn repetitions_come_after_their_delay_and_the_first_at_once() {
        let delay = Duration::from_millis(500);
        let mut payloads = Payloads::repeated(Bytes::from("x"), NonZeroU64::new(3).unwrap(), delay);
        let start = Instant::now();
        let mut times = Vec::new();
        while let Some(batch) = payloads.next().await.unwrap() {
            assert_eq!(batch, ["x"]);
            times.push(start.elapsed().as_millis());
        }
        assert_eq!(times, [0, 500, 1000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_repetition_that_is_given_up_is_not_lost() {
        let delay = Duration::from_secs(10);
        let mut payloads = Payloads::repeated(Bytes::new(), NonZeroU64::new(2).unwrap(), delay);
        payloads.next().await.unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(1), payloads.next()).await.is_err());
        assert!(payloads.next().await.unwrap().is_some());
        assert!(payloads.next().await.unwrap().is_none());
    }
}
