//! Owns the guess at what was meant by a name that does not exist. Which names exist is told by the
//! caller.

/// The candidate that looks most like the name, if any looks like it at all.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let alike = candidates.into_iter().filter_map(|candidate| Some((slips(name, candidate)?, candidate)));
    alike.min_by_key(|(slips, _)| *slips).map(|(_, candidate)| candidate)
}

/// How many slips of the pen lie between two names, if few. Another table costs one more, the same
/// words in another order two.
fn slips(name: &str, candidate: &str) -> Option<usize> {
    let as_written = few_slips(name, candidate);
    let other_table = few_slips(last(name), last(candidate)).map(|slips| slips + 1);
    let other_order = few_slips(&sorted_words(last(name)), &sorted_words(last(candidate)));
    [as_written, other_table, other_order.map(|slips| slips + 2)].into_iter().flatten().min()
}

fn few_slips(name: &str, candidate: &str) -> Option<usize> {
    let tolerated = (name.len() / 3).max(2);
    Some(strsim::damerau_levenshtein(name, candidate)).filter(|slips| *slips <= tolerated)
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn sorted_words(name: &str) -> String {
    let mut words: Vec<&str> = name.split(['_', '-']).collect();
    words.sort_unstable();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_a_wrong_table_and_another_order_are_understood() {
        let known = ["listen", "log.level", "limits.receive_maximum", "limits.connections_max", "limits"];
        for (name, expected) in [
            ("listner", Some("listen")),
            ("Listen", Some("listen")),
            ("log_level", Some("log.level")),
            ("loglevel", Some("log.level")),
            ("level", Some("log.level")),
            ("receive_maximum", Some("limits.receive_maximum")),
            ("limits.recieve_maximum", Some("limits.receive_maximum")),
            ("limit.receive_maximum", Some("limits.receive_maximum")),
            ("max_connections", Some("limits.connections_max")),
            ("limits.max_connections", Some("limits.connections_max")),
            ("limts", Some("limits")),
            ("persistence", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name:?}");
        }
    }
}
