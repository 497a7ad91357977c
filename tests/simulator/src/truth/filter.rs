//! Owns which Topic Name matches which Topic Filter, written down once more from the specification.

/// Whether a filter without share prefix matches a topic `[MQTT5-4.7.2-1]` `[MQTT311-4.7.2-1]`.
pub(super) fn matches(filter: &str, topic: &str) -> bool {
    let starts_with_wildcard = filter.starts_with('#') || filter.starts_with('+');
    if topic.starts_with('$') && starts_with_wildcard {
        return false;
    }
    let filter: Vec<_> = filter.split('/').collect();
    let topic: Vec<_> = topic.split('/').collect();
    levels_match(&filter, &topic)
}

fn levels_match(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        ([level, filter @ ..], [name, topic @ ..]) => {
            (*level == "+" || level == name) && levels_match(filter, topic)
        }
        ([], _) | (_, []) => false,
    }
}

/// The share name and the filter behind it, if a subscription is shared.
pub(super) fn share(filter: &str) -> Option<(&str, &str)> {
    filter.strip_prefix("$share/")?.split_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_whole_levels() {
        for (filter, topic, expected) in [
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("+", "a", true),
            ("+", "a/b", false),
            ("+/+", "/a", true),
            ("a/+", "a", false),
            ("#", "$own/a", false),
            ("+/a", "$own/a", false),
            ("$own/+", "$own/a", true),
            ("a", "b", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn a_share_is_taken_apart() {
        assert_eq!(share("$share/left/a/#"), Some(("left", "a/#")));
        assert_eq!(share("a/#"), None);
    }
}
