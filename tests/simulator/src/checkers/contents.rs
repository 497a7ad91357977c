//! Owns the invariant that topic, payload and the properties to be forwarded arrive as they were published
//! `[MQTT5-3.3.2-15]` to `[MQTT5-3.3.2-20]`.

use super::{Checker, Scene, Verdict, ensure};
use crate::{
    observation::Observation,
    truth::{Attribution, Consequence, forwarded_properties},
};
use mqtt_codec::Packet;

#[derive(Debug)]
pub(super) struct Contents;

impl Checker for Contents {
    fn name(&self) -> &'static str {
        "contents"
    }

    fn observe(&mut self, scene: &Scene<'_>) -> Verdict {
        let (
            Observation::Sent { connection, packet: Packet::Publish(publish), .. },
            Consequence::Sending(sending),
        ) = (*scene.observation, scene.consequence)
        else {
            return Ok(());
        };
        let (Attribution::First(source) | Attribution::Again(source)) = sending.attribution else {
            return Ok(());
        };
        let publication = scene.truth.publication_of(source);
        let key = &sending.key;
        ensure(sending.topic == publication.topic, || {
            format!("{key} was sent with topic {}", sending.topic)
        })?;
        ensure(publish.payload == publication.payload, || format!("{key} was sent with another payload"))?;
        let has_properties = scene.truth.connections[&connection].version.has_properties();
        let is_same = forwarded_properties(&publish.properties) == publication.properties;
        ensure(!has_properties || is_same, || {
            format!("{key} was sent with other properties: {:?}", publish.properties)
        })
    }
}
