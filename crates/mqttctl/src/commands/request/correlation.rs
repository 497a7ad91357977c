//! Owns how a response is told from other messages on the response topic. Which topic that is, the caller says.

use dunlin_client::Message;
use mqtt_codec::{EncodeError, Properties, Property, PropertyId, PropertyOwner, ProtocolVersion, TopicName};
use std::hash::{BuildHasher, RandomState};

/// The Correlation Data of one request, among its properties.
#[derive(Debug)]
pub(super) struct Correlation<'a> {
    properties: &'a Properties,
    /// None before MQTT 5, which has no properties.
    data: Option<Vec<u8>>,
}

impl<'a> Correlation<'a> {
    /// For a request with these properties: their Correlation Data, or some that nobody else has.
    pub(super) fn new(properties: &'a Properties, version: ProtocolVersion) -> Self {
        let given = properties.correlation_data().map(<[u8]>::to_vec);
        let data = version.has_properties().then(|| given.unwrap_or_else(unique));
        Self { properties, data }
    }

    /// The request's properties, with the way back.
    ///
    /// # Errors
    /// They are too long together.
    pub(super) fn address(&self, response_topic: &TopicName) -> Result<Properties, EncodeError> {
        let Some(data) = &self.data else { return Ok(Properties::NONE) };
        let way_back = [Property::ResponseTopic(response_topic.borrow()), Property::CorrelationData(data)];
        let others = self.properties.iter().filter(|property| {
            !matches!(property.id(), PropertyId::ResponseTopic | PropertyId::CorrelationData)
        });
        Properties::new(PropertyOwner::Publish, way_back.into_iter().chain(others))
    }

    /// Whether `message` may be the response. One that carries no Correlation Data may: whoever answers by hand, or
    /// through `pub`, does not repeat it. One with other Correlation Data answers somebody else.
    pub(super) fn accepts(&self, message: &Message) -> bool {
        match (&self.data, message.properties.correlation_data()) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (Some(_), None) | (None, _) => true,
        }
    }
}

/// Sixteen bytes from the seeds that the standard library draws for its hash maps.
fn unique() -> Vec<u8> {
    let seeds = RandomState::new();
    [seeds.hash_one(0), seeds.hash_one(1)].map(u64::to_be_bytes).concat()
}

#[cfg(test)]
mod tests {
    use super::Correlation;
    use dunlin_client::Message;
    use mqtt_codec::{Properties, Property, PropertyOwner, ProtocolVersion, TopicName};

    fn properties<'a>(properties: impl IntoIterator<Item = Property<'a>>) -> Properties {
        Properties::new(PropertyOwner::Publish, properties).unwrap()
    }

    fn with_data(data: &[u8]) -> Message {
        Message::new("b", "").unwrap().properties(properties([Property::CorrelationData(data)]))
    }

    #[test]
    fn a_request_says_where_and_how_to_answer_and_keeps_its_other_properties() {
        let given = properties([Property::ContentType("text"), Property::CorrelationData(b"mine")]);
        let correlation = Correlation::new(&given, ProtocolVersion::V5);
        let addressed = correlation.address(&TopicName::owned("b").unwrap()).unwrap();
        assert_eq!(addressed.response_topic().map(|topic| topic.text()), Some("b"));
        assert_eq!(addressed.correlation_data(), Some(b"mine".as_slice()));
        assert_eq!(addressed.content_type(), Some("text"));
    }

    #[test]
    fn each_request_has_correlation_data_of_its_own() {
        let none = Properties::NONE;
        let draw = || Correlation::new(&none, ProtocolVersion::V5).data;
        assert_eq!(draw().map(|data| data.len()), Some(16));
        assert_ne!(draw(), draw());
    }

    #[test]
    fn a_response_has_the_same_correlation_data_or_none() {
        let given = properties([Property::CorrelationData(b"mine")]);
        let correlation = Correlation::new(&given, ProtocolVersion::V5);
        assert!(correlation.accepts(&with_data(b"mine")));
        assert!(correlation.accepts(&Message::new("b", "").unwrap()));
        assert!(!correlation.accepts(&with_data(b"other")));
        let without = Correlation { properties: &given, data: None };
        assert!(without.accepts(&Message::new("b", "").unwrap()));
    }
}
