//! Owns how properties are spelled on the command line and in JSON: `Content Type` is `content-type`.
//! Which packet may carry which is the codec's knowledge.

use mqtt_codec::PropertyId;
use std::fmt::{self, Write};

/// Displays the specification's name in small letters with dashes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KebabCase(pub(crate) PropertyId);

impl fmt::Display for KebabCase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.name().chars().try_for_each(|letter| match letter {
            ' ' => formatter.write_char('-'),
            letter => formatter.write_char(letter.to_ascii_lowercase()),
        })
    }
}

/// The property of a name.
pub(crate) fn from_kebab_case(name: &str) -> Option<PropertyId> {
    PropertyId::ALL.iter().copied().find(|id| KebabCase(*id).to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::{KebabCase, from_kebab_case};
    use mqtt_codec::PropertyId;

    #[test]
    fn every_property_has_a_name_that_leads_back_to_it() {
        for id in PropertyId::ALL {
            assert_eq!(from_kebab_case(&KebabCase(*id).to_string()), Some(*id));
        }
        assert_eq!(KebabCase(PropertyId::MaximumQoS).to_string(), "maximum-qos");
        assert_eq!(from_kebab_case("Content Type"), None);
    }
}
