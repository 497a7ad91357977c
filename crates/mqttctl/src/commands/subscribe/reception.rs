//! Owns what happens to each delivered message: judged, printed, acknowledged, counted. Which connection they come
//! over is not known here.

use super::{
    inbox::Inbox,
    remover::{Echo, Remover},
    selection::{Random, Selection, Verdict},
};
use crate::{
    output::{Output, OutputError},
    print::Printer,
    report::Report,
};
use dunlin_client::Delivery;
use std::{io::Write, ops::ControlFlow};
use tokio::task;

/// Messages that are handled before others get their turn: the connection, signals and the clock.
const BATCH: usize = 1_000;

/// Receives until it has what was asked for.
#[derive(Debug)]
pub(super) struct Reception<'a, W> {
    pub(super) selection: &'a Selection,
    pub(super) printer: &'a Printer,
    pub(super) report: Report,
    pub(super) output: &'a mut Output<W>,
    pub(super) remover: Option<Remover>,
    /// How many messages are still to be printed; none for all that come.
    pub(super) remaining: Option<u64>,
    pub(super) random: Random,
    /// Messages of QoS 1 and 2 that are acknowledged when what was printed of them has been written.
    pub(super) printed: Vec<Delivery>,
}

/// Why no more messages are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// What was asked for has come.
    Complete,
    /// The stream has ended.
    StreamEnded,
}

impl<W: Write> Reception<'_, W> {
    /// Handles messages as they come. What is printed leaves before the next message is waited for.
    ///
    /// # Errors
    /// Output cannot be written. What it was to hold is not acknowledged.
    pub(super) async fn run(&mut self, inbox: &mut Inbox) -> Result<Finish, OutputError> {
        while self.handle_waiting(inbox)?.is_continue() {
            // The connection may have more, which then leaves with the same write.
            task::yield_now().await;
            let next = match inbox.try_next() {
                Some(delivery) => delivery,
                None => {
                    self.flush()?;
                    let Some(delivery) = inbox.next().await else { return Ok(Finish::StreamEnded) };
                    delivery
                }
            };
            if self.handle(next)?.is_break() {
                break;
            }
        }
        self.flush()?;
        // The acknowledgements leave before whatever ends the connection.
        task::yield_now().await;
        Ok(Finish::Complete)
    }

    /// Handles what is there, up to a batch.
    fn handle_waiting(&mut self, inbox: &mut Inbox) -> Result<ControlFlow<()>, OutputError> {
        for _ in 0..BATCH {
            let Some(delivery) = inbox.try_next() else { break };
            if self.handle(delivery)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn handle(&mut self, delivery: Delivery) -> Result<ControlFlow<()>, OutputError> {
        self.tell(&delivery);
        match self.selection.judge(&delivery.message, &mut self.random) {
            Verdict::End => return Ok(self.end(delivery)),
            Verdict::Skip => {
                delivery.acknowledge();
                return Ok(ControlFlow::Continue(()));
            }
            Verdict::Print => {}
        }
        self.printer.print_delivery(&delivery, self.output, &self.report)?;
        if let Some(remover) = self.remover.as_mut().filter(|_| delivery.message.retain) {
            remover.remove(delivery.message.topic.clone());
        }
        if delivery.packet_id.is_some() {
            self.printed.push(delivery);
        }
        match &mut self.remaining {
            Some(remaining) => {
                *remaining -= 1;
                Ok(if *remaining == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            }
            None => Ok(ControlFlow::Continue(())),
        }
    }

    /// A live message says that the retained ones have all come, unless it comes of clearing those before.
    fn end(&mut self, delivery: Delivery) -> ControlFlow<()> {
        let echo = self.remover.as_mut().map_or(Echo::No, |remover| remover.echo(&delivery.message));
        delivery.acknowledge();
        match echo {
            Echo::No | Echo::Last => ControlFlow::Break(()),
            Echo::One => ControlFlow::Continue(()),
        }
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        self.output.flush()?;
        self.printed.drain(..).for_each(Delivery::acknowledge);
        Ok(())
    }

    fn tell(&self, delivery: &Delivery) {
        let message = &delivery.message;
        self.report.step(format_args!(
            "received PUBLISH (d{}, q{}, r{}, m{}, '{}', ... ({} bytes))",
            u8::from(delivery.dup),
            message.qos.bits(),
            u8::from(message.retain),
            delivery.packet_id.map_or(0, mqtt_codec::PacketId::get),
            message.topic,
            message.payload.len()
        ));
    }
}
