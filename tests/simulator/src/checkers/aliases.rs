//! Owns the invariant that the broker uses the aliases it defined, within what the client allows
//! `[MQTT5-3.1.2-26]` `[MQTT5-3.1.2-27]` `[MQTT5-3.3.2-8]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::{
    observation::Observation,
    truth::{Attribution, Consequence},
};
use mqtt_codec::Packet;

#[derive(Debug, Default)]
pub(super) struct Aliases;

impl Checker for Aliases {
    fn name(&self) -> &'static str {
        "aliases"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let Observation::Sent { connection, packet: Packet::Publish(publish), .. } = *scene.observation
        else {
            return Ok(());
        };
        let Some(alias) = publish.properties.topic_alias() else { return Ok(()) };
        let maximum = scene.truth.connections.get(&connection).map_or(0, |it| it.topic_alias_maximum);
        ensure(alias.get() <= maximum, || {
            format!("#{} allows {maximum} aliases and was sent number {}", connection.0, alias.get())
        })?;
        if let Consequence::Sending(sending) = scene.consequence {
            ensure(sending.attribution != Attribution::UnknownAlias, || {
                format!("#{} was sent the alias {}, which stands for nothing", connection.0, alias.get())
            })?;
        }
        Ok(())
    }
}
