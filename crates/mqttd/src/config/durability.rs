//! Owns how rules of durability are written: `FILTER=LEVEL`. What a level promises is the engine's
//! business.

use broker_core::config::{Durability, DurabilityRule};
use mqtt_codec::TopicFilter;

use super::field::{Choice as _, Field as _};
use super::value::Value;

/// What a rule looks like.
pub(super) const EXAMPLE: &str = "sensors/#=memory";

/// Reads a rule. The level stands behind the last equals sign: a filter may hold one.
///
/// # Errors
/// What is wrong with it, for a sentence that has named it.
pub(super) fn parse(text: &str) -> Result<DurabilityRule, String> {
    let shape = || format!("a rule is FILTER=disk, FILTER=memory or FILTER=none, as {EXAMPLE:?}");
    let (filter, level) = text.rsplit_once('=').ok_or_else(shape)?;
    let (filter, level) = (filter.trim(), level.trim());
    let durability = Durability::from_value(Value::Text(level.to_owned())).ok_or_else(|| {
        format!("{level:?} is no durability; it must be one of {}", Durability::NAMES.join(", "))
    })?;
    let filter = TopicFilter::owned(filter)
        .map_err(|violation| format!("{filter:?} is no topic filter: {}", violation.text()))?;
    if filter.share_name().is_some() {
        return Err(format!(
            "a rule is about topics; without the share it is \"{}={level}\"",
            filter.matched()
        ));
    }
    Ok(DurabilityRule { filter, durability })
}

/// A rule as it is read.
pub(super) fn written(rule: &DurabilityRule) -> String {
    let Value::Text(level) = rule.durability.to_value() else { unreachable!("a choice is text") };
    format!("{}={level}", rule.filter.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_written_as_it_was_read() {
        for (text, filter, durability) in [
            ("sensors/#=memory", "sensors/#", Durability::Memory),
            ("a=b=none", "a=b", Durability::None),
            ("+=disk", "+", Durability::Disk),
        ] {
            let rule = parse(text).expect("a rule");
            assert_eq!((rule.filter.as_str(), rule.durability), (filter, durability));
            assert_eq!(written(&rule), text);
        }
        assert_eq!(parse(" a/b = none ").map(|rule| written(&rule)), Ok("a/b=none".to_owned()));
    }

    #[test]
    fn what_is_no_rule_is_refused_with_what_is_wrong() {
        let said = ["sensors/#", "a=ram", "a/#/b=disk", "=disk", "$share/g/a/#=memory"]
            .map(|text| parse(text).expect_err("no rule"));
        insta::assert_snapshot!(said.join("\n"), @r#"
        a rule is FILTER=disk, FILTER=memory or FILTER=none, as "sensors/#=memory"
        "ram" is no durability; it must be one of disk, memory, none
        "a/#/b" is no topic filter: # is not the whole last level of the Topic Filter
        "" is no topic filter: the topic is empty
        a rule is about topics; without the share it is "a/#=memory"
        "#);
    }
}
