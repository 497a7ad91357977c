//! What a million filters cost.

use super::*;

/// The mix and the bound of the design: 70 % exact, 20 % with `+`, 10 % with `#`; at most 100 bytes a
/// filter beyond its text.
#[test]
fn a_million_filters_cost_at_most_a_hundred_bytes_each_beyond_their_text() {
    let index = new_index();
    let mut text_bytes = 0;
    for number in 0..1_000_000 {
        let (region, site) = (number % 100, number % 10_000);
        let filter = match number % 10 {
            0..7 => format!("region/{region}/site/{site}/device/{number}/status"),
            7 | 8 => format!("region/{region}/site/+/device/{number}/status"),
            _ => format!("region/{region}/site/{site}/device/{number}/#"),
        };
        text_bytes += filter.len();
        index.subscribe(&filter, subscriber(number));
    }
    let bytes_each = (index.memory_bytes() - text_bytes) / 1_000_000;
    assert!((30..=100).contains(&bytes_each), "{bytes_each} bytes a filter beyond its text");
    let matches = matching(&index, "region/7/site/7/device/7/status");
    assert_eq!(sessions(&matches), [session(7)]);
}
